/** A model file in the memory, on the devices that work, with the settings that what is free has room for. */
import { basename } from 'node:path';
import { AskError, errors } from '../errors.ts';
import { nameOfFile } from '../models/catalogue.ts';
import { evidenceHeadsOf } from '../models/evidenceHeads.ts';
import { fitToMemory, type FittedMemory } from '../models/fitToMemory.ts';
import { freeMemoryBytes } from '../models/freeMemory.ts';
import { readGgufHeader, type GgufHeader } from '../models/ggufFile.ts';
import { layerPlaces, modelSize, type ModelSize } from '../models/memoryEstimate.ts';
import { checkKvCacheType, checkServable } from '../models/servable.ts';
import type { DevicePlacement, EngineNotice, LoadParams, LoadResult } from '../protocol/engine.ts';
import type { TestedDevices } from './devices.ts';
import { loadLibrary, type Device, type LlamaLibrary } from './llama/library.ts';
import { KeepCheckFailed, LoadedEngine } from './loadedEngine.ts';
import { processorWeights } from './processorWeights.ts';
import { freeMemory } from './memoryOf.ts';

/** What a first question needs, tokens: the memory is judged by it before the weights are loaded. */
const firstQuestion = {
  contextSize: 2560,
  chunkTokens: 512,
  tokenBudget: 1024,
  batchTokens: 512,
  questionTokens: 64,
} as const;

export interface LoadedModel {
  readonly engine: LoadedEngine;
  readonly result: LoadResult;
}

/**
 * A GPU on which the compression fails is left out, and the model loaded once more without it. Without a GPU a copy of the
 * weights may be loaded in the file's place (`processorWeights`).
 * @throws errors.modelNotFound, errors.modelCorrupt, errors.modelNotServed, errors.kvCacheNotServed,
 *   errors.notEnoughMemory, errors.libraryNotLoaded, errors.deviceNotFound
 */
export async function loadFitting(
  params: LoadParams,
  devices: TestedDevices,
  log: (line: string) => void,
): Promise<LoadedModel> {
  const begin = performance.now();
  const file = readGgufHeader(params.modelPath);
  checkServable(file);
  checkKvCacheType(file, params.kvCacheType ?? 'f16');
  // Without a GPU it is known before the library is loaded whether the model fits.
  if (params.device === 'cpu') fitted(modelSize(file), params, []);
  const library = loadLibrary(params.device);
  for (;;) {
    const gpus = params.device === 'cpu' ? [] : devices.gpus(library);
    requireGpu(params, gpus, devices);
    const mayCopy = gpus.length === 0 && params.isOwnFile === true;
    const header = mayCopy ? await processorWeights(file, library, log) : file;
    const size = modelSize(header);
    const fit = fitted(size, params, gpus, library);
    try {
      const engine = loadWith(params, header, size, gpus, fit);
      return {
        engine,
        result: { ...resultOf(params, header, engine, fit, devices), loadSeconds: secondsSince(begin) },
      };
    } catch (error) {
      if (!(error instanceof KeepCheckFailed)) throw error;
      if (error.gpus.length === 0) throw errors.internal(error.message, error);
      for (const gpu of error.gpus) devices.leaveOut(gpu, error.message);
    }
  }
}

function fitted(
  size: ModelSize,
  { gpuLayers, kvCacheType }: LoadParams,
  gpus: readonly Device[],
  library?: LlamaLibrary,
): FittedMemory {
  const wanted = {
    ...firstQuestion,
    contextSize: Math.min(firstQuestion.contextSize, size.shape.contextWindow),
    offloadedLayers: gpus.length === 0 ? 0 : (gpuLayers ?? size.shape.layers + 1),
    ...(kvCacheType === undefined ? {} : { kvCacheType }),
  };
  const free = library === undefined ? { mainBytes: freeMemoryBytes(), gpus: [] } : freeMemory(library, gpus);
  const fit = fitToMemory(size, wanted, free);
  if (fit instanceof AskError) throw fit;
  return fit;
}

/** Who names a kind of GPU is told when none of it works, instead of being given the CPU. */
function requireGpu({ device }: LoadParams, gpus: readonly Device[], devices: TestedDevices): void {
  if (device === 'auto' || device === 'cpu' || gpus.length > 0) return;
  const [notice] = devices.leftOut();
  if (notice?.kind === 'deviceLeftOut') throw errors.deviceFailed(notice.device, notice.why);
}

function loadWith(
  params: LoadParams,
  header: GgufHeader,
  size: ModelSize,
  gpus: readonly Device[],
  { settings }: FittedMemory,
): LoadedEngine {
  const heads = evidenceHeadsOf(textOf(header, 'general.basename'), textOf(header, 'general.size_label'));
  return new LoadedEngine(
    header.path,
    {
      device: params.device,
      kvCacheType: params.kvCacheType,
      gpuLayers: settings.offloadedLayers,
      gpus,
      gpuShares: settings.gpuShares,
      memory: { size, settings },
    },
    heads?.map(([layer, head]) => ({ layer, head })) ?? null,
  );
}

function resultOf(
  params: LoadParams,
  header: GgufHeader,
  engine: LoadedEngine,
  { settings, estimate, lacked }: FittedMemory,
  devices: TestedDevices,
): Omit<LoadResult, 'loadSeconds'> {
  const { layers } = engine.model;
  const { chunkTokens } = settings;
  const { offloadedLayers } = engine;
  return {
    modelName: nameOfFile(params.modelPath) ?? textOf(header, 'general.name') ?? basename(params.modelPath),
    architecture: textOf(header, 'general.architecture') ?? '',
    deviceName: engine.deviceName,
    libraryVersion: engine.library.version,
    ...{ layers, offloadedLayers, chunkTokens },
    contextWindow: engine.model.contextWindow,
    prefillTokensPerSecond: engine.pace.tokensPerSecond,
    estimatedBytes: estimate.totalBytes,
    placement: placementOf(engine, { settings, estimate }),
    notices: [
      ...(params.device === 'auto' ? cudaLeftOut(engine) : []),
      ...devices.leftOut(),
      ...(lacked === null
        ? []
        : [{ kind: 'steppedDown', ...lacked, chunkTokens, offloadedLayers, layers } as const]),
    ],
  };
}

function cudaLeftOut({ library, deviceName }: LoadedEngine): EngineNotice[] {
  if (library.cudaProblem === null) return [];
  const { template, args } = library.cudaProblem;
  return [{ kind: 'cudaLeftOut', instead: deviceName, why: { template, args } }];
}

function placementOf(
  { model }: LoadedEngine,
  { settings, estimate }: Pick<FittedMemory, 'settings' | 'estimate'>,
): DevicePlacement[] {
  const places = layerPlaces(model.layers, settings).slice(0, model.layers);
  const on = (place: number): number => places.filter((one) => one === place).length;
  return [
    { device: 'CPU', layers: on(-1), estimatedBytes: estimate.main.totalBytes },
    ...model.gpus.map(({ name }, gpu) => ({
      device: name,
      layers: on(gpu),
      estimatedBytes: estimate.gpus[gpu]?.totalBytes ?? 0,
    })),
  ];
}

function textOf(header: GgufHeader, key: string): string | null {
  const value = header.metadata.get(key);
  return typeof value === 'string' ? value : null;
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1000;
}
