import { describe, expect, test } from 'vitest';
import { foundWithin, meanDifference, meanRatio } from '../../bench/recall.ts';

describe('foundWithin', () => {
  const tokens = [40, 70, 30, 10];
  const scores = [[1, 4, 3, 2]];
  test.each([
    { wanted: [[1, 1]], budget: 70, found: true },
    { wanted: [[1, 1]], budget: 69, found: false },
    { wanted: [[3, 1]], budget: 69, found: true, why: 'what does not fit is passed over' },
    { wanted: [[0, 1]], budget: 149, found: false },
    { wanted: [[0, 1]], budget: 150, found: true },
    {
      wanted: [
        [1, 0.5],
        [0, 0.5],
      ],
      budget: 70,
      found: true,
      why: 'half of the lines are enough',
    },
    {
      wanted: [
        [1, 0.4],
        [0, 0.6],
      ],
      budget: 70,
      found: false,
    },
  ])('$wanted within $budget tokens: $found', ({ wanted, budget, found }) => {
    const shares = new Map(wanted.map(([passage, share]) => [passage!, share!]));
    expect(foundWithin(scores, [shares], tokens, budget)).toEqual([found]);
  });

  test('of equal scores the first passage comes first', () => {
    expect(foundWithin([[5, 5]], [new Map([[1, 1]])], [10, 10], 10)).toEqual([false]);
    expect(foundWithin([[5, 5]], [new Map([[0, 1]])], [10, 10], 10)).toEqual([true]);
  });
});

describe('meanRatio', () => {
  const half = Array.from({ length: 200 }, (_, i) => i % 2);
  const all = half.map(() => 1);
  test('is that of the means', () => expect(meanRatio(all, half).value).toBe(2));
  test('of equals is certain', () => expect(meanRatio(half, half)).toEqual({ low: 1, value: 1, high: 1 }));
  test('has the interval of its spread', () => {
    const { low, high } = meanRatio(half, all);
    // Of a share of one half among 200, the standard error is 0.035.
    expect(low).toBeCloseTo(0.5 - 1.96 * 0.035, 1);
    expect(high).toBeCloseTo(0.5 + 1.96 * 0.035, 1);
  });
  test('is the same every time', () => expect(meanRatio(half, all)).toEqual(meanRatio(half, all)));
});

describe('meanDifference', () => {
  const better = [3, 2, 5, 4, 3, 6];
  const worse = [2, 2, 3, 4, 1, 5];

  test('is that of the means', () => expect(meanDifference(better, worse).value).toBe(1));
  test('of equals is certain', () =>
    expect(meanDifference(better, better)).toEqual({ low: 0, value: 0, high: 0 }));
  test('lies within its interval, which is that of the pairs', () => {
    const { low, high } = meanDifference(better, worse);
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
    expect(high).toBeLessThanOrEqual(2);
  });
  test('changes its sign with the sides', () =>
    expect(meanDifference(worse, better).value).toBe(-meanDifference(better, worse).value));
});
