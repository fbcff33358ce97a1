/** What the engine process does behind its wire. */
import { join } from 'node:path';
import { errors } from '../errors.ts';
import { cacheFolder } from '../models/modelFolder.ts';
import { sameLoad, type LoadParams, type LoadResult, type StateFolder } from '../protocol/engine.ts';
import { answer, findReading } from './answer.ts';
import { createReadingStores, type ReadingStore } from './kvState/readingStore.ts';
import { createHeadFinder, type HeadFinder } from './heads/findHeads.ts';
import { createTestedDevices } from './devices.ts';
import { lookForCudaIn } from './llama/cudaLibrary.ts';
import { testDevice } from './llama/deviceTest.ts';
import { loadLibrary } from './llama/library.ts';
import { loadFitting } from './loadFitting.ts';
import type { LoadedEngine } from './loadedEngine.ts';
import type { EngineHandlers } from './server.ts';

export interface HandlerOptions {
  /** What a GPU has to pass to be used. */
  readonly test?: typeof testDevice;
  /** Where the heads are kept that were found of models without an entry. */
  readonly headsFolder?: string;
  /** Where CUDA's libraries are when no package brings them. */
  readonly cudaFolder?: string | undefined;
}

export function createEngineHandlers({
  test = testDevice,
  headsFolder = join(cacheFolder(), 'heads'),
  cudaFolder,
}: HandlerOptions = {}): EngineHandlers {
  if (cudaFolder !== undefined) lookForCudaIn(cudaFolder);
  const devices = createTestedDevices(test);
  const log = (line: string): void => console.error(line);
  let engine: LoadedEngine | null = null;
  let heads: HeadFinder | null = null;
  const stores = createReadingStores(log);
  const storeOf = (folder: StateFolder | undefined): ReadingStore | null =>
    folder === undefined ? null : stores.open(folder);
  let loaded: { readonly params: LoadParams; readonly result: LoadResult } | null = null;

  return {
    devices({ device }) {
      const library = loadLibrary(device);
      return Promise.resolve({ libraryVersion: library.version, devices: devices.report(library) });
    },
    async load(params) {
      if (loaded !== null && sameLoad(loaded.params, params)) return loaded.result;
      engine?.dispose();
      engine = null;
      loaded = null;
      const model = await loadFitting(params, devices, log);
      engine = model.engine;
      heads = createHeadFinder(engine, headsFolder, log);
      await heads.restore();
      loaded = { params, result: model.result };
      return model.result;
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
    async findHeads(_, signal) {
      requireLoaded(engine);
      await heads?.find(signal);
      return {};
    },
    async findIndexed({ states, files }) {
      const { index, knowsHeads } = requireLoaded(engine);
      const store = stores.open(states);
      return {
        served: index !== null,
        knowsHeads,
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
