import type { LineRange, SourceDocument } from '../protocol/nouns.ts';
import { isDefinedName } from './definitions.ts';
import { fuseScores } from './fuseScores.ts';
import { comparePlaces } from './lines.ts';
import { splitPassages, type PassageSpan } from './passages.ts';
import { questionTerms, scanWords, termsOf, termsOfWord } from './terms.ts';

export interface RankedPassage extends LineRange {
  /** 0 when nothing of the question is in it; comparable within one ranking only. */
  readonly score: number;
  /** UTF-16 code units of the text, line feeds included. */
  readonly characters: number;
}

export interface Ranking {
  /** Takes what the ranking needs of a document; its text is not held. */
  add(document: SourceDocument): void;
  /** Every passage of every document, best first; equal scores by workspace, path and line. */
  rank(attention?: AttentionScores): RankedPassage[];
}

/** What the attention says of the passage around a line, 1-based, of a file; NaN where it is not known. */
export type AttentionScores = (file: Pick<LineRange, 'workspace' | 'path'>, line: number) => number;

/**
 * Ranks the passages of documents by a question, with BM25 over weighted counts: an occurrence counts more where
 * the name is defined, and the terms of a path count for all passages of its file. The terms of the question are
 * known before the documents come, so that one pass over each is enough. A follow-up often leaves out what it is
 * about, so the terms of the question before it count as well, but less.
 * @param passageShare how long the passages are: see `splitPassages`
 */
export function startRanking(question: string, previousQuestion = '', passageShare = 1): Ranking {
  const own = new Set(questionTerms(question));
  const asked = [...new Set([...own, ...questionTerms(previousQuestion)])];
  const terms = asked.length > 0 ? asked : introductions;
  const shares = terms.map((term) => (own.size === 0 || own.has(term) ? 1 : PREVIOUS_QUESTION_SHARE));
  const ids = new Map(terms.map((term, id) => [term, id]));
  // The names of introductions are looked for among paths alone: what a text says of them introduces nothing.
  const matchesOf = asked.length > 0 ? wordMatcher(ids) : () => noMatches;
  const lowered = sideMatters.filter(({ askedBy }) => !terms.some((term) => askedBy.has(term)));
  const found: CountedPassage[] = [];

  return {
    add(document) {
      const weightsOfPath = pathWeights(document.path, ids);
      const share = lowered.some(({ paths }) => paths.test(document.path)) ? SIDE_MATTER_SHARE : 1;
      for (const span of splitPassages(document, passageShare))
        found.push(countPassage(document, span, matchesOf, weightsOfPath, share));
    },
    rank(attention) {
      const byWords = scorePassages(found, shares);
      const ranked = attention === undefined ? byWords : fused(byWords, attention);
      return ranked.sort((a, b) => b.score - a.score || comparePlaces(a, b));
    },
  };
}

interface CountedPassage extends Omit<RankedPassage, 'score'> {
  /** Words of the text, of the question or not. */
  readonly words: number;
  /** Weighted count per term id, of the terms that occur. */
  readonly counts: ReadonlyMap<number, number>;
  /** What its score is multiplied by. */
  readonly share: number;
}

function countPassage(
  document: SourceDocument,
  span: PassageSpan,
  matchesOf: (text: string, start: number, end: number) => readonly number[],
  weightsOfPath: ReadonlyMap<number, number>,
  share: number,
): CountedPassage {
  const { text, path } = document;
  const prose = prosePath.test(path);
  const counts = new Map(weightsOfPath);
  let words = 0;
  scanWords(text, span.start, span.end, (start, end) => {
    words++;
    const matches = matchesOf(text, start, end);
    if (matches.length === 0) return;
    const lineStart = text.lastIndexOf('\n', start) + 1;
    const weight = isDefinedName(text, lineStart, start, end, prose) ? 1 + DEFINITION_WEIGHT : 1;
    for (const id of matches) counts.set(id, (counts.get(id) ?? 0) + weight);
  });
  return {
    workspace: span.workspace,
    path: span.path,
    startLine: span.startLine,
    endLine: span.endLine,
    characters: span.end - span.start,
    words,
    counts,
    share,
  };
}

