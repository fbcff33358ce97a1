import { type ReadGguf, type ReadValue, readGguf } from './ggufReader.ts';
import { makeRotation, type Rotation } from './rotation.ts';

/** Of each architecture: how dimensions are paired, and what its weights do not say. */
const architectures = {
  llama: { pairing: 'neighbours' },
  qwen2: { pairing: 'halves' },
  qwen3: { pairing: 'halves' },
  /** Every fourth layer has no RoPE. */
  smollm3: { pairing: 'neighbours', layersWithoutRope: 4 },
  phi3: { pairing: 'halves' },
  granite: { pairing: 'neighbours' },
  /** The embeddings are scaled by the root of their length. */
  gemma3: { pairing: 'halves', activation: 'gelu', scalesEmbeddings: true },
} as const satisfies Record<string, ArchitectureTraits>;

export type TwinArchitecture = keyof typeof architectures;

interface ArchitectureTraits {
  readonly pairing: Rotation['pairing'];
  readonly layersWithoutRope?: number;
  readonly activation?: Twin['activation'];
  readonly scalesEmbeddings?: boolean;
}

/** The weights and shapes of one model, in float64. */
export interface Twin {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  /** Factors on the embeddings, on what attention and feed-forward part add, on the attention's scores, on the logits. */
  readonly scales: {
    readonly embedding: number;
    readonly residual: number;
    readonly attention: number;
    readonly logits: number;
  };
  readonly activation: 'silu' | 'gelu';
  /** [vocabulary, embedding] */
  readonly tokenEmbedding: Matrix;
  readonly layers: readonly TwinLayer[];
  /** [embedding] */
  readonly outputNorm: Float64Array;
  /** [vocabulary, embedding]; the token embedding itself where the file has no other. */
  readonly output: Matrix;
}

/** `values` holds `rows` rows of `columns` neighbours. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

export interface TwinLayer {
  /** Null: without RoPE. */
  readonly rotation: Rotation | null;
  /** Tokens that a token sees, itself included; null: all before it. */
  readonly window: number | null;
  readonly attentionNorm: Float64Array;
  /** [heads * headDim, embedding] */
  readonly query: Matrix;
  /** [kvHeads * headDim, embedding] */
  readonly key: Matrix;
  readonly value: Matrix;
  /** Of qwen2. */
  readonly queryBias: Float64Array | undefined;
  readonly keyBias: Float64Array | undefined;
  readonly valueBias: Float64Array | undefined;
  /** Of qwen3 and gemma3, [headDim], the same for every head. */
  readonly queryNorm: Float64Array | undefined;
  readonly keyNorm: Float64Array | undefined;
  /** [embedding, heads * headDim] */
  readonly attentionOutput: Matrix;
  /** Of gemma3: norms of what attention and feed-forward part add. */
  readonly attentionPostNorm: Float64Array | undefined;
  readonly feedForwardPostNorm: Float64Array | undefined;
  readonly feedForwardNorm: Float64Array;
  /** [feedForward, embedding] */
  readonly gate: Matrix;
  readonly up: Matrix;
  /** [embedding, feedForward] */
  readonly down: Matrix;
}

/**
 * Reads a GGUF file with f32 or f16 weights. Throws where the twin does not define the model.
 * @param contextSize cells of the context that it is compared with: which of two lists of factors holds follows from it.
 */
export function loadTwin(path: string, contextSize = 0): Twin {
  const file = readGguf(path);
  const name = text(file, 'general.architecture');
  if (!isKnown(name))
    throw new Error(
      `${path} is of architecture ${name}: the twin knows ${Object.keys(architectures).join()}`,
    );
  const traits: ArchitectureTraits = architectures[name];
  const stated = (key: string, fallback: number) => number(file, `${name}.${key}`, fallback);
  const heads = number(file, `${name}.attention.head_count`);
  const headDim = number(file, `${name}.attention.key_length`);
  const kvHeads = number(file, `${name}.attention.head_count_kv`);
  const tokenEmbedding = matrix(file, 'token_embd.weight');
  const rotations = {
    global: rotationOf(file, name, traits.pairing, contextSize),
    local: makeRotation({
      pairing: traits.pairing,
      dims: stated('rope.dimension_count', headDim),
      base: stated('rope.freq_base_swa', 10_000),
    }),
  };
  const window = stated('attention.sliding_window', 0);
  const period = stated('attention.sliding_window_pattern', 6);
  return {
    heads,
    headDim,
    kvHeads,
    normEpsilon: number(file, `${name}.attention.layer_norm_rms_epsilon`),
    scales: {
      embedding: stated(
        'embedding_scale',
        traits.scalesEmbeddings === true ? Math.sqrt(tokenEmbedding.columns) : 1,
      ),
      residual: stated('residual_scale', 1),
      attention: stated('attention.scale', 1 / Math.sqrt(headDim)),
      logits: 1 / stated('logit_scale', 1),
    },
    activation: traits.activation ?? 'silu',
    tokenEmbedding,
    layers: Array.from({ length: number(file, `${name}.block_count`) }, (_, layer): TwinLayer => {
      const withoutRope = (layer + 1) % (traits.layersWithoutRope ?? Infinity) === 0;
      const isWindowed = window > 0 && layer % period < period - 1;
      return {
        rotation: withoutRope ? null : isWindowed ? rotations.local : rotations.global,
        window: isWindowed ? window : null,
        ...weightsOf(file, `blk.${layer}`, heads * headDim, kvHeads * headDim),
      };
    }),
    outputNorm: vector(file, 'output_norm.weight'),
    output: file.tensors.has('output.weight') ? matrix(file, 'output.weight') : tokenEmbedding,
  };
}

