/**
 * Ranking by attention over passages that were read before the question was known.
 *
 * A few of a model's heads find what a question means even when its tokens were read without the passage. So each
 * passage is read once, behind a prefix that all share, and of those heads alone the keys are kept. A question is read
 * once behind the same prefix, whatever the number of passages; its queries are then turned to where they would stand
 * behind each passage, and compared with the passage's keys.
 */
import { errors } from '../../errors.ts';
import { layerTexts, notServedTexts, problem } from '../../models/modelProblems.ts';
import type { AttentionHead } from '../compression/options.ts';
import type { LayerLayout, Queries, RopeParams } from '../llama/attentionProbe.ts';
import type { Pointer } from '../llama/functions.ts';
import { GraphRunner, type GraphInput } from '../llama/graph.ts';
import { LlamaContext } from '../llama/llamaContext.ts';
import type { LlamaModel } from '../llama/llamaModel.ts';
import { rotate } from '../llama/rotation.ts';
import { ggmlType, q8Block } from '../llama/structs.ts';
import type { Token } from '../numbers.ts';
import { takeQueries, type DecodeHooks } from '../queries.ts';

/** The keys of a passage's tokens, in the heads that rank. */
export interface PassageKeys {
  /** At least 1. */
  readonly tokens: number;
  /** q8_0 (headDim, tokens, heads), heads slowest and in the order of the heads; rotated to behind the prefix. */
  readonly keys: Uint8Array;
}

/** The queries of a question's tokens, in the heads that rank. */
export interface QuestionQueries {
  /** Tokens of the question. */
  readonly rows: number;
  /** f32 (headDim, heads, rows), rows slowest; rotated to behind the prefix. */
  readonly values: Float32Array;
}

/** Of a longer passage, the beginning; of a longer question, likewise. Tokens. */
export const maxIndexedTokens = 1536;

/** A passage's graph is so small that threads would mostly wait for each other. */
const scoringThreads = 1;

export class PassageIndexer {
  readonly headDim: number;
  readonly heads: number;
  readonly #context: LlamaContext;
  readonly #runner: GraphRunner;
  readonly #layouts: readonly LayerLayout[];
  readonly #ranking: readonly AttentionHead[];
  readonly #rope: RopeParams;
  readonly #frequencyFactors: Float32Array | null;
  readonly #prefix: readonly Token[];
  /** q8_0 (headDim, prefix tokens, heads); null until the prefix has been read. */
  #prefixKeys: Uint8Array | null = null;

