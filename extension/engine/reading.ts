/** Reading the document under the question, unless that was done before: nothing that was read is read twice. */
import { restoreReading, saveReading, type HeldReading } from './kvState/readingState.ts';
import type { ReadingStore } from './kvState/readingStore.ts';
import { stateKey } from './kvState/stateKey.ts';
import {
  compress,
  type CompressedCache,
  type CompressionHooks,
  type CompressionInput,
} from './compression/compress.ts';
import type { CompressionOptions } from './compression/options.ts';
import type { LoadedEngine, OpenedContext } from './loadedEngine.ts';

export interface Reading extends CompressedCache {
  /** When all of it had been read, milliseconds since 1970; null: just now. */
  readonly restoredFrom: number | null;
}

/** A reading that takes longer leaves a checkpoint so often, seconds, from which it goes on after a crash. */
const checkpointSeconds = 15;

/**
 * Leaves the context with the prompt's beginning and what is kept of the document, read now or earlier. A reading that
 * is stopped is kept as far as it came.
 * @param store null: nothing is taken from the disk or left there
 * @param onlyStored true: unless all of it is kept, nothing is read and the result is null
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function readOnce(
  engine: LoadedEngine,
  opened: OpenedContext,
  input: CompressionInput,
  options: CompressionOptions,
  { store, onlyStored }: { readonly store: ReadingStore | null; readonly onlyStored: boolean },
  hooks: CompressionHooks,
): Promise<Reading | null> {
  const key = keyOf(engine, input, options);
  const total = input.document.tokens.length;
  const earlier = await takeEarlier(engine, opened, key, store);
  if (earlier !== null && earlier.read === total) {
    return { ...earlier, scores: null, seconds: nothingDone, prefillTokens: 0, restoredFrom: earlier.readAt };
  }
  // What was stopped is not read on under a question that nobody asks any more.
  if (onlyStored) return null;

  let held = earlier;
  let lastCheckpoint = performance.now();
  engine.held = null;
  const keep = (): void => {
    if (held === null) return;
    opened.context.truncate(held.cells);
    engine.held = held;
    const isWhole = held.read === total;
    store?.write(fileOf(key, isWhole), saveReading(opened, held));
    if (isWhole) store?.remove(fileOf(key, false));
  };
  try {
    const cache = await compress(
      opened.context,
      opened.operations,
      input,
      options,
      {
        ...hooks,
        onChunk(position) {
          held = { ...position, key, total, cells: opened.context.length, readAt: Date.now() };
          if (position.read === total || performance.now() - lastCheckpoint < checkpointSeconds * 1000)
            return;
          lastCheckpoint = performance.now();
          keep();
        },
      },
      earlier ?? undefined,
    );
    keep();
    return { ...cache, restoredFrom: null };
  } catch (error) {
    if (hooks.signal.aborted) keep();
    throw error;
  }
}

/** Whether `readOnce` would find all of it read. */
export async function isRead(
  engine: LoadedEngine,
  input: CompressionInput,
  options: CompressionOptions,
  store: ReadingStore | null,
): Promise<boolean> {
  const key = keyOf(engine, input, options);
  const { held } = engine;
  if (held?.key === key && held.read === held.total) return true;
  return (await store?.has(fileOf(key, true))) ?? false;
}

const nothingDone = { prefill: 0, score: 0, evict: 0 } as const;

function keyOf(engine: LoadedEngine, input: CompressionInput, options: CompressionOptions): string {
  const document = input.document.tokens;
  return stateKey({
    ...engine.identity,
    kvCacheType: engine.kvCacheType,
    prefix: input.prefix,
    document,
    compression: document.length <= options.tokenBudget ? null : { options, question: input.question },
  });
}

/** The reading of that key, whole or as far as it came, put into the context. */
async function takeEarlier(
  engine: LoadedEngine,
  opened: OpenedContext,
  key: string,
  store: ReadingStore | null,
): Promise<HeldReading | null> {
  const { held } = engine;
  if (held?.key === key) {
    opened.context.truncate(held.cells);
    return held;
  }
  if (store === null) return null;
  engine.held = null;
  for (const isWhole of [true, false]) {
    const name = fileOf(key, isWhole);
    const stored = await store.read(name);
    if (stored === null) continue;
    const restored = restoreReading(opened, stored, key);
    if (typeof restored !== 'string') {
      engine.held = restored;
      return restored;
    }
    store.log(`${name} is not used: ${restored}`);
    store.remove(name);
  }
  return null;
}

function fileOf(key: string, isWhole: boolean): string {
  return `${key}${isWhole ? '.kv' : '.part'}`;
}
