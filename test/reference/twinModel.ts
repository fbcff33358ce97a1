import { type ReadGguf, type ReadValue, readGguf } from './ggufReader.ts';
import { makeRotation, type Rotation } from './rotation.ts';

/** The weights and shapes of one model, in float64. */
export interface Twin {
  readonly architecture: 'llama' | 'qwen2' | 'qwen3';
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  readonly rotation: Rotation;
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
  /** Of qwen3, [headDim], the same for every head. */
  readonly queryNorm: Float64Array | undefined;
  readonly keyNorm: Float64Array | undefined;
  /** [embedding, heads * headDim] */
  readonly attentionOutput: Matrix;
  readonly feedForwardNorm: Float64Array;
  /** [feedForward, embedding] */
  readonly gate: Matrix;
  readonly up: Matrix;
  /** [embedding, feedForward] */
  readonly down: Matrix;
}

/** Reads a GGUF file with f32 or f16 weights. Throws where the twin does not define the model. */
export function loadTwin(path: string): Twin {
  const file = readGguf(path);
  const architecture = text(file, 'general.architecture');
  if (architecture !== 'llama' && architecture !== 'qwen2' && architecture !== 'qwen3')
    throw new Error(`${path} is of architecture ${architecture}: the twin knows llama, qwen2 and qwen3`);
  const heads = number(file, `${architecture}.attention.head_count`);
  const headDim = number(file, `${architecture}.attention.key_length`);
  const tokenEmbedding = matrix(file, 'token_embd.weight');
  return {
    architecture,
    heads,
    headDim,
    kvHeads: number(file, `${architecture}.attention.head_count_kv`),
    normEpsilon: number(file, `${architecture}.attention.layer_norm_rms_epsilon`),
    rotation: rotationOf(file, architecture, headDim),
    tokenEmbedding,
    layers: Array.from({ length: number(file, `${architecture}.block_count`) }, (_, layer) =>
      layerOf(file, `blk.${layer}`),
    ),
    outputNorm: vector(file, 'output_norm.weight'),
    output: file.tensors.has('output.weight') ? matrix(file, 'output.weight') : tokenEmbedding,
  };
}

function rotationOf(file: ReadGguf, architecture: Twin['architecture'], headDim: number): Rotation {
  const scaling = file.metadata.get(`${architecture}.rope.scaling.type`) ?? 'none';
  if (scaling !== 'none' && scaling !== 'yarn')
    throw new Error(`rope scaling ${JSON.stringify(scaling)} is not defined here: use none or yarn`);
  const factors = file.tensors.get('rope_freqs.weight')?.values;
  return makeRotation({
    pairing: architecture === 'llama' ? 'neighbours' : 'halves',
    headDim,
    base: number(file, `${architecture}.rope.freq_base`),
    ...(factors === undefined ? {} : { factors }),
    ...(scaling === 'none'
      ? {}
      : {
          yarn: {
            factor: number(file, `${architecture}.rope.scaling.factor`),
            originalContext: number(file, `${architecture}.rope.scaling.original_context_length`),
          },
        }),
  });
}

function layerOf(file: ReadGguf, prefix: string): TwinLayer {
  const optional = (name: string) => file.tensors.get(`${prefix}.${name}`)?.values;
  return {
    attentionNorm: vector(file, `${prefix}.attn_norm.weight`),
    query: matrix(file, `${prefix}.attn_q.weight`),
    key: matrix(file, `${prefix}.attn_k.weight`),
    value: matrix(file, `${prefix}.attn_v.weight`),
    queryBias: optional('attn_q.bias'),
    keyBias: optional('attn_k.bias'),
    valueBias: optional('attn_v.bias'),
    queryNorm: optional('attn_q_norm.weight'),
    keyNorm: optional('attn_k_norm.weight'),
    attentionOutput: matrix(file, `${prefix}.attn_output.weight`),
    feedForwardNorm: vector(file, `${prefix}.ffn_norm.weight`),
    gate: matrix(file, `${prefix}.ffn_gate.weight`),
    up: matrix(file, `${prefix}.ffn_up.weight`),
    down: matrix(file, `${prefix}.ffn_down.weight`),
  };
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

function number(file: ReadGguf, key: string): number {
  const value = file.metadata.get(key);
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
