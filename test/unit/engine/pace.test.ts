/** How long batches are on a device whose speed changes: a clock that is only counted. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchLength, learnFromBatch, paceOf, type Pace } from '../../../extension/engine/prefill.ts';

const meant = 0.4; // seconds
const most = 512; // tokens

/** Seconds that a batch takes. */
type Device = (tokens: number) => number;
const device =
  (fixedSeconds: number, tokensPerSecond: number): Device =>
  (tokens) =>
    fixedSeconds + tokens / tokensPerSecond;

/** Reads whole batches; gives the seconds of each, and the pace afterwards. */
function read(pace: Pace, on: Device, batches: number): { pace: Pace; seconds: number[] } {
  const seconds: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const length = batchLength(pace);
    seconds.push(on(length));
    pace = learnFromBatch(pace, length, on(length));
  }
  return { pace, seconds };
}

const quick = device(0.005, 300);
const crowded = device(0.1, 25);

describe('when other programs take the cores', () => {
  test('one batch is too long, and every one after it is as long as meant', () => {
    const { seconds } = read(read(paceOf(300), quick, 5).pace, crowded, 10);
    expect(seconds[0]).toBeGreaterThan(1);
    for (const later of seconds.slice(2)) expect(later).toBeLessThan(meant * 1.3);
  });

  test('and give them back, batches are long again within a few', () => {
    const { pace } = read(paceOf(300), crowded, 20);
    expect(batchLength(pace)).toBeLessThan(16);
    const { pace: recovered, seconds } = read(pace, quick, 8);
    expect(batchLength(recovered)).toBeGreaterThanOrEqual(96);
    expect(recovered.tokensPerSecond).toBeGreaterThan(200);
    for (const batch of seconds) expect(batch).toBeLessThan(meant * 1.1);
  });

  test('one slow batch is soon made up for', () => {
    const settled = read(paceOf(300), quick, 10).pace;
    const hiccup = learnFromBatch(settled, batchLength(settled), 3);
    expect(batchLength(read(hiccup, quick, 5).pace)).toBe(batchLength(settled));
  });
});

test('on any device batches settle at what was meant, or at the longest or shortest there is', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.3, noNaN: true }),
      fc.double({ min: 1, max: 20_000, noNaN: true }),
      fc.double({ min: 1, max: 20_000, noNaN: true }),
      (fixedSeconds, tokensPerSecond, assumed) => {
        const on = device(fixedSeconds, tokensPerSecond);
        const length = batchLength(read(paceOf(assumed), on, 60).pace);
        if (length > 4) expect(on(length)).toBeLessThanOrEqual(meant * 1.001);
        // Long enough: one step more, in proportion, would take longer than meant.
        if (length < most) expect((on(length) * (length + 16)) / length).toBeGreaterThan(meant * 0.999);
      },
    ),
  );
});

test('what is left at the end of a chunk neither shortens batches nor counts as the speed', () => {
  const settled = read(paceOf(300), quick, 10).pace;
  expect(learnFromBatch(settled, 3, quick(3))).toEqual(settled);
});
