/** Owns what an engine process holds: the model, one context, and the operations on its cache. */
import { errors } from '../errors.ts';
import type { AttentionHead } from './compression/options.ts';
import { ChunkIndex } from './chunkIndex/chunkIndex.ts';
import { rankingHeadsOf } from './chunkIndex/rankingHeads.ts';
import { measuredFocus, type ModelHeads } from './heads/chooseHeads.ts';
import type { HeldReading } from './kvState/readingState.ts';
import { engineBuild, type EngineIdentity } from './kvState/stateKey.ts';
import { maxDraftTokens, measureDraftCosts, type BatchCost } from './draft.ts';
import { keepsEverything } from './keepCheck.ts';
import { CacheOperations } from './llama/cacheOperations.ts';
import { loadLibrary, type Device, type LlamaLibrary } from './llama/library.ts';
import { LlamaContext, maxBatchTokens } from './llama/llamaContext.ts';
import { LlamaModel, type LlamaModelOptions } from './llama/llamaModel.ts';
import { freeMemory } from './memoryOf.ts';
import { lackedMemory } from '../models/fitToMemory.ts';
import {
  estimateMemory,
  withoutModel,
  type MemorySettings,
  type ModelSize,
} from '../models/memoryEstimate.ts';
import { modelFingerprint } from '../models/fingerprint.ts';
import type { Token } from './numbers.ts';
import { paceOf, type Pace } from './prefill.ts';
import { deviceProblems, type KvCacheType } from '../protocol/engine.ts';

export interface OpenedContext {
  readonly context: LlamaContext;
  readonly operations: CacheOperations;
}

export interface LoadOptions extends LlamaModelOptions {
  /** f16 when absent. */
  readonly kvCacheType?: KvCacheType | undefined;
  /** What the memory was judged by; when absent, it is not judged before a context is made. */
  readonly memory?: { readonly size: ModelSize; readonly settings: MemorySettings } | undefined;
}

/** The compression's operations do not do on these GPUs what they do elsewhere. */
export class KeepCheckFailed extends Error {
  constructor(readonly gpus: readonly Device[]) {
    super(deviceProblems.keeping);
  }
}

/** Tokens of the first decode that measures the speed. */
const warmUpTokens = 64;

export class LoadedEngine {
  /** Measured speed of reading, kept up to date by every batch. */
  readonly pace: Pace;
  /** Measured: by them it is decided how much of an answer is drafted. */
  readonly draftCosts: readonly BatchCost[];
  readonly library: LlamaLibrary;
  readonly model: LlamaModel;
  /** What the first cells of the open context hold; null when that is not a reading. */
  held: HeldReading | null = null;
  /** The longest chunk that the memory has room for, tokens. */
  chunkTokens: number;
  readonly kvCacheType: KvCacheType;
  readonly #memory: LoadOptions['memory'];
  #fingerprint: string | undefined;
  #heads: ModelHeads;
  #knowsHeads: boolean;
  #index: ChunkIndex | null | undefined;
  #opened: (OpenedContext & { readonly rows: number; readonly outputs: number }) | null = null;