/** @param shares what each term's part of the score is multiplied by */
function scorePassages(passages: readonly CountedPassage[], shares: readonly number[]): RankedPassage[] {
  const holding = new Float64Array(shares.length);
  let words = 0;
  for (const passage of passages) {
    words += passage.words;
    for (const id of passage.counts.keys()) holding[id]!++;
  }
  const worth = holding.map(
    (count, id) => shares[id]! * Math.log(1 + (passages.length - count + 0.5) / (count + 0.5)),
  );
  const averageWords = Math.max(1, words / passages.length);

  return passages.map(({ counts, words: length, share, ...passage }) => {
    const lengthPart = SATURATION * (1 - LENGTH_PART + (LENGTH_PART * length) / averageWords);
    let score = 0;
    for (const [id, count] of counts) score += (worth[id]! * count * (SATURATION + 1)) / (count + lengthPart);
    return { ...passage, score: score * share };
  });
}

/** The least score is 0 again. */
function fused(passages: readonly RankedPassage[], attention: AttentionScores): RankedPassage[] {
  const scores = fuseScores(
    Float64Array.from(passages, ({ score }) => score),
    Float64Array.from(passages, (passage) =>
      attention(passage, Math.floor((passage.startLine + passage.endLine) / 2)),
    ),
  );
  const least = scores.reduce((least, score) => Math.min(least, score), 0);
  return passages.map((passage, index) => ({ ...passage, score: scores[index]! - least }));
}

/** Weights of the question's terms that a path holds: those of the file's name count more than those of its folders. */
function pathWeights(path: string, ids: ReadonlyMap<string, number>): Map<number, number> {
  const weights = new Map<number, number>();
  const nameStart = path.lastIndexOf('/') + 1;
  const take = (part: string, weight: number) => {
    for (const term of termsOf(part)) {
      const id = ids.get(term);
      if (id !== undefined) weights.set(id, Math.max(weight, weights.get(id) ?? 0));
    }
  };
  take(path.slice(0, nameStart), FOLDER_WEIGHT);
  take(path.slice(nameStart), FILE_NAME_WEIGHT);
  return weights;
}

/** Term ids of a word of a text. Words come again and again, so each is taken apart once. */
function wordMatcher(ids: ReadonlyMap<string, number>) {
  const known = new Map<string, readonly number[]>();
  return (text: string, start: number, end: number): readonly number[] => {
    const word = text.slice(start, end);
    const before = known.get(word);
    if (before !== undefined) return before;
    const found = termsOfWord(word).flatMap((term) => ids.get(term) ?? []);
    const matches = found.length === 0 ? noMatches : found;
    if (known.size >= MAX_KNOWN_WORDS) known.clear();
    known.set(detached(word), matches);
    return matches;
  };
}

/** A copy that does not keep alive the text it was sliced from. */
function detached(word: string): string {
  let copy = '';
  for (let index = 0; index < word.length; index++) copy += String.fromCharCode(word.charCodeAt(index));
  return copy;
}

const noMatches: readonly number[] = [];
/** Entries; about 10 MB. A tree with more distinct words takes some of them apart again. */
const MAX_KNOWN_WORDS = 100_000;

/** BM25's k1: how soon further occurrences stop counting. */
const SATURATION = 1.2;
/** BM25's b: 0 ignores the length of a passage, 1 divides by it. Passages are of similar length by themselves. */
const LENGTH_PART = 0.5;
/** In occurrences. */
const DEFINITION_WEIGHT = 3;
const FILE_NAME_WEIGHT = 3;
const FOLDER_WEIGHT = 1;
/** Of a term that only the question before has. */
const PREVIOUS_QUESTION_SHARE = 0.4;

/** How files are named that say what a project is, for questions that ask no more than that. */
const introductions = termsOf('readme architecture overview introduction main');

const prosePath = /\.(?:md|mdx|markdown|txt)$/i;

/** Files that speak of everything and explain little, unless the question is about them. */
const SIDE_MATTER_SHARE = 0.7;
const sideMatters: readonly { readonly paths: RegExp; readonly askedBy: ReadonlySet<string> }[] = [
  {
    paths:
      /(?:^|\/)(?:tests?|__tests__|specs?|fixtures?|benchmarks?)\/|[._-](?:test|spec)\.|(?:^|\/)test_|_test\.[a-z]+$/i,
    askedBy: new Set(termsOf('test spec fixture benchmark coverage mock')),
  },
  {
    paths: /(?:^|\/)(?:changelog|changes|history|news|licen[cs]e|copying|notice)(?:\.[a-z]+)?$/i,
    askedBy: new Set(termsOf('changelog change history release version license copyright')),
  },
];
