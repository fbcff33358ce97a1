/** How well heads rank the functions of a document by a question: the one that question i describes is function i. Pure. */

/** By question, the scores of all functions; -Infinity for those that it is not compared with. */
export type Scores = readonly Float32Array[];

export interface RankedHead<Head> {
  readonly head: Head;
  readonly scores: Scores;
}

/**
 * What each question pays to each passage more than a content-free one does, z-scored over the passages.
 * @param logMass f32 (passages, passages + 1), passages fastest: a row for each question, the content-free one last.
 */
export function scoresOf(logMass: Float32Array, passages: number): Float32Array[] {
  const row = (question: number): Float32Array =>
    logMass.subarray(question * passages, (question + 1) * passages);
  const contentFree = row(passages);
  return Array.from({ length: passages }, (_, question) => excess(row(question), contentFree));
}

/** By how much the logarithms exceed those of a content-free question, in standard deviations from the mean. */
export function excess(logMass: Float32Array, contentFree: Float32Array): Float32Array {
  const difference = logMass.map((value, passage) => value - contentFree[passage]!);
  const mean = difference.reduce((total, value) => total + value, 0) / difference.length;
  const variance = difference.reduce((total, value) => total + (value - mean) ** 2, 0) / difference.length;
  return difference.map((value) => (variance === 0 ? 0 : (value - mean) / Math.sqrt(variance)));
}

/** Over the named questions, all by default; of equal scores the right one counts as the last. */
export function meanReciprocalRank(
  scores: Scores,
  questions: readonly number[] = [...scores.keys()],
): number {
  const ranks = questions.map((question) => {
    const own = scores[question]![question]!;
    return scores[question]!.reduce((rank, value) => rank + Number(value >= own), 0);
  });
  return ranks.reduce((total, rank) => total + 1 / rank, 0) / questions.length;
}

/** The heads that rank best on the named questions, best first. */
export function bestHeads<Head>(
  heads: readonly RankedHead<Head>[],
  count: number,
  questions?: readonly number[],
): RankedHead<Head>[] {
  return heads
    .map((head) => ({ head, value: meanReciprocalRank(head.scores, questions) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ head }) => head);
}

/** The reciprocal rank of the heads together, on questions that they were not chosen by: two halves, even and odd. */
export function chosenOnOtherHalf<Head>(heads: readonly RankedHead<Head>[], count: number): number {
  const questions = heads[0]!.scores.map((_, question) => question);
  const halves = [0, 1].map((parity) => questions.filter((question) => question % 2 === parity)) as [
    number[],
    number[],
  ];
  const values = [halves, [...halves].reverse() as [number[], number[]]].map(([chosenBy, judgedBy]) => {
    const chosen = bestHeads(heads, count, chosenBy);
    return meanReciprocalRank(sumScores(chosen.map(({ scores }) => scores)), judgedBy) * judgedBy.length;
  });
  return values.reduce((total, value) => total + value, 0) / questions.length;
}

/** The scores of several heads together. */
export function sumScores(all: readonly Scores[]): Float32Array[] {
  return all[0]!.map((first, question) =>
    first.map((_, passage) => all.reduce((total, scores) => total + scores[question]![passage]!, 0)),
  );
}
