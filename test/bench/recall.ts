/** How much of what is asked for lies within the first tokens of a ranking, and how sure a difference is. */
import { uniforms } from '../reference/random.ts';

/** What a question asks for: shares, 0 to 1, of its lines by passage. */
export type Wanted = ReadonlyMap<number, number>;

/** The least share of what is wanted that counts as found. */
const foundShare = 0.5;

/**
 * Whether each question's target is among the passages that are taken best first, each that still fits.
 * @param scores by question, then passage; of equal ones the first passage comes first
 * @param tokens of each passage
 */
export function foundWithin(
  scores: readonly ArrayLike<number>[],
  wanted: readonly Wanted[],
  tokens: readonly number[],
  budget: number,
): boolean[] {
  return wanted.map((shares, question) => {
    const own = scores[question]!;
    const order = [...tokens.keys()].sort((a, b) => own[b]! - own[a]! || a - b);
    let left = budget;
    let found = 0;
    for (const passage of order) {
      if (tokens[passage]! > left) continue;
      left -= tokens[passage]!;
      found += shares.get(passage) ?? 0;
    }
    return found >= foundShare;
  });
}

export interface Interval {
  readonly low: number;
  readonly value: number;
  readonly high: number;
}

const resamples = 10_000;

/**
 * The mean of `a` over that of `b`, both of the same questions, with the 95 % interval of a paired bootstrap over
 * the questions; always the same for the same values.
 */
export function meanRatio(a: readonly number[], b: readonly number[]): Interval {
  const next = uniforms(1);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const ratios = Array.from({ length: resamples }, () => {
    let [above, below] = [0, 0];
    for (let i = 0; i < a.length; i++) {
      const question = Math.floor(next() * a.length);
      above += a[question]!;
      below += b[question]!;
    }
    return above / below;
  }).sort((x, y) => x - y);
  return {
    low: ratios[Math.floor(0.025 * resamples)]!,
    value: sum(a) / sum(b),
    high: ratios[Math.floor(0.975 * resamples)]!,
  };
}
