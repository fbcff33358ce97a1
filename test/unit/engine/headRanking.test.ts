import { expect, test } from 'vitest';
import {
  bestHeads,
  chosenOnOtherHalf,
  meanReciprocalRank,
  scoresOf,
  type RankedHead,
} from '../../../extension/engine/heads/headRanking.ts';
import { gaussians } from '../../reference/random.ts';

const passages = 12;

/** Attention that is noise, a bias towards some passages, and `signal` on the right one. */
function logMass(seed: number, signal: number): Float32Array {
  const noise = gaussians(passages * (passages + 1), seed, 'noise');
  const bias = gaussians(passages, seed, 'bias');
  return Float32Array.from({ length: passages * (passages + 1) }, (_, i) => {
    const [question, passage] = [Math.floor(i / passages), i % passages];
    return 0.3 * noise[i]! + 5 * bias[passage]! + (question === passage ? signal : 0);
  });
}

const heads: RankedHead<[number, number]>[] = Array.from({ length: 40 }, (_, i) => ({
  head: [i >> 3, i & 7],
  scores: scoresOf(logMass(i + 1, i % 10 === 3 ? 3 : 0), passages),
}));
const finders = heads.filter((_, i) => i % 10 === 3);

test('the content-free question takes out what a head always pays to a passage', () => {
  for (const { scores } of finders) expect(meanReciprocalRank(scores)).toBeGreaterThan(0.9);
});

test('the heads that find the passages are chosen, and find those of the other half', () => {
  const names = (list: readonly RankedHead<[number, number]>[]): string[] =>
    list.map(({ head }) => head.join()).sort();
  expect(names(bestHeads(heads, finders.length))).toEqual(names(finders));
  expect(chosenOnOtherHalf(heads, finders.length)).toBeGreaterThan(0.95);
});

test('heads that all pay the same find nothing', () => {
  const flat = scoresOf(new Float32Array(passages * (passages + 1)), passages);
  expect(meanReciprocalRank(flat)).toBeCloseTo(1 / passages);
});
