import { type MetadataValue, type WritableTensor, writeGguf } from './ggufWriter.ts';
import { gaussians } from './random.ts';
import { tinyTokenIds, tinyVocabulary } from './tinyVocabulary.ts';

export interface TinyModelOptions {
  /** llama: neighbouring pairs are rotated. qwen2: halves are, and Q, K and V have biases. qwen3: halves, and Q and K are normed. */
  readonly architecture: 'llama' | 'qwen2' | 'qwen3';
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Even. For qwen2, heads * headDim is the embedding's length. */
  readonly headDim: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly contextLength: number;
  readonly ropeBase?: number;
  /** Writes Llama 3's frequency factors as rope_freqs.weight (llama only). */
  readonly ropeFactors?: boolean;
  readonly yarn?: { readonly factor: number; readonly originalContext: number };
  /** The output matrix is the token embedding. */
  readonly tiedEmbeddings?: boolean;
  /** Type of the matrices; norms, biases and frequency factors are always f32. */
  readonly weightType: 'f32' | 'f16';
  readonly seed: number;
  /** Tokens; by default as many as the vocabulary needs. */
  readonly vocabularySize?: number;
}

/**
 * Writes a random model that llama.cpp loads, always the same bytes for the same options.
 * Throws where the options do not fit the architecture.
 */
export function writeTinyModel(path: string, options: TinyModelOptions): void {
  refuseImpossible(options);
  const vocabulary = tinyVocabulary(options.vocabularySize);
  const metadata = new Map([
    ...architectureMetadata(options, vocabulary.pieces.length),
    ...tokenizerMetadata(vocabulary),
  ]);
  writeGguf(path, metadata, tensors(options, vocabulary.pieces.length));
}

const defaultRopeBase = 10_000;
const normEpsilon = 1e-5;
const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

function refuseImpossible(options: TinyModelOptions): void {
  const { architecture, heads, kvHeads, headDim, embedding } = options;
  if (headDim % 2 !== 0) throw new Error(`headDim ${headDim} is odd: rotation needs pairs`);
  if (heads % kvHeads !== 0)
    throw new Error(`${heads} heads cannot share ${kvHeads} KV heads: choose a multiple`);
  if (architecture === 'qwen2' && heads * headDim !== embedding)
    throw new Error(`qwen2 needs an embedding of heads * headDim = ${heads * headDim}, not ${embedding}`);
  if (architecture !== 'llama' && options.ropeFactors === true)
    throw new Error(`${architecture} has no rope_freqs.weight: use the llama architecture`);
}

function architectureMetadata(options: TinyModelOptions, vocabularySize: number): [string, MetadataValue][] {
  const { architecture: name, yarn } = options;
  const entries: [string, MetadataValue][] = [
    ['general.architecture', { type: 'string', value: name }],
    ['general.name', { type: 'string', value: `Tiny random ${name}` }],
    [`${name}.vocab_size`, { type: 'uint32', value: vocabularySize }],
    [`${name}.context_length`, { type: 'uint32', value: options.contextLength }],
    [`${name}.embedding_length`, { type: 'uint32', value: options.embedding }],
    [`${name}.block_count`, { type: 'uint32', value: options.layers }],
    [`${name}.feed_forward_length`, { type: 'uint32', value: options.feedForward }],
    [`${name}.attention.head_count`, { type: 'uint32', value: options.heads }],
    [`${name}.attention.head_count_kv`, { type: 'uint32', value: options.kvHeads }],
    [`${name}.attention.key_length`, { type: 'uint32', value: options.headDim }],
    [`${name}.attention.value_length`, { type: 'uint32', value: options.headDim }],
    [`${name}.attention.layer_norm_rms_epsilon`, { type: 'float32', value: normEpsilon }],
    [`${name}.rope.dimension_count`, { type: 'uint32', value: options.headDim }],
    [`${name}.rope.freq_base`, { type: 'float32', value: options.ropeBase ?? defaultRopeBase }],
  ];
  if (yarn !== undefined)
    entries.push(
      [`${name}.rope.scaling.type`, { type: 'string', value: 'yarn' }],
      [`${name}.rope.scaling.factor`, { type: 'float32', value: yarn.factor }],
      [`${name}.rope.scaling.original_context_length`, { type: 'uint32', value: yarn.originalContext }],
    );
  return entries;
}

