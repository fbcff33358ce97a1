/** From what the heads paid to functions whose descriptions were asked for, the few that find them. Pure. */
import type { AttentionHead } from '../compression/options.ts';
import { bestHeads, chosenOnOtherHalf, excess, type RankedHead, type Scores } from './headRanking.ts';

/** What the heads of a model are used for; null where none was found that is clearly better than chance. */
export interface ModelHeads {
  /** The heads that find evidence in what was read, best first. */
  readonly evidence: readonly AttentionHead[] | null;
  /** The heads that find a passage by a question which was read without it, best first. */
  readonly ranking: readonly AttentionHead[] | null;
  /** How far the evidence heads swing: the median of `FinalAttention.focus` on a line of the function asked for. */
  readonly focus: number | null;
}

/** Functions that were read as one document. */
export interface DocumentAttention {
  /** Of each line the function, an index of `calibrationFunctions`. */
  readonly functionOf: readonly number[];
  /** For each of its functions' questions, in their order, what is paid to each line: f32 (lines, evidence candidates). */
  readonly paid: readonly Float32Array[];
  /** The same of a question without content. */
  readonly contentFree: Float32Array;
  /** For each question, by ranking candidate, the scores of the functions of the document in their order. */
  readonly ranking: readonly (readonly Float32Array[])[];
}

export interface HeadsAttention {
  /** All functions. */
  readonly functions: number;
  readonly evidenceCandidates: readonly AttentionHead[];
  readonly rankingCandidates: readonly AttentionHead[];
  readonly documents: readonly DocumentAttention[];
}

export interface ChosenHeads extends ModelHeads {
  /** Mean reciprocal ranks by the heads together, of the functions that they were not chosen by; null without candidates. */
  readonly evidenceRank: number | null;
  readonly rankingRank: number | null;
}

/** `ModelHeads.focus` of the heads that are kept for SmolLM2-135M. */
export const measuredFocus = 0.018;

const mostEvidenceHeads = 8;
const mostRankingHeads = 4;
/** Of a model with few heads that see all tokens, a larger share would be heads that find nothing. */
const largestShare = 1 / 2;
/** The least mean reciprocal rank (see `ChosenHeads`) at which heads are used; among nine functions chance gives 0.31. */
export const leastRank = 0.6;

export function chooseHeads({ functions, documents, ...candidates }: HeadsAttention): ChosenHeads {
  const { evidenceCandidates, rankingCandidates } = candidates;
  const evidence = chosen(
    evidenceCandidates.map((head, index) => ({ head, scores: evidenceScores(documents, index, functions) })),
    mostEvidenceHeads,
  );
  const ranking = chosen(
    rankingCandidates.map((head, index) => ({ head, scores: rankingScores(documents, index, functions) })),
    mostRankingHeads,
  );
  const indexes = evidence.heads?.map((head) => evidenceCandidates.indexOf(head)) ?? null;
  return {
    evidence: evidence.heads,
    ranking: ranking.heads,
    focus: indexes && medianFocus(documents, indexes),
    evidenceRank: evidence.rank,
    rankingRank: ranking.rank,
  };
}

function chosen(
  heads: readonly RankedHead<AttentionHead>[],
  most: number,
): { readonly heads: readonly AttentionHead[] | null; readonly rank: number | null } {
  if (heads.length === 0) return { heads: null, rank: null };
  const count = Math.min(most, Math.max(1, Math.floor(heads.length * largestShare)));
  const rank = chosenOnOtherHalf(heads, count);
  return { heads: rank < leastRank ? null : bestHeads(heads, count).map(({ head }) => head), rank };
}

function evidenceScores(documents: readonly DocumentAttention[], head: number, functions: number): Scores {
  return documents.flatMap(({ functionOf, paid, contentFree }) => {
    const own = [...new Set(functionOf)];
    const logMass = (values: Float32Array): Float32Array => {
      const ofLines = linesOf(values, head, functionOf.length);
      const mass = new Float32Array(functions);
      functionOf.forEach((index, line) => (mass[index]! += ofLines[line]!));
      return Float32Array.from(own, (index) => Math.log(Math.max(mass[index]!, smallestShare)));
    };
    const free = logMass(contentFree);
    return paid.map((values) => spread(excess(logMass(values), free), own, functions));
  });
}

function rankingScores(documents: readonly DocumentAttention[], head: number, functions: number): Scores {
  return documents.flatMap(({ functionOf, ranking }) => {
    const own = [...new Set(functionOf)];
    return ranking.map((byHead) => spread(byHead[head]!, own, functions));
  });
}

/** Below it a share of the attention is rounding. */
const smallestShare = 1e-9;

function linesOf(values: Float32Array, head: number, lines: number): Float32Array {
  return values.subarray(head * lines, (head + 1) * lines);
}

/** The scores of some functions among those of all. */
function spread(scores: Float32Array, own: readonly number[], functions: number): Float32Array {
  const all = new Float32Array(functions).fill(-Infinity);
  own.forEach((index, i) => (all[index] = scores[i]!));
  return all;
}

function medianFocus(documents: readonly DocumentAttention[], heads: readonly number[]): number {
  const focuses = documents.flatMap(({ functionOf, paid, contentFree }) => {
    const own = [...new Set(functionOf)];
    const mean = (values: Float32Array, line: number): number =>
      heads.reduce((sum, head) => sum + values[head * functionOf.length + line]!, 0) / heads.length;
    return paid.map((values, question) => {
      const lines = functionOf.flatMap((index, line) => (index === own[question] ? [line] : []));
      return Math.max(...lines.map((line) => mean(values, line) - mean(contentFree, line)));
    });
  });
  focuses.sort((a, b) => a - b);
  return focuses[Math.floor(focuses.length / 2)]!;
}
