import { describe, expect, test } from 'vitest';
import {
  chooseHeads,
  type DocumentAttention,
  type HeadsAttention,
} from '../../../extension/engine/heads/chooseHeads.ts';
import { uniforms } from '../../reference/random.ts';

const functions = 27;
const perDocument = 9;
const linesEach = 3;
const evidenceCandidates = Array.from({ length: 40 }, (_, i) => ({ layer: i >> 2, head: i & 3 }));
const rankingCandidates = evidenceCandidates.slice(0, 24);

/** Attention that is noise and a liking of some lines, but for the heads that find what is asked. */
function attention(evidence: readonly number[], ranking: readonly number[]): HeadsAttention {
  const next = uniforms(11);
  const lines = perDocument * linesEach;
  const liking = evidenceCandidates.map(() => Array.from({ length: lines }, () => next() ** 8 / 100));
  const paid = (asked: number): Float32Array =>
    Float32Array.from({ length: lines * evidenceCandidates.length }, (_, i) => {
      const [head, line] = [Math.floor(i / lines), i % lines];
      const finds = evidence.includes(head) && Math.floor(line / linesEach) === asked;
      return (
        (0.9 + 0.2 * next()) * (0.001 + liking[head]![line]!) + (finds && line % linesEach === 1 ? 0.02 : 0)
      );
    });
  const scores = (asked: number): Float32Array[] =>
    rankingCandidates.map((_, head) =>
      Float32Array.from({ length: perDocument }, (_, i) =>
        i === asked && ranking.includes(head) ? 2 : next(),
      ),
    );
  const questions = Array.from({ length: perDocument }, (_, question) => question);
  const documents = Array.from({ length: functions / perDocument }, (_, document): DocumentAttention => ({
    functionOf: Array.from(
      { length: lines },
      (_, line) => document * perDocument + Math.floor(line / linesEach),
    ),
    paid: questions.map(paid),
    contentFree: paid(-1),
    ranking: questions.map(scores),
  }));
  return { functions, evidenceCandidates, rankingCandidates, documents };
}

/** Of a list of heads, as indexes, ascending. */
const indexes = (heads: ReturnType<typeof chooseHeads>['evidence']): number[] | undefined =>
  heads?.map(({ layer, head }) => 4 * layer + head).sort((a, b) => a - b);

describe('heads', () => {
  const finders = [2, 3, 11, 17, 20, 29, 33, 38];
  const rankers = [1, 5, 6, 21];

  test('that find what is asked are chosen, each kind by itself', () => {
    const chosen = chooseHeads(attention(finders, rankers));
    expect(indexes(chosen.evidence)).toEqual(finders);
    expect(indexes(chosen.ranking)).toEqual(rankers);
    expect(chosen.evidenceRank).toBeGreaterThan(0.95);
    // Of the line that stands out.
    expect(chosen.focus).toBeCloseTo(0.02, 2);
  });

  test.each<[name: string, evidence: readonly number[], ranking: readonly number[]]>([
    ['none finds evidence', [], rankers],
    ['none ranks', finders, []],
    ['none does either', [], []],
  ])('are not used where %s', (_, evidence, ranking) => {
    const chosen = chooseHeads(attention(evidence, ranking));
    expect(chosen.evidence === null).toBe(evidence.length === 0);
    expect(chosen.ranking === null).toBe(ranking.length === 0);
    expect(chosen.focus === null).toBe(evidence.length === 0);
  });

  test('are at most half of those that a model with few has', () => {
    const all = attention(finders, rankers);
    const lines = perDocument * linesEach;
    const few = all.documents.map((document) => ({
      ...document,
      paid: document.paid.map((values) => values.subarray(0, 4 * lines)),
      contentFree: document.contentFree.subarray(0, 4 * lines),
    }));
    const chosen = chooseHeads({
      ...all,
      evidenceCandidates: evidenceCandidates.slice(0, 4),
      documents: few,
    });
    expect(indexes(chosen.evidence)).toEqual([2, 3]);
  });

  test('are none where none was looked at', () => {
    const nothing = { functions: 0, evidenceCandidates: [], rankingCandidates: [], documents: [] };
    expect(chooseHeads(nothing)).toMatchObject({ evidence: null, ranking: null, focus: null });
  });
});