function tokenizerMetadata(vocabulary: ReturnType<typeof tinyVocabulary>): [string, MetadataValue][] {
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.tokens', { type: 'strings', value: vocabulary.pieces }],
    ['tokenizer.ggml.scores', { type: 'float32s', value: vocabulary.scores }],
    ['tokenizer.ggml.token_type', { type: 'int32s', value: vocabulary.types }],
    ['tokenizer.ggml.unknown_token_id', { type: 'uint32', value: tinyTokenIds.unknown }],
    ['tokenizer.ggml.bos_token_id', { type: 'uint32', value: tinyTokenIds.begin }],
    ['tokenizer.ggml.eos_token_id', { type: 'uint32', value: tinyTokenIds.end }],
    ['tokenizer.ggml.eot_token_id', { type: 'uint32', value: tinyTokenIds.turnEnd }],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
    ['tokenizer.chat_template', { type: 'string', value: chatTemplate }],
  ];
}

function tensors(options: TinyModelOptions, vocabularySize: number): WritableTensor[] {
  const { architecture, embedding, feedForward, headDim, seed } = options;
  const queryWidth = options.heads * headDim;
  const kvWidth = options.kvHeads * headDim;
  // Rows whose products have about the size of what they multiply, so that no layer's output vanishes or explodes.
  const matrix = (name: string, columns: number, rows: number, gain = 1): WritableTensor => ({
    name,
    shape: [columns, rows],
    type: options.weightType,
    values: gaussians(columns * rows, seed, name).map((value) => (value * gain) / Math.sqrt(columns)),
  });
  const vector = (name: string, length: number, centre: number): WritableTensor => ({
    name,
    shape: [length],
    type: 'f32',
    values: gaussians(length, seed, name).map((value) => centre + 0.2 * value),
  });

  const all = [
    matrix('token_embd.weight', embedding, vocabularySize, Math.sqrt(embedding)),
    vector('output_norm.weight', embedding, 1),
  ];
  if (options.tiedEmbeddings !== true) all.push(matrix('output.weight', embedding, vocabularySize));
  if (options.ropeFactors === true) all.push(ropeFactors(options));
  for (let layer = 0; layer < options.layers; layer++) {
    const name = (suffix: string) => `blk.${layer}.${suffix}`;
    all.push(
      vector(name('attn_norm.weight'), embedding, 1),
      // Larger queries and keys make attention prefer some tokens clearly, as in a trained model.
      matrix(name('attn_q.weight'), embedding, queryWidth, 1.5),
      matrix(name('attn_k.weight'), embedding, kvWidth, 1.5),
      matrix(name('attn_v.weight'), embedding, kvWidth),
      matrix(name('attn_output.weight'), queryWidth, embedding),
      vector(name('ffn_norm.weight'), embedding, 1),
      matrix(name('ffn_gate.weight'), embedding, feedForward),
      matrix(name('ffn_up.weight'), embedding, feedForward),
      matrix(name('ffn_down.weight'), feedForward, embedding),
    );
    if (architecture === 'qwen2')
      all.push(
        vector(name('attn_q.bias'), queryWidth, 0),
        vector(name('attn_k.bias'), kvWidth, 0),
        vector(name('attn_v.bias'), kvWidth, 0),
      );
    if (architecture === 'qwen3')
      all.push(
        vector(name('attn_q_norm.weight'), headDim, 1.5),
        vector(name('attn_k_norm.weight'), headDim, 1.5),
      );
  }
  return all;
}

/**
 * Llama 3's factors, one per pair of dimensions: 1 for wavelengths well inside the original context, `scale` for those
 * well beyond it, a blend between. The original context is `contextLength / scale`, so they matter in a short text.
 */
function ropeFactors(options: TinyModelOptions): WritableTensor {
  const scale = 8;
  const lowFrequency = 1;
  const highFrequency = 4;
  const originalContext = options.contextLength / scale;
  const values = Float32Array.from({ length: options.headDim / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * (options.ropeBase ?? defaultRopeBase) ** ((2 * pair) / options.headDim);
    const turns = originalContext / wavelength;
    const blend = Math.min(1, Math.max(0, (turns - lowFrequency) / (highFrequency - lowFrequency)));
    return 1 / ((1 - blend) / scale + blend);
  });
  return { name: 'rope_freqs.weight', shape: [values.length], type: 'f32', values };
}
