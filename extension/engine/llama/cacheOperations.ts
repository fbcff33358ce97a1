/**
 * Finch's three operations on llama.cpp's KV cache, as ggml graphs that run on the device where each layer's
 * cache lives: attention scores of the question, the copy of keys as first written, and keep-and-re-rotate.
 *
 * Rotating the same rounded key once per chunk would add up its rounding. So the keys of the kept cells are held a
 * second time as they were first written (`firstKeys`), and every rotation starts from those.
 */
import { errors } from '../../errors.ts';
import type { LayerLayout, Queries, RopeParams } from './attentionProbe.ts';
import { checkCacheSupport } from './cacheSupport.ts';
import type { Functions, Pointer } from './functions.ts';
import { GraphRunner, type GraphInput } from './graph.ts';
import { decodeThreads, type LlamaLibrary } from './library.ts';
import type { LlamaContext } from './llamaContext.ts';
import { hadamardMatrix, hadamardProduct, rotate } from './rotation.ts';
import { addScores, causalMask, scoreBlocks, type ScoreBlock } from './scoreBlocks.ts';
import { ggmlType } from './structs.ts';
import { readTensor } from './tensor.ts';

/**
 * Which cells a layer keeps, ascending: one list for all its KV heads, or one per KV head. All have the same length.
 */
export type KeptCells = { readonly shared: Int32Array } | { readonly perHead: readonly Int32Array[] };

/** For each list of `KeptCells`, the position at which each of those cells' keys was first written. */
export type FirstPositions = KeptCells;

interface DeviceGroup {
  readonly layers: readonly LayerLayout[];
  readonly graphs: GraphRunner;
  readonly tensors: Pointer;
  readonly buffer: Pointer;
  /** Per layer of the group, of the cache's type (headDim * kvHeads, rows). */
  readonly firstKeys: ReadonlyMap<number, Pointer>;
}

export class CacheOperations {
  readonly layouts: readonly LayerLayout[];
  /** Bytes of the copy of first-written keys. */
  readonly firstKeysBytes: number;
  readonly #f: Functions;
  readonly #context: LlamaContext;
  readonly #groups: readonly DeviceGroup[];
  /** The matrices that layers need, by their side. */
  readonly #hadamards: ReadonlyMap<number, Float32Array>;

