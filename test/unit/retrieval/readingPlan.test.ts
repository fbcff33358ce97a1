import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Passage } from '../../../extension/protocol/nouns.ts';
import { trimToLimit } from '../../../extension/retrieval/exactLimit.ts';
import type { RankedPassage } from '../../../extension/retrieval/ranking.ts';
import { HEADER_CHARACTERS, planReading } from '../../../extension/retrieval/readingPlan.ts';

/** Files by path, each the scores of its passages in order, ten lines and a hundred characters each. */
function ranked(files: Readonly<Record<string, readonly number[]>>): RankedPassage[] {
  return Object.entries(files)
    .flatMap(([path, scores]) =>
      scores.map((score, index) => ({
        workspace: 'w',
        path,
        startLine: index * 10 + 1,
        endLine: index * 10 + 10,
        score,
        characters: 100,
      })),
    )
    .sort((a, b) => b.score - a.score);
}

const plan = (files: Readonly<Record<string, readonly number[]>>, readingLimit: number | 'all') =>
  planReading(ranked(files), { readingLimit, tokensPerCharacter: 0.5 });
const places = (ranges: readonly { path: string; startLine: number; endLine: number }[]) =>
  ranges.map(({ path, startLine, endLine }) => `${path}:${startLine}-${endLine}`);

const HEADER_TOKENS = (1 + HEADER_CHARACTERS) / 2;
const files = { a: [1, 5, 0], b: [4], c: [0, 0] };

test('all that fits is read, whole files, the best last', () => {
  const all = plan(files, 'all');
  expect(places(all.ranges)).toEqual(['c:1-20', 'b:1-10', 'a:1-30']);
  expect(all).toMatchObject({ everything: true, leftOut: [], partlyRead: [] });
  expect(all.estimatedTokens).toBe(Math.ceil(6 * 50 + 3 * HEADER_TOKENS));
  expect(plan(files, all.estimatedTokens)).toEqual(all);
  expect(plan(files, all.estimatedTokens - 1).everything).toBe(false);
});

test('what does not fit is left out and named', () => {
  const some = plan(files, 140);
  expect(places(some.ranges)).toEqual(['b:1-10', 'a:11-20']);
  expect(some.leftOut).toEqual([
    { workspace: 'w', path: 'c', reason: 'readingLimit', detail: 'about 113 tokens' },
  ]);
  expect(some.partlyRead).toEqual([{ workspace: 'w', path: 'a', linesRead: 10, linesTotal: 30 }]);
});

test('neighbours are merged and take the best score', () => {
  const some = plan({ a: [0, 3, 9, 2, 0], b: [1] }, 190);
  expect(places(some.ranges)).toEqual(['a:11-40']);
  expect(some.ranges[0]!.score).toBe(9);
});

test('a passage too large for the limit makes room for smaller ones', () => {
  const large = { workspace: 'w', path: 'a', startLine: 1, endLine: 1, score: 9, characters: 1e6 };
  const some = planReading([large, ...ranked({ b: [1] })], { readingLimit: 100, tokensPerCharacter: 0.25 });
  expect(places(some.ranges)).toEqual(['b:1-10']);
  expect(some.leftOut[0]!.detail).toBe('about 250,007 tokens');
});

test('no documents, no limit', () => {
  expect(plan({}, 'all')).toEqual({
    ranges: [],
    everything: true,
    estimatedTokens: 0,
    leftOut: [],
    partlyRead: [],
  });
});

const anyFiles = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,12}$/),
  fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 8 }),
  { maxKeys: 8 },
);
test('any plan: within its limit, rising, apart, and every file accounted for', () => {
  const rates = fc.double({ min: 0.05, max: 2, noNaN: true });
  fc.assert(
    fc.property(
      anyFiles,
      fc.integer({ min: 0, max: 3_000 }),
      rates,
      (files, readingLimit, tokensPerCharacter) => {
        const passages = ranked(files);
        const { ranges, everything, estimatedTokens, leftOut, partlyRead } = planReading(passages, {
          readingLimit,
          tokensPerCharacter,
        });
        expect(estimatedTokens).toBeLessThanOrEqual(readingLimit);
        for (let index = 1; index < ranges.length; index++)
          expect(ranges[index]!.score).toBeGreaterThanOrEqual(ranges[index - 1]!.score);
        const lines = new Set<string>();
        for (const { path, startLine, endLine } of ranges) {
          expect(lines.has(`${path}:${startLine - 1}`) || lines.has(`${path}:${endLine + 1}`)).toBe(false);
          for (let line = startLine; line <= endLine; line++) {
            expect(lines.has(`${path}:${line}`)).toBe(false);
            lines.add(`${path}:${line}`);
          }
        }
        expect(everything).toBe(lines.size === passages.length * 10);
        const partly = new Map(partlyRead.map((file) => [file.path, file]));
        const left = new Set(leftOut.map(({ path }) => path));
        for (const [path, scores] of Object.entries(files)) {
          const read = ranges
            .filter((range) => range.path === path)
            .reduce((sum, { startLine, endLine }) => sum + endLine - startLine + 1, 0);
          const total = scores.length * 10;
          expect(left.has(path)).toBe(read === 0);
          expect(partly.get(path)?.linesRead).toBe(read > 0 && read < total ? read : undefined);
        }
      },
    ),
  );
});

function passage(path: string, ...lines: string[]): Passage {
  return { workspace: 'w', path, startLine: 5, endLine: 4 + lines.length, text: lines.join('\n') };
}
const three = [passage('a', 'x'), passage('b', 'x'), passage('c', 'aaaa', 'bbbb', 'cccc', 'dddd')];
const allLines = three.flatMap(({ text }) => text.split('\n')).toSorted();

test.each([
  [100, ['a:5-5', 'b:5-5', 'c:5-8'], []],
  [60, ['a:5-5', 'b:5-5', 'c:5-8'], []],
  [59, ['b:5-5', 'c:5-8'], ['a:5-5']],
  [40, ['c:5-8'], ['a:5-5', 'b:5-5']],
  [39, ['c:5-7'], ['a:5-5', 'b:5-5', 'c:8-8']],
  [20, ['c:5-6'], ['a:5-5', 'b:5-5', 'c:7-8']],
  [0, ['c:5-5'], ['a:5-5', 'b:5-5', 'c:6-8']],
])('trimmed to %i tokens', (limit, kept, gone) => {
  const { passages, dropped } = trimToLimit(three, [10, 10, 40], limit);
  expect(places(passages)).toEqual(kept);
  expect(places(dropped)).toEqual(gone);
  // Whole lines only, each of them in one of the two.
  expect([...dropped, ...passages].flatMap(({ text }) => text.split('\n')).toSorted()).toEqual(allLines);
});

test('nothing to trim', () => expect(trimToLimit([], [], 0)).toEqual({ passages: [], dropped: [] }));
test('lists of different length are refused', () => {
  expect(() => trimToLimit(three, [1, 2], 9)).toThrow('3 passages with 2 token counts');
});
test('trimming drops as few as fit', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 50, max: 400 }), (counts, limit) => {
      const all = counts.map((_, index) => passage(`${index}`, 'x'));
      const { passages, dropped } = trimToLimit(all, counts, limit);
      expect([...dropped, ...passages]).toEqual(all);
      const sum = counts.slice(dropped.length).reduce((a, b) => a + b);
      expect(sum).toBeLessThanOrEqual(limit);
      if (dropped.length > 0) expect(sum + counts[dropped.length - 1]!).toBeGreaterThan(limit);
    }),
  );
});
