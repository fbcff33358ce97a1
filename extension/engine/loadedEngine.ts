/** Owns what an engine process holds: the model, one context, and the operations on its cache. */
import { errors } from '../errors.ts';
import type { DeviceName } from '../protocol/engine.ts';
import type { AttentionHead } from './compression/options.ts';
import { ChunkIndex } from './chunkIndex/chunkIndex.ts';
import { rankingHeadsOf } from './chunkIndex/rankingHeads.ts';
import type { HeldReading } from './kvState/readingState.ts';
import { engineBuild, type EngineIdentity } from './kvState/stateKey.ts';
import { CacheOperations } from './llama/cacheOperations.ts';
import { loadLibrary, type LlamaLibrary } from './llama/library.ts';
import { LlamaContext } from './llama/llamaContext.ts';
import { LlamaModel } from './llama/llamaModel.ts';
import { modelFingerprint } from '../models/fingerprint.ts';
import type { Token } from './numbers.ts';
import { paceOf, type Pace } from './prefill.ts';

export interface OpenedContext {
  readonly context: LlamaContext;
  readonly operations: CacheOperations;
}

/** Tokens of the first decode that measures the speed. */
const warmUpTokens = 64;

export class LoadedEngine {
  /** Measured speed of reading, kept up to date by every batch. */
  readonly pace: Pace;
  readonly library: LlamaLibrary;
  readonly model: LlamaModel;
  /** What the first cells of the open context hold; null when that is not a reading. */
  held: HeldReading | null = null;
  #fingerprint: string | undefined;
  #index: ChunkIndex | null | undefined;
  #opened: (OpenedContext & { readonly rows: number; readonly outputs: number }) | null = null;

  /**
   * Loads the model, verifies each layer's attention and measures the speed.
   * @throws errors.libraryNotLoaded, errors.deviceNotFound, errors.modelNotFound, errors.modelCorrupt, errors.modelNotServed
   */
  constructor(
    modelPath: string,
    options: { readonly device: DeviceName; readonly gpuLayers?: number | undefined },
    /** The model's heads that find evidence, or null when they are not known. */
    readonly evidenceHeads: readonly AttentionHead[] | null,
  ) {
    this.library = loadLibrary(options.device);
    this.model = LlamaModel.load(this.library, modelPath, options);
    try {
      this.pace = this.#measurePace();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * The context and its operations, kept between questions and made anew only when a larger one is needed.
   * @param contextSize cells of the KV cache. @param rows most cells before the question is decoded.
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
    const context = new LlamaContext(this.model, { contextSize, outputs });
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

  /** The index of this model's own attention; null when its heads that rank are not known. */
  get index(): ChunkIndex | null {
    if (this.#index === undefined) {
      const { model } = this;
      const ranking = rankingHeadsOf(
        model.metadata('general.basename'),
        model.metadata('general.size_label'),
      );
      this.#index = ranking && new ChunkIndex(model, ranking, this.identity);
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
    const device = this.library.devices.find((d) => d.isGpu === this.model.gpuLayers > 0);
    return device === undefined ? 'CPU' : `${device.name} (${device.description})`;
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

  #close(): void {
    this.#opened?.operations.dispose();
    this.#opened?.context.dispose();
    this.#opened = null;
    this.held = null;
  }

  #measurePace(): Pace {
    const context = new LlamaContext(this.model, { contextSize: 2 * warmUpTokens });
    try {
      context.layouts();
      const tokens = Array.from({ length: warmUpTokens }, (_, i) => (i % this.model.vocabularySize) as Token);
      // The first decode pays for reading the weights from disk and for making the device's programs.
      context.decode(tokens, { logits: 'none' });
      context.clear();
      const begin = performance.now();
      context.decode(tokens, { logits: 'none' });
      return paceOf((warmUpTokens * 1000) / (performance.now() - begin));
    } finally {
      context.dispose();
    }
  }
}
