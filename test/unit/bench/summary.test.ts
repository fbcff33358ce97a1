import { expect, test } from 'vitest';
import { areaUnderCurve, isCloser, summaries } from '../../bench/summary.ts';

test.each([
  { nll: 1, nothing: 4, everything: 0.5, closer: true },
  { nll: 3, nothing: 4, everything: 0.5, closer: false },
  { nll: 2.25, nothing: 4, everything: 0.5, closer: false },
  { nll: 0.1, nothing: 4, everything: 0.5, closer: true },
  // Where reading everything does not help, only what is better than both counts.
  { nll: 0.9, nothing: 1, everything: 1, closer: true },
  { nll: 1.4, nothing: 1, everything: 1, closer: false },
])('$nll is closer to everything ($everything) than to nothing ($nothing): $closer', (c) => {
  expect(isCloser(c.nll, c.nothing, c.everything)).toBe(c.closer);
});

test('each cache is summed up over the facts that were measured with nothing and everything', () => {
  const row = (cache: string, fact: string, nll: number) =>
    ({ document: 0, fact, cache, nll, place: 'early', focus: 0.02 }) as const;
  const rows = [
    ...[row('nothing', 'a', 4), row('everything', 'a', 1), row('default', 'a', 2)],
    ...[row('nothing', 'b', 2), row('everything', 'b', 1), row('default', 'b', 2)],
    row('default', 'never measured otherwise', 9),
  ];
  const found = summaries(rows).find(({ cache }) => cache === 'default');
  expect(found).toMatchObject({ facts: 2, nll: 2, nothing: 3, everything: 1, shareOfGain: 0.5, closer: 0.5 });
});

test('the area under the curve is the share of pairs in order', () => {
  expect(areaUnderCurve([3, 2], [1, 2])).toBe(0.875);
});
