/**
 * Watches llama.cpp's graph through its evaluation callback: first to learn and verify how each layer attends,
 * then to take the rotated queries of the question's tokens.
 * A node is only looked at when the callback asks for it; declining everything leaves the graph in one piece.
 */
import koffi from 'koffi';
import { errors } from '../../errors.ts';
import { notServedTexts, problem, type LayerProblem } from '../../models/modelProblems.ts';
import { kvCacheBytes } from '../../models/kvCacheType.ts';
import type { KvCacheType } from '../../protocol/engine.ts';
import type { Functions, Pointer } from './functions.ts';
import { EvalCallback, ggmlType, isHadamard } from './structs.ts';
import { floatParams, readOperation, readTensor, type TensorInfo } from './tensor.ts';

/** How one layer rotates its keys: the arguments of `ggml_rope_ext`. */
export interface RopeParams {
  readonly nDims: number;
  readonly mode: number;
  readonly nCtxOrig: number;
  readonly freqBase: number;
  readonly freqScale: number;
  readonly extFactor: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly frequencyFactors: Pointer | null;
}

/** One layer's attention, as read off llama.cpp's own graph. */
export interface LayerLayout {
  readonly layer: number;
  /** The cache tensors, of `cacheType` (headDim * kvHeads, cells). */
  readonly kCache: Pointer;
  readonly vCache: Pointer;
  readonly cacheType: KvCacheType;
  /** Bytes of one cell's keys, all heads together, and as many of its values. */
  readonly rowBytes: number;
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Factor on the attention scores before the softmax. */
  readonly scale: number;
  /** Null: the layer has no RoPE, so that a key is the same wherever it stands. */
  readonly rope: RopeParams | null;
  /**
   * Before it writes to a quantised cache, llama.cpp multiplies rotated keys and queries by a Walsh-Hadamard matrix,
   * which spreads outliers over a block: its side, which divides headDim. Null: keys are stored as they are.
   */
  readonly hadamard: number | null;
  /** Tokens that a token sees, itself included; null: all before it. */
  readonly window: number | null;
}

/** Rotated queries of one layer: f32 (headDim, heads, tokens), tokens slowest. */
export interface Queries {
  readonly values: Float32Array;
  readonly tokens: number;
}

type Mode =
  | { readonly kind: 'off' }
  | {
      readonly kind: 'layout';
      readonly attention: Map<number, TensorInfo>;
      readonly ropes: Map<string, TensorInfo>;
    }
  | {
      readonly kind: 'queries';
      readonly layers: ReadonlySet<number>;
      readonly taken: Map<number, Queries[]>;
      /** The layer with whose attention the graph is left; null to run all of it. */
      readonly stopAt: number | null;
    };

export class AttentionProbe {
  /** To be given to llama.cpp as `cb_eval`. */
  readonly callback: Pointer;
  readonly #f: Functions;
  readonly #flashAttention: number;
  readonly #rope: number;
  readonly #product: number;
  #mode: Mode = { kind: 'off' };
  /** An error inside the callback cannot cross native code: it is kept and thrown after the decode. */
  #failure: unknown = null;

  constructor(functions: Functions) {
    this.#f = functions;
    this.#flashAttention = operationNumber(functions, 'FLASH_ATTN_EXT');
    this.#rope = operationNumber(functions, 'ROPE');
    this.#product = operationNumber(functions, 'MUL_MAT');
    this.callback = koffi.register(
      (tensor: Pointer, ask: boolean) => this.#visit(tensor, ask),
      koffi.pointer(EvalCallback),
    ) as Pointer;
  }

