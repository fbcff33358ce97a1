/** A tiny random model in the engine and in the float64 twin, side by side. */
import { join } from 'node:path';
import type { DocumentTokens } from '../extension/engine/documentTokens.ts';
import { LoadedEngine, type OpenedContext } from '../extension/engine/loadedEngine.ts';
import type { KeptCells } from '../extension/engine/llama/cacheOperations.ts';
import { readTensor } from '../extension/engine/llama/tensor.ts';
import type { Token } from '../extension/engine/numbers.ts';
import { paceOf, type Pace } from '../extension/engine/prefill.ts';
import type { DeviceName, KvCacheType } from '../extension/protocol/engine.ts';
import { fromHalfBits } from './reference/halfFloat.ts';
import { hadamard } from './reference/hadamard.ts';
import { fromQ8 } from './reference/q8.ts';
import { uniforms } from './reference/random.ts';
import { writeTinyModel, type TinyModelOptions } from './reference/tinyModel.ts';
import type { TwinKvCache } from './reference/twin.ts';
import { loadTwin, type Twin } from './reference/twinModel.ts';

/** Where the layers of the model lie. */
export interface Placement {
  readonly device: DeviceName;
  readonly gpuLayers?: number;
  /** f16 when absent. */
  readonly kvCacheType?: KvCacheType;
}

export interface TinyEngine extends OpenedContext {
  readonly engine: LoadedEngine;
  readonly twin: Twin;
}

/** The models that every suite runs on: name, and what differs from `tinyOptions`. */
export const tinyModels = {
  llama: {},
  'llama, frequency factors': { ropeFactors: true },
  'llama, YaRN': { ropeBase: 1e5, yarn: { factor: 8, originalContext: 256 } },
  'llama, long heads': { headDim: 192, embedding: 96 },
  qwen2: { architecture: 'qwen2', embedding: 256 },
  qwen3: { architecture: 'qwen3', tiedEmbeddings: true },
  'qwen2.5-coder, YaRN': {
    ...{ architecture: 'qwen2', heads: 6, kvHeads: 1, headDim: 32, embedding: 192, ropeBase: 1e6 },
    yarn: { factor: 4, originalContext: 256, attentionFactor: 0.8 },
  },
  mistral: { heads: 8, headDim: 32, embedding: 96, ropeBase: 1e6 },
  smollm2: { heads: 9, kvHeads: 3, headDim: 32, embedding: 96, tiedEmbeddings: true, ropeBase: 1e5 },
  smollm3: { architecture: 'smollm3', layers: 4, headDim: 32, ropeBase: 5e6, tiedEmbeddings: true },
  'phi3, partial rotary, long context': {
    ...{ architecture: 'phi3', heads: 6, headDim: 32, embedding: 192, ropeDims: 24, tiedEmbeddings: true },
    longRope: { originalContext: 512, attentionFactor: 1.19 },
  },
  granite: {
    ...{ architecture: 'granite', headDim: 32, ropeBase: 1e7, tiedEmbeddings: true },
    scales: { embedding: 12, residual: 0.22, attention: 0.25, logits: 8 },
  },
  gemma3: {
    ...{ architecture: 'gemma3', layers: 4, headDim: 32, tiedEmbeddings: true, ropeBase: 1e6, ropeLinear: 8 },
    window: { tokens: 40, period: 3, ropeBase: 1e4 },
  },
} as const satisfies Record<string, Partial<TinyModelOptions>>;

export type TinyModelName = keyof typeof tinyModels;

export const tinyOptions: TinyModelOptions = {
  architecture: 'llama',
  layers: 3,
  heads: 4,
  kvHeads: 2,
  headDim: 64,
  embedding: 64,
  feedForward: 96,
  contextLength: 2048,
  weightType: 'f16',
  seed: 7,
};

export const contextCells = 1024;

/** The caller disposes of `engine`. How fast the machine is decides nothing in it: batches round differently by length. */
export function openTinyEngine(
  folder: string,
  placement: Placement,
  changes: Partial<TinyModelOptions> = {},
): TinyEngine {
  const path = join(folder, 'model.gguf');
  writeTinyModel(path, { ...tinyOptions, ...changes });
  const engine = new LoadedEngine(path, placement, null);
  Object.assign(engine, { pace: steadyPace(), draftCosts: [] });
  return { engine, twin: loadTwin(path, contextCells), ...engine.open(contextCells, contextCells) };
}

