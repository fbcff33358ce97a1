/** Readings that are kept, on any placement of the layers: what comes back is what was read, bit by bit. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { presetOptions, type CompressionOptions } from '../extension/engine/compression/options.ts';
import { createReadingStores, type ReadingStore } from '../extension/engine/kvState/readingStore.ts';
import type { LoadedEngine } from '../extension/engine/loadedEngine.ts';
import { readOnce, type Reading } from '../extension/engine/reading.ts';
import type { PresetName } from '../extension/protocol/engine.ts';
import {
  openTinyEngine,
  randomDocument,
  randomTokens,
  steadyPace,
  tinyModels,
  type Placement,
  type TinyModelName,
} from './tinyEngine.ts';
import { temporaryFolder } from './unit/reference/temporaryFolder.ts';

const { signal } = new AbortController();
export const capBytes = 1e9;
export const readingInput = {
  prefix: randomTokens(6, 1),
  document: randomDocument(700, 2),
  question: randomTokens(20, 3),
  contentFree: randomTokens(4, 5),
};
const suffix = randomTokens(12, 4);
export const someHeads = [
  { layer: 0, head: 3 },
  { layer: 1, head: 0 },
];

/** @param models of which a reading is restored. */
export function readingSuite(placement: Placement, models: readonly TinyModelName[]): void {
  describe('a reading', () => {
    const { newEngine, newFolder } = tinyEngines(placement);
    const log = console.log;
    const presets = ['default', 'perHead', 'paper'] as const;
    const cases = [
      // The heads of the default lie in layers that have a window in gemma3.
      ...models.map((model) => ({
        model,
        preset: model === 'gemma3' ? ('perHead' as const) : ('default' as const),
        tokenBudget: 128,
      })),
      ...presets.map((preset) => ({ model: 'llama' as const, preset, tokenBudget: 128 })),
      { model: 'llama' as const, preset: 'default' as const, tokenBudget: 700 },
    ];
    test.each(cases)('of $model with $preset and budget $tokenBudget is restored', async (one) => {
      const options = optionsOf(one.preset, one.tokenBudget);
      const folder = newFolder();
      const { open, idle } = createReadingStores(log);
      const first = newEngine(one.model);
      const read = await readWith(first, options, open({ path: folder, capBytes }));
      const expected = nextLogits(first);
      await idle();

      const second = newEngine(one.model);
      const restored = await readWith(second, options, open({ path: folder, capBytes }), true);
      expect(restored.restoredFrom).toBeGreaterThan(0);
      expect(restored.prefillTokens).toBe(0);
      expect(restored.lists).toEqual(read.lists);
      expect(nextLogits(second)).toEqual(expected);
    });

    test('that the context still holds is taken without a disk', async () => {
      const options = optionsOf('default', 128);
      const engine = newEngine('llama');
      await readWith(engine, options, null);
      const expected = nextLogits(engine);
      const again = await readWith(engine, options, null, true);
      expect(again.restoredFrom).toBeGreaterThan(0);
      expect(nextLogits(engine)).toEqual(expected);
    });

    const stops = [
      { model: 'llama' as const, stopAt: 200 },
      { model: 'llama' as const, stopAt: 450 },
      ...models.filter((model) => model === 'gemma3').map((model) => ({ model, stopAt: 450 })),
    ];
    test.each(stops)(
      'of $model that was stopped after $stopAt tokens goes on to the same end',
      async (one) => {
        const { model, stopAt } = one;
        const options = optionsOf('perHead', 128);
        const whole = newEngine(model);
        const expected = await readWith(whole, options, null);

        const folder = newFolder();
        const { open, idle } = createReadingStores(log);
        const stop = new AbortController();
        const stopped = readWith(newEngine(model), options, open({ path: folder, capBytes }), false, {
          signal: stop.signal,
          onRead: (tokens) => {
            if (tokens >= stopAt) stop.abort();
          },
        });
        await expect(stopped).rejects.toMatchObject({ reason: 'cancelled' });
        await idle();
        expect(readdirSync(folder).map((name) => name.split('.')[1])).toEqual(['part']);
        const followUp = readWith(newEngine(model), options, open({ path: folder, capBytes }), true);
        await expect(followUp).rejects.toThrow('nothing is stored');

        const other = newEngine(model);
        const reads: number[] = [];
        const rest = await readWith(other, options, open({ path: folder, capBytes }), false, {
          signal,
          onRead: (tokens) => reads.push(tokens),
        });
        expect(reads[0]).toBeGreaterThan(stopAt - 100);
        expect(rest.lists).toEqual(expected.lists);
        expect(nextLogits(other)).toEqual(nextLogits(whole));
        await idle();
        expect(readdirSync(folder).map((name) => name.split('.')[1])).toEqual(['kv']);
      },
    );
  });
}

/** With chunks so short that there are several. */
export function optionsOf(preset: PresetName, tokenBudget: number): CompressionOptions {
  return { ...presetOptions(preset, tokenBudget, someHeads), chunkTokens: 100 };
}

export interface TinyEngines {
  readonly newFolder: () => string;
  /** Disposed of after the tests of the block that it is called in. */
  readonly newEngine: (model: TinyModelName, contextLength?: number) => LoadedEngine;
}

/** Makes what the tests of a block need; to be called in the block. */
export function tinyEngines(placement: Placement): TinyEngines {
  const base = temporaryFolder();
  const engines: LoadedEngine[] = [];
  afterAll(() => engines.forEach((engine) => engine.dispose()));
  let folders = 0;
  const newFolder = (): string => {
    const path = join(base, `${folders++}`);
    mkdirSync(path);
    return path;
  };
  return {
    newFolder,
    newEngine(model, contextLength) {
      const changes = contextLength === undefined ? {} : { contextLength };
      const { engine } = openTinyEngine(newFolder(), placement, { ...tinyModels[model], ...changes });
      engines.push(engine);
      return engine;
    },
  };
}

export async function readWith(
  engine: LoadedEngine,
  options: CompressionOptions,
  store: ReadingStore | null,
  onlyStored = false,
  hooks: { signal: AbortSignal; onRead?: (tokens: number) => void } = { signal },
  question = readingInput.question,
): Promise<Reading> {
  const opened = engine.open(1024, 1024);
  const pace = steadyPace();
  const reading = await readOnce(
    engine,
    opened,
    { ...readingInput, question },
    options,
    { store, onlyStored },
    {
      pace,
      ...hooks,
    },
  );
  if (reading === null) throw new Error('nothing is stored');
  return reading;
}

export function nextLogits(engine: LoadedEngine): Float32Array {
  const { context } = engine.open(1024, 1024);
  context.decode(suffix, { logits: 'last' });
  return context.logits();
}
