/** When the index of a window is made, and when only the heads of its model are found. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { errors } from '../../../extension/errors.ts';
import type { IndexProgress } from '../../../extension/indexWorkspace.ts';
import { createIndexing, type Indexing, type IndexingParts } from '../../../extension/views/indexing.ts';

const { onBattery } = vi.hoisted(() => ({ onBattery: vi.fn(() => false) }));
vi.mock('systeminformation', () => ({
  battery: () => Promise.resolve({ hasBattery: onBattery(), acConnected: false }),
}));
vi.mock('vscode', () => ({}));
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  onBattery.mockReturnValue(false);
});

const whole: IndexProgress = {
  ...{ filesDone: 1, filesTotal: 1, readable: 1, indexed: 1, tokens: 10, seconds: 1 },
  ...{ served: true, findsHeads: false },
};
let deeds: string[];
let pausedNow: boolean;
beforeEach(() => {
  deeds = [];
  pausedNow = false;
});

function indexingOf(
  may: ReturnType<IndexingParts['mayBegin']>,
  parts: Partial<IndexingParts> = {},
): Indexing {
  return createIndexing({
    // eslint-disable-next-line @typescript-eslint/require-await -- it is awaited, and here there is nothing to wait for
    async *index() {
      deeds.push('index');
      yield whole;
    },
    findHeads: () => Promise.resolve(void deeds.push('heads')),
    mayBegin: () => may,
    paused: { get: () => pausedNow, set: (paused) => Promise.resolve(void (pausedNow = paused)) },
    log: { info: () => undefined, error: (problem) => deeds.push(String(problem)) },
    onChange: () => undefined,
    ...parts,
  });
}

/** Longer than it rests after a question. */
async function rest(): Promise<void> {
  await vi.advanceTimersByTimeAsync(6_000);
}

test.each([
  ['index', ['index']],
  ['heads', ['heads']],
  ['nothing', []],
] as const)('in idle time, where %s may begin: %j', async (may, expected) => {
  const indexing = indexingOf(may);
  indexing.soon();
  expect(deeds).toEqual([]);
  await rest();
  expect(deeds).toEqual(expected);
});

test('paused or on battery, not even the heads are looked for', async () => {
  const indexing = indexingOf('heads');
  onBattery.mockReturnValue(true);
  indexing.soon();
  await rest();
  expect(deeds).toEqual([]);
  await indexing.togglePause();
  onBattery.mockReturnValue(false);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(deeds).toEqual([]);
  await indexing.togglePause();
  await rest();
  expect(deeds).toEqual(['heads']);
});

test('heads that are not found are told to the log, and looked for again after the next question', async () => {
  let tries = 0;
  const findHeads = (): Promise<void> =>
    tries++ === 0 ? Promise.reject(errors.memoryRanOut(7)) : Promise.resolve();
  const indexing = indexingOf('heads', { findHeads });
  indexing.soon();
  await rest();
  expect(deeds.join()).toContain('No memory was left for a cache of 7 tokens');
  indexing.soon();
  await rest();
  expect(tries).toBe(2);
});

test('an index that is asked for meanwhile does not wait for the heads, which it finds itself', async () => {
  const findHeads = (signal: AbortSignal): Promise<void> =>
    new Promise((_, reject) => {
      deeds.push('heads');
      signal.addEventListener('abort', () => reject(errors.cancelled()));
    });
  const indexing = indexingOf('heads', { findHeads });
  indexing.soon();
  await rest();
  expect(await indexing.now()).toEqual(whole);
  expect(deeds).toEqual(['heads', 'index']);
});
