/** What answering takes of main memory and of each GPU's, from sizes alone: before anything is loaded. */
import { errors } from '../errors.ts';
import type { KvCacheType } from '../protocol/engine.ts';
import type { GgufHeader } from './ggufFile.ts';
import { kvCacheBytes } from './kvCacheType.ts';
import { modelShape, type ModelShape } from './modelShape.ts';

const F32_BYTES = 4;
/** Of one token's attention to one row, f16. */
const MASK_BYTES = 2;
/** llama.cpp pads the window to a multiple of this. */
const WINDOW_PADDING_TOKENS = 256;
/** The largest part of a batch that goes through the model at once. */
const MICRO_BATCH_TOKENS = 512;
/** Tokens of the question that are scored at a time. */
const SCORED_TOKENS = 64;
/** Of a decode: the token that was chosen, and a draft behind it. */
const LOGIT_ROWS = 9;
/** Of one token's text, its places in the tokenizer's tables, and its merges; measured. */
const TOKEN_BYTES = 380;
/** By which JavaScript's own memory grows while the first chunks are read; measured. */
const scriptBytes = 8 * 2 ** 20;
/** What the engine process takes beside the model: Node, the libraries, the text being read. */
export const processBytes = 160 * 2 ** 20;

/** What memory follows from. */
export interface ModelSize {
  readonly shape: ModelShape;
  /** Bytes: the token embedding, each layer, and what comes after the last one. */
  readonly weights: { readonly input: number; readonly layers: readonly number[]; readonly output: number };
}

/** All in tokens but the last three. */
export interface MemorySettings {
  /** Rows of the KV cache. */
  readonly contextSize: number;
  readonly chunkTokens: number;
  readonly tokenBudget: number;
  readonly batchTokens: number;
  readonly questionTokens: number;
  /** Layers on GPUs, from the last one down; the output counts as one, as in llama.cpp. None when absent. */
  readonly offloadedLayers?: number;
  /** How the offloaded layers are shared among several GPUs, in their order; one GPU when absent. */
  readonly gpuShares?: readonly number[];
  /** f16 when absent. */
  readonly kvCacheType?: KvCacheType;
}

/** All in bytes. */
export interface MemoryPart {
  readonly weightBytes: number;
  /** The tables of the tokenizer, in main memory. */
  readonly vocabularyBytes: number;
  readonly kvCacheBytes: number;
  /** The copy of the keys as they were first written. */
  readonly keptKeyBytes: number;
  /** What llama.cpp's forward pass takes beside them. */
  readonly computeBytes: number;
  /** What the graphs that score and keep take. */
  readonly compressionBytes: number;
  /** All of them together. */
  readonly totalBytes: number;
}

/** The sums, and what of them lies where. */
export interface MemoryEstimate extends MemoryPart {
  readonly main: MemoryPart;
  /** One for each of `gpuShares`. */
  readonly gpus: readonly MemoryPart[];
}

/** Throws errors.modelCorrupt when the file does not state one of the sizes. */
export function modelSize(header: GgufHeader): ModelSize {
  const shape = modelShape(header);
  const layers = Array.from({ length: shape.layers }, () => 0);
  let input = 0;
  let output = 0;
  for (const { name, bytes } of header.tensors) {
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1]);
    if (layers[layer] !== undefined) layers[layer] += bytes;
    else if (name.startsWith('token_embd.')) input += bytes;
    else output += bytes;
  }
  return { shape, weights: { input, layers, output } };
}

/** The same for a file that is not here yet, of which the size of its weights is known. */
export function modelSizeOfShape(shape: ModelShape, weightBytes: number): ModelSize {
  const inputElements = shape.embeddingLength * shape.vocabulary;
  const input = (weightBytes * inputElements) / (inputElements + shape.layers * layerElements(shape));
  const layer = (weightBytes - input) / shape.layers;
  return { shape, weights: { input, layers: Array.from({ length: shape.layers }, () => layer), output: 0 } };
}

