/** The largest settings that what is free now has room for. */
import { errors, type AskError } from '../errors.ts';
import { thisMachine } from '../protocol/engine.ts';
import {
  estimateMemory,
  processBytes,
  type MemoryEstimate,
  type MemorySettings,
  type ModelSize,
} from './memoryEstimate.ts';

/** Bytes of a GPU that are left to its driver and to what its kernels take for themselves. */
const gpuReserveBytes = 128 * 2 ** 20;
/** Shorter chunks than this read a question more often than the document. */
const leastChunkTokens = 128;

export interface FreeMemory {
  readonly mainBytes: number;
  /** In the order in which layers are given to them. */
  readonly gpus: readonly FreeGpu[];
}
export interface FreeGpu {
  readonly name: string;
  readonly freeBytes: number;
  /** Its memory is main memory, as that of an integrated GPU. */
  readonly isShared: boolean;
}

export interface FittedMemory {
  readonly settings: MemorySettings;
  readonly estimate: MemoryEstimate;
  /** What the settings that were wanted would have needed, where; null when these are the ones. */
  readonly lacked: LackedMemory | null;
}
export interface LackedMemory {
  readonly neededBytes: number;
  readonly freeBytes: number;
  /** "this machine", or the GPU's name. */
  readonly where: string;
}

/**
 * Steps down from the settings that are wanted until they fit: a shorter chunk, fewer layers on the GPUs, none, and on
 * the CPU a shorter chunk again.
 * @param wanted its `gpuShares` are set here, by what is free
 * @returns errors.notEnoughMemory with the number of the least that would do
 */
export function fitToMemory(
  model: ModelSize,
  wanted: MemorySettings,
  free: FreeMemory,
): FittedMemory | AskError {
  const gpuShares = free.gpus.map(({ freeBytes }) => freeBytes);
  let first: LackedMemory | null = null;
  let last: LackedMemory | null = null;
  for (const step of steps(wanted, model.shape.layers, free.gpus.length > 0)) {
    const settings = { ...step, ...(gpuShares.length > 0 ? { gpuShares } : {}) };
    const estimate = estimateMemory(model, settings);
    const lacked = lackedMemory(estimate, free, processBytes);
    if (lacked === null) return { settings, estimate, lacked: first };
    first ??= lacked;
    last = lacked;
  }
  if (last === null) throw errors.internal('no settings to choose from', undefined);
  return errors.notEnoughMemory(last.neededBytes, last.freeBytes, last.where);
}

function* steps(wanted: MemorySettings, layers: number, hasGpu: boolean): Generator<MemorySettings> {
  const offloaded = hasGpu ? Math.min(wanted.offloadedLayers ?? 0, layers + 1) : 0;
  if (offloaded > 0) {
    for (const chunkTokens of shorterChunks(wanted))
      yield withChunk({ ...wanted, offloadedLayers: offloaded }, chunkTokens);
    for (let fewer = offloaded - 1; fewer > 0; fewer--) yield { ...wanted, offloadedLayers: fewer };
  }
  for (const chunkTokens of shorterChunks(wanted))
    yield withChunk({ ...wanted, offloadedLayers: 0 }, chunkTokens);
}

function shorterChunks({ chunkTokens }: MemorySettings): number[] {
  const lengths = [chunkTokens];
  for (let half = chunkTokens / 2; half >= leastChunkTokens; half /= 2) lengths.push(Math.floor(half));
  return lengths;
}

function withChunk(settings: MemorySettings, chunkTokens: number): MemorySettings {
  return {
    ...settings,
    chunkTokens,
    contextSize: settings.contextSize - (settings.chunkTokens - chunkTokens),
    batchTokens: Math.min(settings.batchTokens, chunkTokens),
  };
}

/** The first memory that does not suffice; null when all do. */
export function lackedMemory(
  estimate: MemoryEstimate,
  free: FreeMemory,
  aroundBytes = 0,
): LackedMemory | null {
  const inMain = free.gpus.map(({ isShared }, gpu) => (isShared ? estimate.gpus[gpu]!.totalBytes : 0));
  const needs = [
    ...free.gpus.map(({ name, freeBytes }, gpu) => {
      const { totalBytes } = estimate.gpus[gpu]!;
      return { where: name, freeBytes, neededBytes: totalBytes === 0 ? 0 : totalBytes + gpuReserveBytes };
    }),
    {
      where: thisMachine,
      freeBytes: free.mainBytes,
      neededBytes: inMain.reduce((sum, bytes) => sum + bytes, estimate.main.totalBytes + aroundBytes),
    },
  ];
  return needs.find(({ neededBytes, freeBytes }) => neededBytes > freeBytes) ?? null;
}