  /**
   * Runs `decode` and reads each layer's form off its graph.
   * @throws errors.modelNotServed when a layer does not have one attention node of the form that compression can serve,
   *         or a rotation that is not that of a layer's queries and keys alike, or where layers share a mask and not a
   *         window, or a window and not a mask; errors.kvCacheNotServed instead where the cache is quantised.
   * @param cacheType what the context was made with. @param windows of each layer, as `LayerLayout.window`
   */
  readLayouts(
    modelPath: string,
    cacheType: KvCacheType,
    windows: readonly (number | null)[],
    decode: () => void,
  ): LayerLayout[] {
    const attention = new Map<number, TensorInfo>();
    const ropes = new Map<string, TensorInfo>();
    this.#during({ kind: 'layout', attention, ropes }, decode);
    const windowOf = new Map<Pointer, number | null>();
    const maskOf = new Map<string, Pointer>();
    const layouts = windows.map((window, layer) => {
      const refuse = (why: LayerProblem): never => {
        const ofLayer = problem(notServedTexts.layer, layer, why);
        if (cacheType === 'f16') throw errors.modelNotServed(modelPath, ofLayer);
        // It may be for the type alone, as where a device has no attention over quantised rows.
        throw errors.kvCacheNotServed(cacheType, modelPath, ofLayer);
      };
      const node = attention.get(layer) ?? refuse('has no flash-attention node');
      const ofKeys = ropes.get(`Kcur-${layer}`);
      const ofQueries = ropes.get(`Qcur-${layer}`);
      ropes.delete(`Kcur-${layer}`);
      ropes.delete(`Qcur-${layer}`);
      if ((ofKeys === undefined) !== (ofQueries === undefined))
        refuse('rotates only its queries or its keys');
      // Layers see the same tokens when they share a mask; each device has a copy of it, under a name of its own.
      const mask = node.src[3] ?? refuse('attends without a mask');
      const named = `${readTensor(mask).name} ${window}`;
      const sharesOther = windowOf.has(mask) && windowOf.get(mask) !== window;
      if (sharesOther || (maskOf.get(named) ?? mask) !== mask)
        refuse('sees other tokens than its window says');
      windowOf.set(mask, window);
      maskOf.set(named, mask);
      const form = layout(refuse, cacheType, node);
      const rope = ofKeys === undefined ? null : ropeParams(ofKeys);
      return { layer, ...form, hadamard: this.#hadamardOf(node), rope, window };
    });
    // So a layer that shows no RoPE has none, and not one by another name.
    const [other] = ropes.keys();
    if (other !== undefined)
      throw errors.modelNotServed(modelPath, problem(notServedTexts.unknownRotation, other));
    return layouts;
  }

  /**
   * Runs `decode` and returns the queries of the named layers, for all tokens that it decoded, in order.
   * @param stop leaves the graph with the attention of the last of these layers, whose keys and values are written by
   *        then; where the layers lie on several devices, some of the others run all the same.
   */
  takeQueries(layers: ReadonlySet<number>, decode: () => void, stop = false): Map<number, Queries[]> {
    const taken = new Map<number, Queries[]>();
    const stopAt = stop ? Math.max(...layers) : null;
    this.#during({ kind: 'queries', layers, taken, stopAt }, decode);
    for (const layer of layers) {
      if (!taken.has(layer)) throw errors.internal(`no queries of layer ${layer}`, undefined);
    }
    return taken;
  }

  dispose(): void {
    koffi.unregister(this.callback);
  }

  #during(mode: Mode, decode: () => void): void {
    this.#mode = mode;
    this.#failure = null;
    try {
      decode();
    } finally {
      this.#mode = { kind: 'off' };
    }
    if (this.#failure !== null) throw this.#failure as Error;
  }

  /** Asked (`ask`) whether a node's value is wanted, then shown it; the answer to the latter is whether to go on. */
  #visit(tensor: Pointer, ask: boolean): boolean {
    const mode = this.#mode;
    if (mode.kind === 'off') return !ask;
    try {
      const operation = readOperation(tensor);
      if (mode.kind === 'layout') {
        this.#note(mode, operation, tensor);
        return !ask;
      }
      if (operation !== this.#flashAttention) return !ask;
      const node = readTensor(tensor);
      const layer = layerOf(node);
      if (ask) return layer !== null && mode.layers.has(layer);
      if (layer !== null) append(mode.taken, layer, this.#readQueries(node));
      return layer === null || layer !== mode.stopAt;
    } catch (error) {
      this.#failure ??= error;
      return !ask;
    }
  }

  #note(mode: Mode & { kind: 'layout' }, operation: number, tensor: Pointer): void {
    if (operation === this.#flashAttention) {
      const node = readTensor(tensor);
      const layer = layerOf(node);
      if (layer === null) throw errors.internal('an attention node without a KV cache', undefined);
      mode.attention.set(layer, node);
    } else if (operation === this.#rope) {
      const node = readTensor(tensor);
      mode.ropes.set(/^[QK]cur-\d+\b/.exec(node.name)?.[0] ?? node.name, node);
    }
  }

  /** The side of the matrix that the queries, as they reach the attention, are the product of. */
  #hadamardOf(attention: TensorInfo): number | null {
    const { op, opParams, src } = readTensor(readTensor(attention.src[0]!).viewSrc!);
    return op === this.#product && isHadamard(opParams) ? readTensor(src[0]!).ne[0]! : null;
  }