/** Tokens of the tiny vocabulary, always the same for the same seed. */
export function randomTokens(count: number, seed: number): Token[] {
  const next = uniforms(seed);
  // Above the three special tokens and the bytes, below the vocabulary's end.
  return Array.from({ length: count }, () => (3 + Math.floor(next() * 390)) as Token);
}

/** Random tokens in lines of 3 to 20. */
export function randomDocument(length: number, seed: number): DocumentTokens {
  const next = uniforms(seed + 1000);
  const lineOf: number[] = [];
  const lines: { passage: number; sourceLine: number }[] = [];
  while (lineOf.length < length) {
    const line = lines.length;
    lines.push({ passage: 0, sourceLine: line + 1 });
    for (let left = 3 + Math.floor(next() * 18); left > 0 && lineOf.length < length; left--)
      lineOf.push(line);
  }
  return { tokens: randomTokens(length, seed), lineOf: Int32Array.from(lineOf), lines };
}

/** `count` of the cells 0..cells-1, ascending. */
export function randomCells(cells: number, count: number, seed: number): Int32Array {
  const next = uniforms(seed);
  const left = Array.from({ length: cells }, (_, cell) => cell);
  while (left.length > count) left.splice(Math.floor(next() * left.length), 1);
  return Int32Array.from(left);
}

/** A pace that no measurement changes, so that batches are the same in every run. */
export function steadyPace(tokensPerSecond = 100_000): Pace {
  return Object.defineProperties(paceOf(tokensPerSecond), {
    // What is measured is of no interest here.
    tokensPerSecond: { get: () => tokensPerSecond, set: () => undefined },
    batchTokens: { get: () => paceOf(tokensPerSecond).batchTokens, set: () => undefined },
  });
}

/** The cached keys of the first cells as the model made and rotated them, [layer][kvHead], each f64 (cells * headDim). */
export function readKeys({ context, engine }: TinyEngine, cells: number): Float64Array[][] {
  return context.layouts().map(({ kCache, cacheType, rowBytes, headDim, kvHeads, hadamard: side }) => {
    const raw = new Uint8Array(cells * rowBytes);
    engine.library.functions.ggml_backend_tensor_get(kCache, raw, 0, raw.byteLength);
    const stored =
      cacheType === 'q8_0' ? fromQ8(raw) : Float64Array.from(new Uint16Array(raw.buffer), fromHalfBits);
    const keys = side === null ? stored : hadamard(stored, side);
    return Array.from({ length: kvHeads }, (_, kvHead) =>
      Float64Array.from({ length: cells * headDim }, (_, i) => {
        const cell = Math.floor(i / headDim);
        return keys[(cell * kvHeads + kvHead) * headDim + (i % headDim)]!;
      }),
    );
  });
}

/** Whether each layer's KV cache lies on a GPU. */
export function layersOnGpu({ context, engine }: TinyEngine): boolean[] {
  const { functions, devices } = engine.library;
  return context.layouts().map(({ kCache }) => {
    const type = functions.ggml_backend_buffer_get_type(readTensor(kCache).buffer!);
    const device = functions.ggml_backend_buft_get_device(type);
    return devices.some((d) => d.isGpu && d.pointer === device);
  });
}

/** The lists of cells of every layer: `lists(layer)` is one for all its KV heads, or one per KV head. */
export function ofLayers(twin: Twin, lists: (layer: number) => Int32Array | Int32Array[]): KeptCells[] {
  return twin.layers.map((_, layer) => {
    const list = lists(layer);
    return list instanceof Int32Array ? { shared: list } : { perHead: list };
  });
}

/** L2 norm of the difference over that of what is expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** The largest relative error of the cached keys of any layer and KV head. */
export function keyError(tiny: TinyEngine, reference: TwinKvCache): number {
  const errors = readKeys(tiny, reference.positions.length).flatMap((heads, layer) =>
    heads.map((keys, kvHead) => {
      const expected = reference.cells[layer]![kvHead]!.flatMap(({ key }) => [...key]);
      return relativeError(keys, expected);
    }),
  );
  return Math.max(...errors);
}

/** The sum of the differences over that of what is expected, both positive. */
export function relativeL1(actual: Float32Array, expected: (cell: number) => number): number {
  let difference = 0;
  let size = 0;
  actual.forEach((value, cell) => {
    difference += Math.abs(value - expected(cell));
    size += expected(cell);
  });
  return difference / size;
}