  /**
   * @param rows the most cells that a chunk and what was kept before it can fill together.
   * @throws errors.kvCacheNotServed when a layer's device cannot work on rows of the cache's type, errors.memoryRanOut
   */
  constructor(context: LlamaContext, rows: number) {
    this.#f = context.model.library.functions;
    this.#context = context;
    this.layouts = context.layouts();
    const sides = this.layouts.flatMap(({ hadamard }) => (hadamard === null ? [] : [hadamard]));
    this.#hadamards = new Map(Array.from(new Set(sides), (side) => [side, hadamardMatrix(side)]));
    const byDevice = new Map<Pointer, LayerLayout[]>();
    for (const layout of this.layouts) {
      const device = deviceOf(context.model.library, layout.kCache);
      byDevice.set(device, [...(byDevice.get(device) ?? []), layout]);
    }
    this.#groups = Array.from(byDevice, ([device, layers]) => makeGroup(this.#f, device, layers, rows));
    this.firstKeysBytes = this.#groups.reduce(
      (sum, group) => sum + this.#f.ggml_backend_buffer_get_size(group.buffer),
      0,
    );
  }

  /**
   * Post-softmax attention of the question's rows on the cells before the question, summed over its rows with
   * the given weights: `sum_p w_p * A_h[p, j]` (paper, section 3.2). The softmax runs over all cells that a row sees,
   * the question's included.
   * @param queries per layer, as taken while the question was decoded at positions cells..cells+tokens-1.
   * @param cells number of cells before the question.
   * @param rowWeights (question tokens)
   * @returns per layer, f32 (cells, heads), heads slowest.
   * @throws errors.internal for a layer with a window, whose attention says nothing of what lies before
   */
  attentionScores(
    queries: ReadonlyMap<number, readonly Queries[]>,
    cells: number,
    rowWeights: Float32Array,
  ): Map<number, Float32Array> {
    const result = new Map<number, Float32Array>();
    const windowed = this.layouts.find(({ layer, window }) => window !== null && queries.has(layer));
    if (windowed !== undefined)
      throw errors.internal(`the attention of layer ${windowed.layer} ends at its window`, undefined);
    for (const group of this.#groups) {
      const layers = group.layers.filter(({ layer }) => queries.has(layer));
      for (const block of scoreBlocks(layers, queries)) {
        const scores = this.#scoreBlock(group, block, cells, rowWeights);
        block.layers.forEach(({ layer, heads }, index) => {
          const total = result.get(layer) ?? new Float32Array(heads * cells);
          result.set(layer, total);
          addScores(total, scores[index]!, cells, block.visible(cells), heads);
        });
      }
    }
    return result;
  }

  /** Copies the keys of the cells from..to-1, just written by a decode, to the first-written keys. */
  rememberKeys(from: number, to: number): void {
    for (const group of this.#groups) {
      group.graphs.run(group.layers.length * 4 + 8, (c) => ({
        inputs: [],
        nodes: group.layers.map((layout) => {
          const { headDim, kvHeads, rowBytes } = layout;
          const view = (tensor: Pointer): Pointer =>
            this.#f.ggml_view_2d(c, tensor, headDim * kvHeads, to - from, rowBytes, from * rowBytes);
          return this.#f.ggml_cpy(c, view(layout.kCache), view(group.firstKeys.get(layout.layer)!));
        }),
        results: [],
      }));
    }
  }

  /**
   * Keeps the named cells of every layer at positions 0..kept-1: keys re-rotated from where they were first
   * written, values untouched. The cells after them are dropped.
   * @param kept per layer, in order of the layers.
   */
  keep(kept: readonly KeptCells[], firstPositions: readonly FirstPositions[]): void {
    const length = keptLength(kept[0]!);
    for (const group of this.#groups) {
      group.graphs.run(group.layers.length * 24 + 16, (c) => {
        const inputs: GraphInput[] = [];
        const nodes = group.layers.flatMap((layout) => {
          const cells = kept[layout.layer]!;
          const first = firstPositions[layout.layer]!;
          return this.#keepLayer(c, inputs, layout, group.firstKeys.get(layout.layer)!, cells, first, length);
        });
        return { inputs, nodes, results: [] };
      });
    }
    this.#context.truncate(length);
  }

  /** The first-written keys of the cells 0..cells-1, layer after layer, as `restoreFirstKeys` takes them. */
  saveFirstKeys(cells: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.#firstKeyBytes(cells));
    this.#eachFirstKeys(cells, bytes, (tensor, part) =>
      this.#f.ggml_backend_tensor_get(tensor, part, 0, part.length),
    );
    return bytes;
  }

  /** @returns false when the bytes are not those of so many cells. */
  restoreFirstKeys(cells: number, bytes: Uint8Array): boolean {
    if (bytes.length !== this.#firstKeyBytes(cells)) return false;
    this.#eachFirstKeys(cells, bytes, (tensor, part) =>
      this.#f.ggml_backend_tensor_set(tensor, part, 0, part.length),
    );
    return true;
  }

  #firstKeyBytes(cells: number): number {
    return this.layouts.reduce((sum, { rowBytes }) => sum + cells * rowBytes, 0);
  }

  #eachFirstKeys(cells: number, bytes: Uint8Array, copy: (tensor: Pointer, part: Uint8Array) => void): void {
    let offset = 0;
    for (const { layer, rowBytes } of this.layouts) {
      const length = cells * rowBytes;
      const tensor = this.#groups
        .map(({ firstKeys }) => firstKeys.get(layer))
        .find((one) => one !== undefined);
      copy(tensor!, bytes.subarray(offset, offset + length));
      offset += length;
    }
  }

  dispose(): void {
    for (const group of this.#groups) {
      this.#f.ggml_backend_buffer_free(group.buffer);
      this.#f.ggml_free(group.tensors);
      group.graphs.dispose();
    }
  }

  #scoreBlock(
    group: DeviceGroup,
    block: ScoreBlock,
    cells: number,
    rowWeights: Float32Array,
  ): Float32Array[] {
    const f = this.#f;
    const { rows, firstRow } = block;
    const visible = block.visible(cells);
    return group.graphs.run(block.layers.length * 24 + 16, (c) => {
      const mask = f.ggml_new_tensor_2d(c, ggmlType.f16, visible, rows);
      const weights = f.ggml_new_tensor_3d(c, ggmlType.f32, rows, 1, 1);
      const inputs: GraphInput[] = [
        { tensor: mask, data: causalMask(visible, rows, cells + firstRow) },
        { tensor: weights, data: rowWeights.slice(firstRow, firstRow + rows) },
      ];
      const results = block.layers.map((layout) => {
        const { headDim, heads } = layout;
        const q = f.ggml_new_tensor_3d(c, ggmlType.f32, headDim, heads, rows);
        inputs.push({ tensor: q, data: block.queriesOf(layout) });
        const k = this.#keys(c, layout, visible);
        const products = f.ggml_mul_mat(c, k, f.ggml_permute(c, q, 0, 2, 1, 3)); // (visible, rows, heads)
        const attention = f.ggml_soft_max_ext(c, products, mask, layout.scale, 0);
        const byRow = f.ggml_cont(c, f.ggml_permute(c, attention, 1, 0, 2, 3)); // (rows, visible, heads)
        return f.ggml_mul_mat(c, weights, byRow); // (1, visible, heads)
      });
      return { inputs, nodes: results, results };
    });
  }

  /** The keys of the first cells: (headDim, cells, kvHeads), f16 in their place, or f32 where they are quantised. */
  #keys(c: Pointer, { kCache, cacheType, rowBytes, headDim, kvHeads }: LayerLayout, cells: number): Pointer {
    const f = this.#f;
    if (cacheType === 'f16')
      return f.ggml_view_3d(c, kCache, headDim, cells, kvHeads, rowBytes, rowBytes / kvHeads, 0);
    // Not every device multiplies by a quantised matrix whose rows do not lie one behind the other.
    const rows = f.ggml_view_2d(c, kCache, headDim * kvHeads, cells, rowBytes, 0);
    const values = f.ggml_cast(c, rows, ggmlType.f32);
    return f.ggml_permute(c, f.ggml_reshape_3d(c, values, headDim, kvHeads, cells), 0, 2, 1, 3);
  }

  #keepLayer(
    c: Pointer,
    inputs: GraphInput[],
    layout: LayerLayout,
    firstKeys: Pointer,
    kept: KeptCells,
    first: FirstPositions,
    length: number,
  ): Pointer[] {
    const f = this.#f;
    const { headDim, kvHeads, rope, hadamard } = layout;
    // With one list for all heads a row is a cell; with a list per head it is one head's part of a cell.
    const perHead = 'perHead' in kept;
    const width = perHead ? headDim : headDim * kvHeads;
    const widthBytes = perHead ? layout.rowBytes / kvHeads : layout.rowBytes;
    const headsPerRow = perHead ? 1 : kvHeads;
    const rows = perHead ? length * kvHeads : length;
    const rowIndex = perHead ? interleave(kept.perHead, (cell, head) => cell * kvHeads + head) : kept.shared;
    const shift = perHead
      ? interleave(
          (first as { perHead: readonly Int32Array[] }).perHead,
          (p, _head, position) => position - p,
        )
      : (first as { shared: Int32Array }).shared.map((p, position) => position - p);

    const index = f.ggml_new_tensor_1d(c, ggmlType.i32, rows);
    const shifts = f.ggml_new_tensor_1d(c, ggmlType.i32, rows);
    inputs.push({ tensor: index, data: rowIndex });
    // What no node of the graph uses gets no memory.
    if (rope !== null) inputs.push({ tensor: shifts, data: shift });

    const all = (tensor: Pointer): Pointer =>
      f.ggml_view_2d(c, tensor, width, readTensor(tensor).ne[1]! * (perHead ? kvHeads : 1), widthBytes, 0);
    const front = (tensor: Pointer): Pointer => f.ggml_view_2d(c, tensor, width, rows, widthBytes, 0);

    const keys = f.ggml_get_rows(c, all(firstKeys), index);
    const heads = f.ggml_reshape_3d(c, keys, headDim, headsPerRow, rows);
    const rotated = rope === null ? heads : this.#rotate(c, inputs, heads, shifts, rope, hadamard);
    const values = f.ggml_get_rows(c, all(layout.vCache), index);
    // Each write depends on the read of the same rows, so no order of execution can mix them up.
    return [
      f.ggml_cpy(c, keys, front(firstKeys)),
      f.ggml_cpy(c, f.ggml_reshape_2d(c, rotated, width, rows), front(layout.kCache)),
      f.ggml_cpy(c, values, front(layout.vCache)),
    ];
  }

  /** A key in a quantised cache is turned where it is not multiplied by a Walsh-Hadamard matrix. */
  #rotate(
    c: Pointer,
    inputs: GraphInput[],
    keys: Pointer,
    shifts: Pointer,
    rope: RopeParams,
    hadamard: number | null,
  ): Pointer {
    const f = this.#f;
    if (hadamard === null) return rotate(f, c, keys, shifts, rope, rope.frequencyFactors);
    const matrix = f.ggml_new_tensor_2d(c, ggmlType.f32, hadamard, hadamard);
    inputs.push({ tensor: matrix, data: this.#hadamards.get(hadamard)! });
    const plain = hadamardProduct(f, c, keys, matrix);
    return hadamardProduct(f, c, rotate(f, c, plain, shifts, rope, rope.frequencyFactors), matrix);
  }
}

function keptLength(kept: KeptCells): number {
  return 'perHead' in kept ? kept.perHead[0]!.length : kept.shared.length;
}

/** Per-head lists (kvHeads, length) laid out as the cache is: (length, kvHeads) with heads fastest. */
function interleave(
  lists: readonly Int32Array[],
  value: (entry: number, head: number, position: number) => number,
): Int32Array {
  const length = lists[0]!.length;
  const result = new Int32Array(length * lists.length);
  lists.forEach((list, head) => {
    for (let position = 0; position < length; position++) {
      result[position * lists.length + head] = value(list[position]!, head, position);
    }
  });
  return result;
}

/** The device whose memory a tensor lies in; ggml leaves that of main memory unnamed. */
function deviceOf(library: LlamaLibrary, tensor: Pointer): Pointer {
  const { functions, devices } = library;
  const { buffer, name } = readTensor(tensor);
  if (buffer === null) throw errors.internal(`the cache tensor ${name} has no memory`, undefined);
  const device = functions.ggml_backend_buft_get_device(functions.ggml_backend_buffer_get_type(buffer));
  return device ?? devices.find((d) => d.isCpu)!.pointer;
}

function makeGroup(f: Functions, device: Pointer, layers: readonly LayerLayout[], rows: number): DeviceGroup {
  checkCacheSupport(f, device, layers[0]!);
  const graphs = new GraphRunner(f, device, decodeThreads());
  const tensors = f.ggml_init({
    mem_size: f.ggml_tensor_overhead() * (layers.length + 1),
    mem_buffer: null,
    no_alloc: true,
  })!;
  const firstKeys = new Map(
    layers.map(({ layer, cacheType, headDim, kvHeads }) => [
      layer,
      f.ggml_new_tensor_2d(tensors, ggmlType[cacheType], headDim * kvHeads, rows),
    ]),
  );
  const buffer = f.ggml_backend_alloc_ctx_tensors(tensors, graphs.backend);
  if (buffer === null) throw errors.memoryRanOut(rows);
  return { layers, graphs, tensors, buffer, firstKeys };
}