  /**
   * Loads the model, verifies each layer's attention and measures the speed.
   * @throws errors.libraryNotLoaded, errors.deviceNotFound, errors.modelNotFound, errors.modelCorrupt, errors.modelNotServed,
   *   errors.memoryRanOut, KeepCheckFailed
   */
  constructor(
    modelPath: string,
    options: LoadOptions,
    /** The model's heads that find evidence, or null when they are not known. */
    evidenceHeads: readonly AttentionHead[] | null,
  ) {
    this.kvCacheType = options.kvCacheType ?? 'f16';
    this.#memory = options.memory;
    this.chunkTokens = options.memory?.settings.chunkTokens ?? maxBatchTokens;
    this.library = loadLibrary(options.device);
    this.model = LlamaModel.load(this.library, modelPath, options);
    const [name, size] = ['general.basename', 'general.size_label'].map((key) => this.model.metadata(key));
    const ranking = rankingHeadsOf(name ?? null, size ?? null);
    this.#heads = { evidence: evidenceHeads, ranking, focus: null };
    this.#knowsHeads = evidenceHeads !== null && ranking !== null;
    try {
      ({ pace: this.pace, draftCosts: this.draftCosts } = this.#measure());
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * The context and its operations, kept between questions and made anew only when a larger one is needed.
   * @param contextSize cells of the KV cache. @param rows most cells before the question is decoded.
   * @throws errors.notEnoughMemory with what is free now, errors.memoryRanOut when that was taken meanwhile
   */
  open(contextSize: number, rows: number, outputs = 1): OpenedContext {
    if (contextSize > this.model.contextWindow) {
      throw errors.internal(
        `a context of ${contextSize} tokens exceeds the window of ${this.model.contextWindow}`,
        undefined,
      );
    }
    const opened = this.#opened;
    if (
      opened !== null &&
      opened.context.contextSize >= contextSize &&
      opened.rows >= rows &&
      opened.outputs >= outputs
    ) {
      return opened;
    }
    this.#close();
    this.#checkRoom(contextSize, rows);
    const context = new LlamaContext(this.model, {
      ...{ contextSize, outputs, cacheType: this.kvCacheType },
      microBatchTokens: Math.min(maxBatchTokens, this.chunkTokens),
    });
    try {
      const operations = new CacheOperations(context, rows);
      this.#opened = { context, operations, rows, outputs };
      return this.#opened;
    } catch (error) {
      context.dispose();
      throw error;
    }
  }

  /** @throws errors.modelNotFound, errors.modelCorrupt when the file has gone or changed meanwhile */
  get fingerprint(): string {
    this.#fingerprint ??= modelFingerprint(this.model.path);
    return this.#fingerprint;
  }

  /** The model's heads that find evidence, or null when they are not known. */
  get evidenceHeads(): readonly AttentionHead[] | null {
    return this.#heads.evidence;
  }

  /** How far they swing (`ModelHeads.focus`), as a multiple of those that the limits in `answer.ts` were measured with. */
  get focusScale(): number {
    return (this.#heads.focus ?? measuredFocus) / measuredFocus;
  }

  /** False: whether the model has heads that find evidence and heads that rank was not found out yet. */
  get knowsHeads(): boolean {
    return this.#knowsHeads;
  }

  /** From now on these are the model's, as far as it has no entry. */
  useHeads(found: ModelHeads): void {
    const { evidence, ranking } = this.#heads;
    this.#heads = {
      evidence: evidence ?? found.evidence,
      ranking: ranking ?? found.ranking,
      focus: evidence === null ? found.focus : null,
    };
    this.#knowsHeads = true;
    this.#index?.dispose();
    this.#index = undefined;
  }

  /** The index of this model's own attention; null when its heads that rank are not known. */
  get index(): ChunkIndex | null {
    if (this.#index === undefined) {
      const { ranking } = this.#heads;
      this.#index = ranking && new ChunkIndex(this.model, ranking, this.identity);
    }
    return this.#index;
  }

  /** What everything that is stored depends on. */
  get identity(): EngineIdentity {
    return {
      model: this.fingerprint,
      libraryVersion: this.library.version,
      engineBuild: engineBuild(),
      device: this.deviceName,
      offloadedLayers: this.offloadedLayers,
    };
  }

  /** "CPU", or the GPU that holds layers. */
  get deviceName(): string {
    const { gpus } = this.model;
    const devices = gpus.length > 0 ? gpus : this.library.devices.filter(({ isCpu }) => isCpu);
    return devices.map(({ name, description }) => `${name} (${description})`).join(' + ') || 'CPU';
  }

  get offloadedLayers(): number {
    return Math.min(this.model.gpuLayers, this.model.layers);
  }

  /** Frees in the reverse order of making. */
  dispose(): void {
    this.#close();
    this.#index?.dispose();
    this.#index = null;
    this.model.dispose();
  }

  #checkRoom(contextSize: number, rows: number): void {
    if (this.#memory === undefined) return;
    const { size, settings } = this.#memory;
    const { chunkTokens } = this;
    const asked = { ...settings, contextSize, chunkTokens, tokenBudget: Math.max(0, rows - chunkTokens) };
    const lacked = lackedMemory(
      withoutModel(estimateMemory(size, asked)),
      freeMemory(this.library, this.model.gpus),
    );
    if (lacked !== null) throw errors.notEnoughMemory(lacked.neededBytes, lacked.freeBytes, lacked.where);
  }

  #close(): void {
    this.#opened?.operations.dispose();
    this.#opened?.context.dispose();
    this.#opened = null;
    this.held = null;
  }

  /** Throws KeepCheckFailed. */
  #measure(): Pick<LoadedEngine, 'pace' | 'draftCosts'> {
    const context = new LlamaContext(this.model, {
      contextSize: 2 * warmUpTokens,
      outputs: 1 + maxDraftTokens,
      cacheType: this.kvCacheType,
    });
    try {
      const operations = new CacheOperations(context, warmUpTokens);
      try {
        if (!keepsEverything(context, operations)) throw new KeepCheckFailed(this.model.gpus);
      } finally {
        operations.dispose();
      }
      const tokens = Array.from({ length: warmUpTokens }, (_, i) => (i % this.model.vocabularySize) as Token);
      // The first decode pays for reading the weights from disk and for making the device's programs.
      context.decode(tokens, { logits: 'none' });
      context.clear();
      const begin = performance.now();
      context.decode(tokens, { logits: 'none' });
      const pace = paceOf((warmUpTokens * 1000) / (performance.now() - begin));
      return { pace, draftCosts: measureDraftCosts(context) };
    } finally {
      context.dispose();
    }
  }
}
