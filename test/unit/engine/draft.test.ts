import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draftAfter, draftLength, firstTrust, trustAfter } from '../../../extension/engine/draft.ts';
import type { Token } from '../../../extension/engine/numbers.ts';
import { uniforms } from '../../reference/random.ts';

const tokens = (text: string): Token[] => Array.from(text, (letter) => letter.charCodeAt(0) as Token);
const text = (drafted: readonly Token[]): string => String.fromCharCode(...drafted);

describe('a draft', () => {
  test.each([
    {
      what: 'what followed the last three tokens',
      read: 'abcdefgh',
      answer: 'xabc',
      length: 3,
      draft: 'def',
    },
    { what: 'nothing after two', read: 'abcdefgh', answer: 'xxbc', length: 3, draft: '' },
    { what: 'nothing where they do not stand', read: 'abcdefgh', answer: 'abd', length: 3, draft: '' },
    { what: 'after the longest match', read: 'zabcde abc12', answer: 'zabc', length: 2, draft: 'de' },
    { what: 'after the last of equal ones', read: 'abc1 abc2', answer: 'xabc', length: 1, draft: '2' },
    { what: 'no longer than what was read', read: 'abcd', answer: 'abc', length: 5, draft: 'd' },
    { what: 'nothing at the very end', read: 'abc', answer: 'abc', length: 5, draft: '' },
    { what: 'no longer than wanted', read: 'abcdefgh', answer: 'abc', length: 0, draft: '' },
    { what: 'nothing before anything is written', read: 'abcdef', answer: '', length: 4, draft: '' },
    { what: 'nothing where nothing was read', read: '', answer: 'abc', length: 4, draft: '' },
  ])('is $what', ({ read, answer, length, draft }) => {
    expect(text(draftAfter(tokens(read), tokens(answer), length))).toBe(draft);
  });

  test('is that of the slow twin', () => {
    const word = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 40 });
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 9 }), (read, answer, length) => {
        const drafted = draftAfter(read as Token[], answer as Token[], length);
        expect(drafted).toEqual(slowDraft(read, answer, length));
      }),
    );
  });
});

describe('the length of a draft', () => {
  // Milliseconds on two cores, the default model in q8_0 and in q4_1; a GPU, of which the shape is assumed.
  const measured = {
    q8: [8.4, 19, 27.6, 35.9],
    q4: [10.7, 28.3, 44.4, 68],
    gpu: [3, 3.1, 3.2, 3.6],
  };
  const costs = (name: keyof typeof measured) =>
    [0, 2, 4, 8].map((drafted, i) => ({ drafted, seconds: measured[name][i]! / 1000 }));

  test.each<[costs: keyof typeof measured, trust: number, drafted: number]>([
    ['q8', 0, 0],
    ['q8', 0.5, 0],
    ['q8', 0.7, 0],
    ['q8', 0.85, 8],
    ['q8', 1, 8],
    ['q4', 0.85, 0],
    ['q4', 1, 8],
    ['gpu', 0, 0],
    ['gpu', 0.1, 2],
    ['gpu', 0.5, 4],
    ['gpu', 0.8, 8],
  ])('by the costs of %s, %d of the guesses right, is %d', (name, trust, drafted) => {
    expect(draftLength(costs(name), trust)).toBe(drafted);
  });

  test('is 0 where no cost is known', () => {
    expect(draftLength([], 1)).toBe(0);
  });

  test('is the one that writes most in the least time, by trying many drafts', () => {
    const cost = fc.double({ min: 1, max: 9, noNaN: true });
    const next = uniforms(5);
    fc.assert(
      fc.property(fc.tuple(cost, cost, cost), fc.double({ min: 0, max: 1, noNaN: true }), (times, trust) => {
        const all = [0, 2, 6].map((drafted, i) => ({ drafted, seconds: times[i]! }));
        const speeds = new Map(
          all.map(({ drafted, seconds }) => [drafted, writtenOnAverage(drafted, trust, next) / seconds]),
        );
        const chosen = speeds.get(draftLength(all, trust))!;
        expect(chosen).toBeGreaterThan(0.9 * Math.max(...speeds.values()));
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  test('follows a quote from its beginning to behind its end', () => {
    const rights = [...Array<boolean>(6).fill(true), ...Array<boolean>(3).fill(false)];
    let trust = firstTrust;
    const lengths = rights.map((wasRight) => draftLength(costs('q8'), (trust = trustAfter(trust, wasRight))));
    expect(lengths).toEqual([0, 0, 2, 2, 8, 8, 0, 0, 0]);
  });
});

/** Tokens that a decode writes: the right ones of the draft up to the first wrong one, and the model's own behind them. */
function writtenOnAverage(drafted: number, trust: number, next: () => number): number {
  const tries = 3000;
  let tokens = 0;
  for (let i = 0; i < tries; i++) {
    let right = 0;
    while (right < drafted && next() < trust) right++;
    tokens += right + 1;
  }
  return tokens / tries;
}

/** Every length of a match from the longest down, every place from the last. */
function slowDraft(read: readonly number[], answer: readonly number[], length: number): number[] {
  for (let match = 12; match >= 3; match--) {
    for (let end = read.length - 1; end >= match; end--) {
      const before = read.slice(end - match, end);
      if (match > answer.length || String(before) !== String(answer.slice(-match))) continue;
      return read.slice(end, end + length);
    }
  }
  return [];
}