  #readQueries(attention: TensorInfo): Queries {
    const pointer = attention.src[0]!;
    const q = readTensor(pointer);
    const [headDim = 0, tokens = 0, heads = 0] = q.ne;
    const values = new Float32Array(headDim * heads * tokens);
    // The node is a permuted view of a contiguous (headDim, heads, tokens), verified by `layout`; a copy for another
    // device is of the same layout, and its own source.
    this.#f.ggml_backend_tensor_get(q.viewSrc ?? pointer, values, q.viewOffset, values.byteLength);
    return { values, tokens };
  }
}

function layout(
  refuse: (why: LayerProblem) => never,
  cacheType: KvCacheType,
  node: TensorInfo,
): Omit<LayerLayout, 'layer' | 'hadamard' | 'rope' | 'window'> {
  const [q, k, v] = [0, 1, 2].map((index) => readTensor(node.src[index]!)) as [
    TensorInfo,
    TensorInfo,
    TensorInfo,
  ];
  if (k.viewSrc === null || v.viewSrc === null) refuse('attends on another device than its KV cache is on');
  const type = ggmlType[cacheType];
  const [scale = 0, maxBias = 0, softCap = 0] = floatParams(node.opParams);
  if (maxBias !== 0) refuse('uses ALiBi');
  if (softCap !== 0) refuse('caps its attention scores');
  if (node.src[4] !== null) refuse('has attention sinks of its own');
  if (k.type !== type || v.type !== type) refuse('keeps its KV cache in another type than was asked for');
  const [headDim = 0, tokens = 0, heads = 0] = q.ne;
  if (q.viewSrc === null || q.nb[1] !== headDim * heads * 4 || (tokens > 0 && q.nb[2] !== headDim * 4)) {
    refuse('lays its queries out in another order');
  }
  const kvHeads = k.ne[2] ?? 0;
  if (v.ne[0] !== headDim || k.ne[0] !== headDim) refuse('has keys and values of different width');
  const rowBytes = kvCacheBytes(cacheType, headDim * kvHeads);
  if (k.nb[2] !== rowBytes / kvHeads || k.nb[1] !== rowBytes) refuse('lays its keys out in another order');
  return {
    kCache: k.viewSrc,
    vCache: v.viewSrc,
    cacheType,
    rowBytes,
    headDim,
    heads,
    kvHeads,
    scale,
  };
}

function ropeParams({ opParams, src }: TensorInfo): RopeParams {
  const f = floatParams(opParams);
  return {
    nDims: opParams[1]!,
    mode: opParams[2]!,
    nCtxOrig: opParams[4]!,
    freqBase: f[5]!,
    freqScale: f[6]!,
    extFactor: f[7]!,
    betaFast: f[9]!,
    betaSlow: f[10]!,
    frequencyFactors: src[2] ?? null,
  };
}

/**
 * The keys are a view of a cache tensor that is named `cache_k_l12`, and named after it. Where llama.cpp moves a batch
 * of a layer to another device, they are a copy whose name holds the view's.
 */
function layerOf(attention: TensorInfo): number | null {
  const keys = attention.src[1] ?? null;
  const number = keys === null ? undefined : /\bcache_k_l(\d+)\b/.exec(readTensor(keys).name)?.[1];
  return number === undefined ? null : Number(number);
}

/** Operations are numbered by their place in an enum that grows; their names are stable. */
function operationNumber(functions: Functions, name: string): number {
  for (let operation = 0; operation < 200; operation++) {
    if (functions.ggml_op_name(operation) === name) return operation;
  }
  throw errors.libraryNotLoaded('llama.cpp', `it has no operation ${name}`);
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