function isKnown(name: string): name is TwinArchitecture {
  return Object.hasOwn(architectures, name);
}

function rotationOf(
  file: ReadGguf,
  name: TwinArchitecture,
  pairing: Rotation['pairing'],
  contextSize: number,
): Rotation {
  const scaling = file.metadata.get(`${name}.rope.scaling.type`) ?? 'none';
  if (typeof scaling !== 'string' || !['none', 'linear', 'yarn', 'longrope'].includes(scaling))
    throw new Error(`rope scaling ${JSON.stringify(scaling)} is not defined here`);
  const stated = (key: string, fallback?: number) => number(file, `${name}.rope.${key}`, fallback);
  const length = contextSize > stated('scaling.original_context_length', Infinity) ? 'long' : 'short';
  const factors = file.tensors.get('rope_freqs.weight') ?? file.tensors.get(`rope_factors_${length}.weight`);
  const yarn = {
    factor: stated('scaling.factor', 1),
    originalContext: stated('scaling.original_context_length', 0),
  };
  return makeRotation({
    pairing,
    dims: stated('dimension_count'),
    base: stated('freq_base'),
    factors: factors?.values,
    linear: scaling === 'linear' ? stated('scaling.factor') : undefined,
    yarn: scaling === 'yarn' ? yarn : undefined,
    attentionFactor: stated('scaling.attn_factor', 1),
  });
}

function weightsOf(
  file: ReadGguf,
  prefix: string,
  queryWidth: number,
  kvWidth: number,
): Omit<TwinLayer, 'rotation' | 'window'> {
  const optional = (name: string) => file.tensors.get(`${prefix}.${name}`)?.values;
  // Of phi3: the three as one matrix, and the two halves of the feed-forward part as one.
  const fused = file.tensors.has(`${prefix}.attn_qkv.weight`);
  const parts = fused
    ? split(matrix(file, `${prefix}.attn_qkv.weight`), [queryWidth, kvWidth, kvWidth])
    : ['q', 'k', 'v'].map((name) => matrix(file, `${prefix}.attn_${name}.weight`));
  const up = matrix(file, `${prefix}.ffn_up.weight`);
  const halves = file.tensors.has(`${prefix}.ffn_gate.weight`)
    ? [matrix(file, `${prefix}.ffn_gate.weight`), up]
    : split(up, [up.rows / 2, up.rows / 2]);
  return {
    attentionNorm: vector(file, `${prefix}.attn_norm.weight`),
    query: parts[0]!,
    key: parts[1]!,
    value: parts[2]!,
    queryBias: optional('attn_q.bias'),
    keyBias: optional('attn_k.bias'),
    valueBias: optional('attn_v.bias'),
    queryNorm: optional('attn_q_norm.weight'),
    keyNorm: optional('attn_k_norm.weight'),
    attentionOutput: matrix(file, `${prefix}.attn_output.weight`),
    attentionPostNorm: optional('post_attention_norm.weight'),
    feedForwardPostNorm: optional('post_ffw_norm.weight'),
    feedForwardNorm: vector(file, `${prefix}.ffn_norm.weight`),
    gate: halves[0]!,
    up: halves[1]!,
    down: matrix(file, `${prefix}.ffn_down.weight`),
  };
}

/** A matrix cut into parts of so many rows. */
function split({ columns, values }: Matrix, rows: readonly number[]): Matrix[] {
  let start = 0;
  return rows.map((count) => {
    const end = start + count * columns;
    const part = { rows: count, columns, values: values.slice(start, end) };
    start = end;
    return part;
  });
}

function vector(file: ReadGguf, name: string): Float64Array {
  return tensor(file, name).values;
}

function matrix(file: ReadGguf, name: string): Matrix {
  const { shape, values } = tensor(file, name);
  // GGUF counts neighbours first, so its first length is the number of columns.
  return { columns: shape[0]!, rows: shape[1]!, values };
}

function tensor(file: ReadGguf, name: string) {
  const found = file.tensors.get(name);
  if (found === undefined) throw new Error(`the file has no tensor ${name}`);
  return found;
}

/** @param fallback what holds where the file says nothing; without it, it must. */
function number(file: ReadGguf, key: string, fallback?: number): number {
  const value = file.metadata.get(key) ?? fallback;
  if (typeof value !== 'number') throw wrongValue(key, value, 'a number');
  return value;
}

function text(file: ReadGguf, key: string): string {
  const value = file.metadata.get(key);
  if (typeof value !== 'string') throw wrongValue(key, value, 'a text');
  return value;
}

function wrongValue(key: string, value: ReadValue | undefined, wanted: string): Error {
  return new Error(
    `${key} is ${value === undefined ? 'missing' : JSON.stringify(value)}: the file must have ${wanted} there`,
  );
}