/** What answering with these settings takes, from the file's header alone. Throws errors.modelCorrupt. */
export function estimateMemory(model: GgufHeader | ModelSize, settings: MemorySettings): MemoryEstimate {
  const { shape, weights } = 'weights' in model ? model : modelSize(model);
  const places = layerPlaces(shape.layers, settings);
  const rows = Math.ceil(settings.contextSize / WINDOW_PADDING_TOKENS) * WINDOW_PADDING_TOKENS;
  const { kvCacheType = 'f16' } = settings;
  const keyRowBytes = kvCacheBytes(kvCacheType, shape.kvHeads * shape.keyLength);
  const valueRowBytes = kvCacheBytes(kvCacheType, shape.kvHeads * shape.valueLength);
  const offloads = places.some((place) => place !== MAIN);
  const keptRows = Math.min(rows, settings.tokenBudget + settings.chunkTokens);

  const partOf = (place: number): MemoryPart => {
    const layers = weights.layers.filter((_, layer) => places[layer] === place);
    const isMain = place === MAIN;
    const hasOutput = places[shape.layers] === place;
    // The file's token embedding is the output matrix too where there is no other; it is then copied to the GPU.
    const outputBytes = weights.output + (isMain || hasOutputMatrix(weights, shape) ? 0 : weights.input);
    const weightBytes =
      layers.reduce((sum, bytes) => sum + bytes, 0) +
      (isMain ? weights.input : 0) +
      (hasOutput ? outputBytes : 0);
    const kvCacheBytes = layers.length * rows * (keyRowBytes + valueRowBytes);
    const keptKeyBytes = layers.length * keptRows * keyRowBytes;
    const works = layers.length > 0 || hasOutput;
    // A long batch goes through the layers of main memory on the GPU too, which borrows what it needs of them.
    const borrows = !isMain && works && places.includes(MAIN);
    const computeBytes =
      isMain && offloads
        ? handedBytes(shape, rows, settings)
        : works
          ? forwardBytes(shape, rows, settings) +
            (borrows ? rows * (keyRowBytes + valueRowBytes) + largestMatrixBytes(shape, weights) : 0)
          : 0;
    return withTotal({
      ...{ weightBytes, kvCacheBytes, keptKeyBytes, computeBytes },
      vocabularyBytes: isMain ? shape.vocabulary * TOKEN_BYTES : 0,
      compressionBytes:
        (layers.length > 0 ? compressionBytes(shape, settings, layers.length) : 0) +
        (isMain ? scriptBytes : 0),
    });
  };

  const main = partOf(MAIN);
  const gpus = (settings.gpuShares ?? [1]).map((_, gpu) => partOf(gpu));
  return { ...[main, ...gpus].reduce(sumOf), main, gpus };
}

/** What an estimate leaves when the model is in the memory already. */
export function withoutModel(estimate: MemoryEstimate): MemoryEstimate {
  const rest = (part: MemoryPart): MemoryPart => withTotal({ ...part, weightBytes: 0, vocabularyBytes: 0 });
  return { ...rest(estimate), main: rest(estimate.main), gpus: estimate.gpus.map(rest) };
}

/**
 * Throws errors.notEnoughMemory when the estimate and the process around it do not fit `freeBytes`.
 * `where` names the memory: "this machine", "Vulkan0".
 */
export function checkMemory(estimate: MemoryPart, freeBytes: number, where: string): void {
  const neededBytes = estimate.totalBytes + processBytes;
  if (neededBytes > freeBytes) throw errors.notEnoughMemory(neededBytes, freeBytes, where);
}

const MAIN = -1;

/** Where llama.cpp puts each layer, and the output after them: `MAIN`, or the index of a GPU. */
export function layerPlaces(
  layers: number,
  { offloadedLayers = 0, gpuShares = [1] }: Pick<MemorySettings, 'offloadedLayers' | 'gpuShares'>,
): number[] {
  const offloaded = Math.min(offloadedLayers, layers + 1);
  const total = gpuShares.reduce((sum, share) => sum + share, 0);
  return Array.from({ length: layers + 1 }, (_, layer) => {
    const index = layer - (layers + 1 - offloaded);
    if (index < 0) return MAIN;
    let reached = 0;
    return gpuShares.findIndex((share) => index / offloaded < (reached += share) / total);
  });
}

