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

/** The mean of `a` over that of `b`, both of the same questions; see `bootstrap`. */
export function meanRatio(a: readonly number[], b: readonly number[]): Interval {
  return bootstrap(a.length, (questions) => sumOf(a, questions) / sumOf(b, questions));
}

/** The mean of `a` less that of `b`, both of the same questions; see `bootstrap`. */
export function meanDifference(a: readonly number[], b: readonly number[]): Interval {
  return bootstrap(a.length, (questions) => (sumOf(a, questions) - sumOf(b, questions)) / questions.length);
}

/**
 * A value of some questions with the 95 % interval of a bootstrap over them, which takes both sides of a pair together;
 * always the same for the same values.
 */
function bootstrap(count: number, valueOf: (questions: readonly number[]) => number): Interval {
  const next = uniforms(1);
  const values = Array.from({ length: resamples }, () =>
    valueOf(Array.from({ length: count }, () => Math.floor(next() * count))),
  ).sort((x, y) => x - y);
  return {
    low: values[Math.floor(0.025 * resamples)]!,
    value: valueOf(Array.from({ length: count }, (_, question) => question)),
    high: values[Math.floor(0.975 * resamples)]!,
  };
}

function sumOf(values: readonly number[], questions: readonly number[]): number {
  return questions.reduce((total, question) => total + values[question]!, 0);
}
