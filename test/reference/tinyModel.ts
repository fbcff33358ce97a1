import { type MetadataValue, type WritableTensor, writeGguf } from './ggufWriter.ts';
import { gaussians } from './random.ts';
import { tinyTokenIds, tinyVocabulary } from './tinyVocabulary.ts';
import type { TwinArchitecture } from './twinModel.ts';

export interface TinyModelOptions {
  /**
   * llama: neighbouring pairs are rotated. qwen2: halves are, and Q, K and V have biases. qwen3: halves, and Q and K are
   * normed. smollm3: neighbours, and every fourth layer has no RoPE. phi3: halves, and Q, K and V are one matrix, as are
   * gate and up. granite: neighbours, and `scales`. gemma3: halves, Q, K and what each part adds are normed, and `window`.
   */
  readonly architecture: TwinArchitecture;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Even. For qwen2 and phi3, heads * headDim is the embedding's length. */
  readonly headDim: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly contextLength: number;
  readonly ropeBase?: number;
  /** Dimensions of a head that are rotated; all when absent (phi3 only). */
  readonly ropeDims?: number;
  /** Writes Llama 3's frequency factors as rope_freqs.weight (llama only). */
  readonly ropeFactors?: boolean;
  /** Two lists of frequency factors, of which the longer context gets the second (phi3 only). */
  readonly longRope?: { readonly originalContext: number; readonly attentionFactor: number };
  /** Slows all rotations by this factor. */
  readonly ropeLinear?: number;
  readonly yarn?: {
    readonly factor: number;
    readonly originalContext: number;
    readonly attentionFactor?: number;
  };
  /** Factors on embeddings, on what each part adds, on the attention's scores, and the divisor of the logits (granite only). */
  readonly scales?: {
    readonly embedding: number;
    readonly residual: number;
    readonly attention: number;
    readonly logits: number;
  };
  /** Tokens that all but every `period`-th layer see, itself included, and the base of their RoPE (gemma3 only). */
  readonly window?: { readonly tokens: number; readonly period: number; readonly ropeBase: number };
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

const ownOptions = [
  ['ropeDims', 'phi3'],
  ['longRope', 'phi3'],
  ['scales', 'granite'],
  ['window', 'gemma3'],
] as const;

function refuseImpossible(options: TinyModelOptions): void {
  const { architecture, heads, kvHeads, headDim, embedding } = options;
  if (headDim % 2 !== 0) throw new Error(`headDim ${headDim} is odd: rotation needs pairs`);
  if (heads % kvHeads !== 0)
    throw new Error(`${heads} heads cannot share ${kvHeads} KV heads: choose a multiple`);
  if (['qwen2', 'phi3'].includes(architecture) && heads * headDim !== embedding)
    throw new Error(
      `${architecture} needs an embedding of heads * headDim = ${heads * headDim}, not ${embedding}`,
    );
  if (architecture !== 'llama' && options.ropeFactors === true)
    throw new Error(`${architecture} has no rope_freqs.weight: use the llama architecture`);
  for (const [option, owner] of ownOptions) {
    if (options[option] !== undefined && architecture !== owner)
      throw new Error(`${architecture} has no ${option}: use the ${owner} architecture`);
  }
}

function architectureMetadata(options: TinyModelOptions, vocabularySize: number): [string, MetadataValue][] {
  const { architecture: name, yarn, longRope, ropeLinear, scales, window } = options;
  const counts: [string, number | undefined][] = [
    ['vocab_size', vocabularySize],
    ['context_length', options.contextLength],
    ['embedding_length', options.embedding],
    ['block_count', options.layers],
    ['feed_forward_length', options.feedForward],
    ['attention.head_count', options.heads],
    ['attention.head_count_kv', options.kvHeads],
    ['attention.key_length', options.headDim],
    ['attention.value_length', options.headDim],
    ['attention.sliding_window', window?.tokens],
    ['attention.sliding_window_pattern', window?.period],
    ['rope.dimension_count', options.ropeDims ?? options.headDim],
    ['rope.scaling.original_context_length', yarn?.originalContext ?? longRope?.originalContext],
  ];
  const factors: [string, number | undefined][] = [
    ['attention.layer_norm_rms_epsilon', normEpsilon],
    ['rope.freq_base', options.ropeBase ?? defaultRopeBase],
    ['rope.freq_base_swa', window?.ropeBase],
    ['rope.scaling.factor', yarn?.factor ?? ropeLinear],
    ['rope.scaling.attn_factor', yarn?.attentionFactor ?? longRope?.attentionFactor],
    ['embedding_scale', scales?.embedding],
    ['residual_scale', scales?.residual],
    ['attention.scale', scales?.attention],
    ['logit_scale', scales?.logits],
  ];
  const scaling = yarn ? 'yarn' : longRope ? 'longrope' : ropeLinear === undefined ? undefined : 'linear';
  const entries: [string, MetadataValue][] = [
    ['general.architecture', { type: 'string', value: name }],
    ['general.name', { type: 'string', value: 'Tiny random model' }],
  ];
  if (scaling !== undefined) entries.push([`${name}.rope.scaling.type`, { type: 'string', value: scaling }]);
  for (const [key, value] of counts)
    if (value !== undefined) entries.push([`${name}.${key}`, { type: 'uint32', value }]);
  for (const [key, value] of factors)
    if (value !== undefined) entries.push([`${name}.${key}`, { type: 'float32', value }]);
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

  // Where the model scales its embeddings itself, they are written small.
  const embeddingGain =
    architecture === 'gemma3' ? 1 : Math.sqrt(embedding) / (options.scales?.embedding ?? 1);
  const all = [
    matrix('token_embd.weight', embedding, vocabularySize, embeddingGain),
    vector('output_norm.weight', embedding, 1),
  ];
  if (options.tiedEmbeddings !== true) all.push(matrix('output.weight', embedding, vocabularySize));
  if (options.ropeFactors === true) all.push(ropeFactors(options));
  if (options.longRope !== undefined) all.push(...longRopeFactors(options));
  for (let layer = 0; layer < options.layers; layer++) {
    const name = (suffix: string) => `blk.${layer}.${suffix}`;
    // Larger queries and keys make attention prefer some tokens clearly, as in a trained model.
    if (architecture === 'phi3')
      all.push(
        matrix(name('attn_qkv.weight'), embedding, queryWidth + 2 * kvWidth, 1.25),
        matrix(name('ffn_up.weight'), embedding, 2 * feedForward),
      );
    else
      all.push(
        matrix(name('attn_q.weight'), embedding, queryWidth, 1.5),
        matrix(name('attn_k.weight'), embedding, kvWidth, 1.5),
        matrix(name('attn_v.weight'), embedding, kvWidth),
        matrix(name('ffn_gate.weight'), embedding, feedForward),
        matrix(name('ffn_up.weight'), embedding, feedForward),
      );
    all.push(
      vector(name('attn_norm.weight'), embedding, 1),
      matrix(name('attn_output.weight'), queryWidth, embedding),
      vector(name('ffn_norm.weight'), embedding, 1),
      matrix(name('ffn_down.weight'), feedForward, embedding),
    );
    if (architecture === 'qwen2')
      all.push(
        vector(name('attn_q.bias'), queryWidth, 0),
        vector(name('attn_k.bias'), kvWidth, 0),
        vector(name('attn_v.bias'), kvWidth, 0),
      );
    if (architecture === 'qwen3' || architecture === 'gemma3')
      all.push(
        vector(name('attn_q_norm.weight'), headDim, 1.5),
        vector(name('attn_k_norm.weight'), headDim, 1.5),
      );
    if (architecture === 'gemma3')
      all.push(
        vector(name('post_attention_norm.weight'), embedding, 1),
        vector(name('post_ffw_norm.weight'), embedding, 1),
      );
  }
  return all;
}

/** For a short and a long context: from 1 on, and rising to 4. */
function longRopeFactors({ headDim, ropeDims = headDim }: TinyModelOptions): WritableTensor[] {
  const pairs = ropeDims / 2;
  return [1, 4].map((last) => ({
    name: `rope_factors_${last === 1 ? 'short' : 'long'}.weight`,
    shape: [pairs],
    type: 'f32',
    values: Float32Array.from({ length: pairs }, (_, pair) => 1 + ((last - 1 + 0.1) * pair) / pairs),
  }));
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