/** Beside a whole output matrix the norm before it is nothing. */
function hasOutputMatrix({ output }: ModelSize['weights'], shape: ModelShape): boolean {
  return output > 2 * F32_BYTES * shape.embeddingLength;
}

function withTotal(part: Omit<MemoryPart, 'totalBytes'>): MemoryPart {
  const { weightBytes, vocabularyBytes, kvCacheBytes, keptKeyBytes, computeBytes, compressionBytes } = part;
  const stored = weightBytes + vocabularyBytes + kvCacheBytes + keptKeyBytes;
  return { ...part, totalBytes: stored + computeBytes + compressionBytes };
}

function sumOf(a: MemoryPart, b: MemoryPart): MemoryPart {
  return withTotal({
    weightBytes: a.weightBytes + b.weightBytes,
    vocabularyBytes: a.vocabularyBytes + b.vocabularyBytes,
    kvCacheBytes: a.kvCacheBytes + b.kvCacheBytes,
    keptKeyBytes: a.keptKeyBytes + b.keptKeyBytes,
    computeBytes: a.computeBytes + b.computeBytes,
    compressionBytes: a.compressionBytes + b.compressionBytes,
  });
}

/**
 * llama.cpp plans its compute buffer for a whole micro batch. Its allocator reuses memory between layers, so the
 * larger half of one layer counts: attention (Q twice, K, V and the residual stream) or the gated feed-forward part
 * (its two halves, their product and the stream's copies); beside it the attention mask (f16). The logits of the
 * tokens that ask for them are kept apart.
 */
function forwardBytes(shape: ModelShape, rows: number, settings: MemorySettings): number {
  const { embeddingLength, queryHeads, kvHeads, keyLength, valueLength, feedForwardLength } = shape;
  const attention = 2 * queryHeads * keyLength + kvHeads * (keyLength + valueLength) + 2 * embeddingLength;
  const activations = Math.max(attention, 3 * feedForwardLength + 4 * embeddingLength);
  const perToken = F32_BYTES * activations + MASK_BYTES * rows;
  return microBatch(settings) * perToken + LOGIT_ROWS * F32_BYTES * shape.vocabulary;
}

/** What main memory hands to the GPUs and takes from them: embeddings, queries and the mask. */
function handedBytes(shape: ModelShape, rows: number, settings: MemorySettings): number {
  return microBatch(settings) * (F32_BYTES * 2 * shape.embeddingLength + MASK_BYTES * rows);
}

/** Of a layer, by the share of one matrix of the feed-forward part. */
function largestMatrixBytes(shape: ModelShape, { layers }: ModelSize['weights']): number {
  const matrix = shape.embeddingLength * shape.feedForwardLength;
  return (Math.max(...layers) * matrix) / layerElements(shape);
}

function layerElements(shape: ModelShape): number {
  const { embeddingLength, queryHeads, kvHeads, keyLength, valueLength, feedForwardLength } = shape;
  const attention = 2 * queryHeads * keyLength + kvHeads * (keyLength + valueLength);
  return embeddingLength * (attention + 3 * feedForwardLength);
}

function microBatch({ batchTokens, contextSize }: MemorySettings): number {
  return Math.min(batchTokens, MICRO_BATCH_TOKENS, contextSize);
}

/**
 * The graphs of the compression: the question's queries of all layers, then for one layer at a time its scores before
 * and after they are turned, and the kept rows while they are gathered (f32) and rotated.
 */
function compressionBytes(shape: ModelShape, settings: MemorySettings, layers: number): number {
  const { tokenBudget, chunkTokens } = settings;
  const questionTokens = Math.min(settings.questionTokens, SCORED_TOKENS);
  const scoredRows = tokenBudget + chunkTokens + questionTokens;
  const queries = layers * questionTokens * shape.queryHeads * shape.keyLength;
  const turned = questionTokens * scoredRows * shape.queryHeads;
  // Quantised keys are scored as f32.
  const keys = settings.kvCacheType === 'q8_0' ? scoredRows * shape.kvHeads * shape.keyLength : 0;
  const scores = turned + Math.max(turned, keys);
  const gathered = tokenBudget * shape.kvHeads * (2 * shape.keyLength + shape.valueLength);
  return F32_BYTES * (queries + scores + gathered);
}
