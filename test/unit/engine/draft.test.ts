import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  draftAfter,
  firstDraftLength,
  maxDraftTokens,
  nextDraftLength,
} from '../../../extension/engine/draft.ts';
import type { Token } from '../../../extension/engine/numbers.ts';

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

test('the length doubles after a draft that was right, and halves after one that was wrong at once', () => {
  let length = firstDraftLength;
  const lengths = [
    [2, 2],
    [4, 4],
    [8, 8],
    [8, 3],
    [8, 0],
    [4, 0],
    [0, 0],
    [2, 0],
    [1, 0],
  ].map(([drafted, accepted]) => {
    length = nextDraftLength(length, drafted!, accepted!);
    return length;
  });
  expect(lengths).toEqual([4, maxDraftTokens, maxDraftTokens, maxDraftTokens, 4, 2, 2, 1, 1]);
});

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
