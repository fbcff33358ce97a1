/** The limits, held to what was measured. */
import { describe, expect, test } from 'vitest';
import { notHeldFocus, thinEvidenceFocus } from '../../../extension/engine/focusLimits.ts';
import { readRows } from '../../bench/quality/rows.ts';

const rows = readRows('test/bench/results/quality.json').filter(({ way }) => way === 'default');
const isMarked = ({ focus, seenTokens }: (typeof rows)[number]): boolean =>
  focus !== null && focus < thinEvidenceFocus(seenTokens, true);

describe('thin evidence', () => {
  test.each([192, 256, 384, 768, 1024, 2048])(
    'is seldom said of what was found with %d tokens kept',
    (budget) => {
      const found = rows.filter(
        (row) => row.budget === budget && row.kind !== 'absent' && (row.lineRecall ?? 0) > 0,
      );
      expect(found.length).toBeGreaterThan(20);
      expect(found.filter(isMarked).length / found.length).toBeLessThan(0.2);
    },
  );

  test.each([256, 384, 1024, 2048])('is said of most of what is not there with %d tokens kept', (budget) => {
    const absent = rows.filter((row) => row.budget === budget && row.kind === 'absent');
    expect(absent.length).toBeGreaterThanOrEqual(12);
    expect(absent.filter(isMarked).length / absent.length).toBeGreaterThan(0.5);
  });

  test('of all answers that were found one in ten is marked, of all absent ones two of three are not spared', () => {
    const found = rows.filter((row) => row.kind !== 'absent' && (row.lineRecall ?? 0) > 0);
    const absent = rows.filter((row) => row.kind === 'absent');
    expect(found.filter(isMarked).length / found.length).toBeLessThan(0.1);
    expect(absent.filter(isMarked).length / absent.length).toBeGreaterThan(2 / 3);
  });
});

test.each<[what: string, limit: (keptTokens: number) => number, measured: number, focus: number]>([
  ['thin evidence', (kept) => thinEvidenceFocus(kept, true), 320, 0.0102],
  ['what is not held', notHeldFocus, 512, 0.008],
])('the limit of %s halves with eight times as many tokens', (_, limit, measured, focus) => {
  expect(limit(measured)).toBeCloseTo(focus, 10);
  expect(limit(8 * measured)).toBeCloseTo(focus / 2, 10);
  expect(limit(64)).toBe(limit(192));
});