  /**
   * @param ranking the heads that rank, at least one. @param prefix what stands before every passage and question, at
   *        least one token: it takes the attention that finds nothing.
   * @throws errors.modelNotServed when the heads' layers do not rotate their keys alike, or their keys have a length
   *         that is no multiple of 32
   */
  constructor(model: LlamaModel, ranking: readonly AttentionHead[], prefix: readonly Token[]) {
    const { functions, devices } = model.library;
    this.#ranking = ranking;
    this.#prefix = prefix;
    this.heads = ranking.length;
    this.#context = new LlamaContext(model, { contextSize: prefix.length + maxIndexedTokens });
    try {
      this.#layouts = this.#context.layouts();
      const first = this.#layoutOf(ranking[0]!);
      const { rope, headDim } = first;
      const other = ranking.find((head) => !alike(first, this.#layoutOf(head)));
      if (rope === null || other !== undefined) {
        const { layer } = other ?? first;
        throw errors.modelNotServed(
          model.path,
          problem(notServedTexts.layer, layer, layerTexts.otherRotation),
        );
      }
      this.headDim = headDim;
      if (headDim % q8Block.values !== 0)
        throw errors.modelNotServed(model.path, problem(notServedTexts.headLength, headDim, q8Block.values));
      this.#rope = rope;
      const factors = rope.frequencyFactors;
      this.#frequencyFactors = factors === null ? null : new Float32Array(rope.nDims / 2);
      if (factors !== null && this.#frequencyFactors !== null)
        functions.ggml_backend_tensor_get(
          factors,
          this.#frequencyFactors,
          0,
          this.#frequencyFactors.byteLength,
        );
      this.#runner = new GraphRunner(functions, devices.find((d) => d.isCpu)!.pointer, scoringThreads);
    } catch (error) {
      this.#context.dispose();
      throw error;
    }
  }

  /** Bytes that the keys of a token take. */
  get tokenBytes(): number {
    return (this.heads * this.headDim * q8Block.bytes) / q8Block.values;
  }

  /** Reads a passage. @throws errors.cancelled, errors.decodeFailed */
  async keysOf(passage: readonly Token[], hooks: DecodeHooks): Promise<PassageKeys> {
    const from = await this.#startBehindPrefix(hooks);
    const tokens = passage.slice(0, maxIndexedTokens);
    await this.#read(tokens, hooks);
    return { tokens: tokens.length, keys: this.#readKeys(from, from + tokens.length) };
  }

  /**
   * Reads a question.
   * @param rows which of the tokens' queries are wanted: not those of words that stand in every question.
   * @throws errors.cancelled, errors.decodeFailed
   */
  async queriesOf(
    question: readonly Token[],
    rows: readonly number[],
    hooks: DecodeHooks,
  ): Promise<QuestionQueries> {
    await this.#startBehindPrefix(hooks);
    const queries = await this.#read(question.slice(0, maxIndexedTokens), hooks);
    const { headDim, heads } = this;
    const values = new Float32Array(rows.length * heads * headDim);
    this.#ranking.forEach(({ layer, head }, index) => {
      const all = joined(queries.get(layer)!);
      const width = this.#layouts[layer]!.heads * headDim;
      rows.forEach((row, to) => {
        const from = row * width + head * headDim;
        values.set(all.subarray(from, from + headDim), (to * heads + index) * headDim);
      });
    });
    return { rows: rows.length, values };
  }

  /**
   * What each of the question's tokens pays to the passage, as if it stood behind it: the logarithm of the attention on
   * the passage over that on the prefix. f32 (rows, heads), rows fastest.
   */
  attentionOn({ tokens, keys }: PassageKeys, { rows, values }: QuestionQueries): Float32Array {
    const f = this.#context.model.library.functions;
    const { headDim, heads } = this;
    const before = this.#prefix.length;
    const cells = before + tokens;
    const [shares] = this.#runner.run(24, (c) => {
      const k = f.ggml_new_tensor_3d(c, ggmlType.q8_0, headDim, cells, heads);
      const q = f.ggml_new_tensor_3d(c, ggmlType.f32, headDim, heads, rows);
      const parts = f.ggml_new_tensor_3d(c, ggmlType.f32, cells, 2, 1);
      const inputs: GraphInput[] = [
        { tensor: k, data: this.#behindPrefix(keys) },
        { tensor: q, data: values },
        { tensor: parts, data: partsOf(before, cells) },
      ];
      const turned = this.#rotated(c, inputs, q, rows, tokens);
      const products = f.ggml_mul_mat(c, k, f.ggml_cont(c, f.ggml_permute(c, turned, 0, 2, 1, 3)));
      // No mask: every row stands behind all of the cells. (cells, rows, heads)
      const attention = f.ggml_soft_max_ext(c, products, null, this.#layoutOf(this.#ranking[0]!).scale, 0);
      const sums = f.ggml_mul_mat(c, parts, attention); // (2, rows, heads)
      return { inputs, nodes: [sums], results: [sums] };
    });
    return Float32Array.from({ length: rows * heads }, (_, i) => {
      const [onPrefix, onPassage] = [shares![2 * i]!, shares![2 * i + 1]!];
      return Math.log(Math.max(onPassage, smallestShare) / Math.max(onPrefix, smallestShare));
    });
  }

  dispose(): void {
    this.#runner.dispose();
    this.#context.dispose();
  }

  /** @returns the position at which what follows begins */
  async #startBehindPrefix(hooks: DecodeHooks): Promise<number> {
    const { length } = this.#prefix;
    if (this.#prefixKeys === null) {
      this.#context.clear();
      await this.#read(this.#prefix, hooks);
      this.#prefixKeys = this.#readKeys(0, length);
    }
    this.#context.truncate(length);
    return length;
  }

  #read(tokens: readonly Token[], hooks: DecodeHooks): Promise<Map<number, Queries[]>> {
    const layers = new Set(this.#ranking.map(({ layer }) => layer));
    return takeQueries(tokens, (batch) => this.#context.decodeUpTo(batch, layers), hooks);
  }

  #layoutOf({ layer }: AttentionHead): LayerLayout {
    return this.#layouts[layer]!;
  }

  /** Of the cells from..to-1, the keys that the ranking heads attend to: q8_0 (headDim, cells, heads). */
  #readKeys(from: number, to: number): Uint8Array {
    const f = this.#context.model.library.functions;
    const { headDim } = this;
    const cells = to - from;
    const keys = new Float32Array(headDim * cells * this.heads);
    const rowsOf = new Map<number, Float32Array>();
    this.#ranking.forEach(({ layer, head }, index) => {
      const { kCache, kvHeads, heads } = this.#layouts[layer]!;
      const width = headDim * kvHeads;
      let rows = rowsOf.get(layer);
      if (rows === undefined) {
        const halves = new Uint16Array(cells * width);
        f.ggml_backend_tensor_get(kCache, halves, from * width * halves.BYTES_PER_ELEMENT, halves.byteLength);
        rows = new Float32Array(halves.length);
        f.ggml_fp16_to_fp32_row(halves, rows, halves.length);
        rowsOf.set(layer, rows);
      }
      const offset = Math.floor(head / (heads / kvHeads)) * headDim;
      for (let cell = 0; cell < cells; cell++) {
        const start = cell * width + offset;
        keys.set(rows.subarray(start, start + headDim), (index * cells + cell) * headDim);
      }
    });
    const quantized = new Uint8Array(cells * this.tokenBytes);
    f.ggml_quantize_chunk(ggmlType.q8_0, keys, quantized, 0, cells * this.heads, headDim, null);
    return quantized;
  }

  /** Per head the keys of the prefix, then those of the passage: q8_0 (headDim, cells, heads). */
  #behindPrefix(passage: Uint8Array): Uint8Array {
    const prefix = this.#prefixKeys;
    if (prefix === null) throw errors.internal('no question has been read', undefined);
    const [before, behind] = [prefix.length / this.heads, passage.length / this.heads];
    const all = new Uint8Array(prefix.length + passage.length);
    for (let head = 0; head < this.heads; head++) {
      const start = head * (before + behind);
      all.set(prefix.subarray(head * before, (head + 1) * before), start);
      all.set(passage.subarray(head * behind, (head + 1) * behind), start + before);
    }
    return all;
  }

  /** The queries `q`, (headDim, heads, rows), moved on by a number of positions. */
  #rotated(c: Pointer, inputs: GraphInput[], q: Pointer, rows: number, positions: number): Pointer {
    const f = this.#context.model.library.functions;
    const moves = f.ggml_new_tensor_1d(c, ggmlType.i32, rows);
    inputs.push({ tensor: moves, data: new Int32Array(rows).fill(positions) });
    let factors: Pointer | null = null;
    if (this.#frequencyFactors !== null) {
      factors = f.ggml_new_tensor_1d(c, ggmlType.f32, this.#frequencyFactors.length);
      inputs.push({ tensor: factors, data: this.#frequencyFactors });
    }
    return rotate(f, c, q, moves, this.#rope, factors);
  }
}

/** Below it a share is rounding; the logarithm of a ratio stays within about 70. */
const smallestShare = 1e-30;

/** f32 (cells, 2): which cells are the prefix's, which the passage's. */
function partsOf(prefix: number, cells: number): Float32Array {
  return new Float32Array(2 * cells).fill(1, 0, prefix).fill(1, cells + prefix);
}

/** Whether one index can hold the keys of both layers. */
export function canRankTogether(a: LayerLayout, b: LayerLayout): boolean {
  return a.headDim % q8Block.values === 0 && alike(a, b);
}

/** Whether one graph serves the heads of both layers. */
function alike(a: LayerLayout, b: LayerLayout): boolean {
  const numbers = ({
    nDims,
    mode,
    nCtxOrig,
    freqBase,
    freqScale,
    extFactor,
    betaFast,
    betaSlow,
  }: RopeParams) => [nDims, mode, nCtxOrig, freqBase, freqScale, extFactor, betaFast, betaSlow].join(' ');
  if (a.rope === null || b.rope === null) return false;
  return (
    a.headDim === b.headDim &&
    a.scale === b.scale &&
    (a.rope.frequencyFactors === null) === (b.rope.frequencyFactors === null) &&
    numbers(a.rope) === numbers(b.rope)
  );
}

/** The batches' queries as one list of rows. */
function joined(batches: readonly Queries[]): Float32Array {
  const all = new Float32Array(batches.reduce((sum, { values }) => sum + values.length, 0));
  let offset = 0;
  for (const { values } of batches) {
    all.set(values, offset);
    offset += values.length;
  }
  return all;
}
