import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keptAfter, selectCells } from '../../../extension/engine/compression/keep.ts';
import type { KeptUnit } from '../../../extension/engine/compression/options.ts';

const units: readonly KeptUnit[] = [
  { kind: 'token' },
  { kind: 'neighbourhood', radius: 1 },
  { kind: 'neighbourhood', radius: 3 },
  { kind: 'line' },
];

describe('cells that are chosen', () => {
  const cases = [
    { name: 'the best', scores: [1, 5, 2, 4, 3], always: 0, count: 2, expected: [1, 3] },
    {
      name: 'the first ones whatever their score',
      scores: [0, 0, 2, 4, 3],
      always: 2,
      count: 3,
      expected: [0, 1, 3],
    },
    { name: 'of equals the earlier', scores: [1, 2, 2, 2, 1], always: 0, count: 2, expected: [1, 2] },
    {
      name: 'of equals the earlier, after what is better',
      scores: [2, 1, 2, 3],
      always: 0,
      count: 2,
      expected: [0, 3],
    },
    { name: 'only the first ones', scores: [1, 2, 3], always: 2, count: 2, expected: [0, 1] },
    { name: 'all, where there are fewer', scores: [1, 2, 3], always: 1, count: 5, expected: [0, 1, 2] },
    { name: 'none', scores: [1, 2, 3], always: 0, count: 0, expected: [] },
  ];
  test.each(cases)('$name', ({ scores, always, count, expected }) => {
    expect(select(scores, { kind: 'token' }, always, count)).toEqual(expected);
  });

  test('a neighbourhood counts by its mean', () => {
    // The lone peak at 1 is worth less than the plateau from 5 to 7, of which the middle is best.
    const scores = [0, 4, 0, 0, 0, 3, 3, 3, 0, 0];
    expect(select(scores, { kind: 'neighbourhood', radius: 1 }, 0, 1)).toEqual([6]);
    expect(select(scores, { kind: 'token' }, 0, 1)).toEqual([1]);
  });
});

describe('lines that are chosen', () => {
  const cases = [
    {
      name: 'the best whole line',
      lines: [2, 3, 2],
      scores: [1, 1, 9, 0, 0, 2, 2],
      always: 0,
      count: 3,
      expected: [2, 3, 4],
    },
    // 4 of four cells is 2, 3 of one cell is 3.
    {
      name: 'a short line before a longer one of higher sum',
      lines: [4, 1],
      scores: [1, 1, 1, 1, 3],
      always: 0,
      count: 1,
      expected: [4],
    },
    {
      name: 'a line too long is passed over',
      lines: [4, 2],
      scores: [9, 9, 9, 9, 1, 1],
      always: 0,
      count: 2,
      expected: [4, 5],
    },
    {
      name: 'what remains is filled from the best line passed over',
      lines: [4, 2, 4],
      scores: [5, 5, 5, 5, 1, 1, 9, 9, 9, 9],
      always: 0,
      count: 3,
      expected: [4, 5, 6],
    },
    {
      name: 'a line that began among the first cells is what is left of it',
      lines: [4, 2],
      scores: [0, 0, 5, 5, 1, 1],
      always: 2,
      count: 4,
      expected: [0, 1, 2, 3],
    },
    {
      name: 'of equal lines the earlier',
      lines: [2, 2, 2],
      scores: [1, 1, 2, 2, 2, 2],
      always: 0,
      count: 2,
      expected: [2, 3],
    },
  ];
  test.each(cases)('$name', ({ lines, scores, always, count, expected }) => {
    const lineOf = lines.flatMap((length, line) => Array.from({ length }, () => line));
    expect(select(scores, { kind: 'line' }, always, count, lineOf)).toEqual(expected);
  });
});

