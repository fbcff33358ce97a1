/** What the engine process does behind its wire. */
import { basename } from 'node:path';
import { nameOfFile } from '../models/catalogue.ts';
import { checkServable } from '../models/servable.ts';
import { evidenceHeadsOf } from '../models/evidenceHeads.ts';
import { readGgufHeader } from '../models/ggufFile.ts';
import { freeMemoryBytes } from '../models/freeMemory.ts';
import { checkMemory, estimateMemory } from '../models/memoryEstimate.ts';
import { errors } from '../errors.ts';
import type { LoadParams, LoadResult, StateFolder } from '../protocol/engine.ts';
import { answer, findReading } from './answer.ts';
import { createReadingStores, type ReadingStore } from './kvState/readingStore.ts';
import { LoadedEngine } from './loadedEngine.ts';
import type { EngineHandlers } from './server.ts';

/** What a first question needs, tokens: the memory is judged by it before the weights are loaded. */
const firstQuestion = {
  contextSize: 2560,
  chunkTokens: 512,
  tokenBudget: 1024,
  batchTokens: 512,
  questionTokens: 64,
} as const;

export function createEngineHandlers(): EngineHandlers {
  let engine: LoadedEngine | null = null;
  const stores = createReadingStores((line) => console.error(line));
  const storeOf = (folder: StateFolder | undefined): ReadingStore | null =>
    folder === undefined ? null : stores.open(folder);
  let loaded: { readonly params: LoadParams; readonly result: LoadResult } | null = null;

  return {
    load(params) {
      if (loaded !== null && sameModel(loaded.params, params)) return Promise.resolve(loaded.result);
      engine?.dispose();
      engine = null;
      loaded = null;
      const begin = performance.now();
      const header = readGgufHeader(params.modelPath);
      checkServable(header);
      const estimate = estimateMemory(header, firstQuestion);
      checkMemory(estimate, freeMemoryBytes(), 'this machine');
      const text = (key: string): string | null => {
        const value = header.metadata.get(key);
        return typeof value === 'string' ? value : null;
      };
      const heads = evidenceHeadsOf(text('general.basename'), text('general.size_label'));
      engine = new LoadedEngine(
        params.modelPath,
        { device: params.device, gpuLayers: params.gpuLayers },
        heads?.map(([layer, head]) => ({ layer, head })) ?? null,
      );
      const result: LoadResult = {
        modelName: nameOfFile(params.modelPath) ?? text('general.name') ?? basename(params.modelPath),
        architecture: text('general.architecture') ?? '',
        deviceName: engine.deviceName,
        libraryVersion: engine.library.version,
        layers: engine.model.layers,
        offloadedLayers: engine.offloadedLayers,
        contextWindow: engine.model.contextWindow,
        prefillTokensPerSecond: engine.pace.tokensPerSecond,
        loadSeconds: (performance.now() - begin) / 1000,
        estimatedBytes: estimate.totalBytes,
      };
      loaded = { params, result };
      return Promise.resolve(result);
    },
    countTokens({ texts }) {
      const { model } = requireLoaded(engine);
      return Promise.resolve({
        counts: texts.map((text) => model.tokenize(text, { special: false }).length),
      });
    },
    async findReading(params) {
      return { stored: await findReading(requireLoaded(engine), params, storeOf(params.states)) };
    },
    async findIndexed({ states, files }) {
      const { index } = requireLoaded(engine);
      const store = stores.open(states);
      return {
        served: index !== null,
        indexed: await Promise.all(files.map(async (file) => (await index?.has(store, file)) ?? false)),
      };
    },
    async index({ states, file, chunks }, signal) {
      const { index, pace } = requireLoaded(engine);
      if (index === null) throw errors.internal('the model has no index', undefined);
      return { tokens: await index.add(stores.open(states), file, chunks, { pace, signal }) };
    },
    async rank({ states, files, question }, signal) {
      const { index, pace } = requireLoaded(engine);
      const scores = await index?.scores(stores.open(states), files, question, { pace, signal });
      return { scores: scores ?? files.map(() => null) };
    },
    ask(params, stream) {
      return answer(requireLoaded(engine), params, stream, storeOf(params.states));
    },
    status() {
      return { loadedModel: loaded?.result.modelName ?? null };
    },
    async dispose() {
      engine?.dispose();
      engine = null;
      await stores.idle();
    },
  };
}

function requireLoaded(engine: LoadedEngine | null): LoadedEngine {
  if (engine === null) throw errors.engineNotStarted('no model is loaded');
  return engine;
}

function sameModel(a: LoadParams, b: LoadParams): boolean {
  return a.modelPath === b.modelPath && a.device === b.device && a.gpuLayers === b.gpuLayers;
}