describe('whatever the scores', () => {
  const inputs = fc
    .record({
      lines: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 }),
      unit: fc.constantFrom(...units),
      seed: fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { minLength: 360, maxLength: 360 }),
      alwaysShare: fc.double({ min: 0, max: 1, noNaN: true }),
      countShare: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ lines, unit, seed, alwaysShare, countShare }) => {
      const lineOf = lines.flatMap((length, line) => Array.from({ length }, () => line));
      const cells = lineOf.length;
      const count = Math.round(countShare * cells);
      return {
        lineOf,
        unit,
        cells,
        count,
        always: Math.round(alwaysShare * count),
        scores: seed.slice(0, cells),
      };
    });

  test('exactly as many as asked, ascending, the first ones among them', () => {
    fc.assert(
      fc.property(inputs, ({ scores, unit, always, count, lineOf }) => {
        const kept = select(scores, unit, always, count, lineOf);
        expect(kept.length).toBe(count);
        expect(kept.every((cell, i) => cell > (kept[i - 1] ?? -1) && cell < scores.length)).toBe(true);
        expect(kept.slice(0, always)).toEqual([...Array(always).keys()]);
      }),
    );
  });

  test('no token that was dropped is better than one that was kept', () => {
    fc.assert(
      fc.property(inputs, ({ scores, always, count, lineOf }) => {
        const floats = Float32Array.from(scores);
        const kept = new Set(select(scores, { kind: 'token' }, always, count, lineOf));
        const chosen = [...floats].filter((_, cell) => cell >= always && kept.has(cell));
        const dropped = [...floats].filter((_, cell) => !kept.has(cell));
        expect(Math.min(...chosen)).toBeGreaterThanOrEqual(Math.max(-Infinity, ...dropped));
      }),
    );
  });

  test('lines are whole, but for one that fills what is left, kept from its beginning', () => {
    fc.assert(
      fc.property(inputs, ({ scores, always, count, lineOf }) => {
        const kept = new Set(select(scores, { kind: 'line' }, always, count, lineOf));
        const split = [...new Set(lineOf)].filter((line) => {
          const cells = [...lineOf.keys()].filter((cell) => lineOf[cell] === line && cell >= always);
          const first = cells.findIndex((cell) => !kept.has(cell));
          // From the first dropped cell of a line on, none is kept.
          if (first >= 0) expect(cells.slice(first).some((cell) => kept.has(cell))).toBe(false);
          return first > 0;
        });
        expect(split.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the budget after a chunk', () => {
  const cases = [
    { growth: 'exact', budget: 100, before: 0, chunk: 50, read: 50, total: 200, expected: 25 },
    { growth: 'exact', budget: 100, before: 25, chunk: 50, read: 100, total: 200, expected: 50 },
    { growth: 'exact', budget: 100, before: 75, chunk: 50, read: 200, total: 200, expected: 100 },
    { growth: 'exact', budget: 300, before: 0, chunk: 50, read: 50, total: 200, expected: 50 },
    // 512 tokens at ceil(3000 / 250) = 12 times compression.
    { growth: 'sigma', budget: 250, before: 0, chunk: 512, read: 512, total: 3000, expected: 42 },
    { growth: 'sigma', budget: 250, before: 42, chunk: 512, read: 1024, total: 3000, expected: 84 },
    { growth: 'sigma', budget: 250, before: 210, chunk: 440, read: 3000, total: 3000, expected: 246 },
    // 3000 / 240 is not whole: the compression is rounded up to 13.
    { growth: 'sigma', budget: 240, before: 0, chunk: 512, read: 512, total: 3000, expected: 39 },
    { growth: 'sigma', budget: 5000, before: 0, chunk: 512, read: 512, total: 3000, expected: 512 },
  ] as const;
  test.each(cases)(
    '$growth: $budget of $total tokens, $read read',
    ({ growth, budget, expected, ...step }) => {
      expect(keptAfter(growth, budget, step)).toBe(expected);
    },
  );

  test('grows to the budget exactly, or as published to no more', () => {
    const growths = fc.constantFrom('exact' as const, 'sigma' as const);
    const sizes = fc.record({
      total: fc.integer({ min: 1, max: 5000 }),
      budget: fc.integer({ min: 1, max: 1000 }),
      chunkTokens: fc.integer({ min: 64, max: 1024 }),
    });
    fc.assert(
      fc.property(growths, sizes, (growth, { total, budget, chunkTokens }) => {
        const tokenBudget = Math.min(budget, total);
        let kept = 0;
        for (let read = 0; read < total;) {
          const chunk = Math.min(chunkTokens, total - read);
          read += chunk;
          const next = keptAfter(growth, tokenBudget, { before: kept, chunk, read, total });
          expect(Number.isInteger(next)).toBe(true);
          expect(next).toBeGreaterThanOrEqual(kept);
          expect(next).toBeLessThanOrEqual(kept + chunk);
          kept = next;
        }
        if (growth === 'exact') expect(kept).toBe(tokenBudget);
        else expect(kept).toBeLessThanOrEqual(tokenBudget);
      }),
    );
  });
});

function select(
  scores: readonly number[],
  unit: KeptUnit,
  always: number,
  count: number,
  lineOf: readonly number[] = [],
): number[] {
  return [...selectCells(Float32Array.from(scores), unit, always, count, (cell) => lineOf[cell]!)];
}
