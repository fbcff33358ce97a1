/** The ways to answer within a number of tokens that generation sees. */
import { defaultReadingLimit } from '../../../extension/ask.ts';
import { chooseReading } from '../../../extension/chooseReading.ts';
import { presetOptions, type CompressionOptions } from '../../../extension/engine/compression/options.ts';
import type { AttentionHead } from '../../../extension/engine/compression/options.ts';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import type { Passage, SourceDocument } from '../../../extension/protocol/nouns.ts';
import { passageText } from '../../../extension/protocol/passageText.ts';
import { lineOffsets, passageOf } from '../../../extension/retrieval/lines.ts';
import { startRanking, type RankedPassage } from '../../../extension/retrieval/ranking.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';

export interface WayParts {
  /** In the order of their files. */
  readonly documents: readonly SourceDocument[];
  readonly question: string;
  readonly tokenBudget: number;
  readonly countTokens: (text: string) => number;
  readonly evidenceHeads: readonly AttentionHead[] | null;
}

export interface WayReading {
  readonly passages: readonly Passage[];
  /** Absent: uncompressed. */
  readonly options?: CompressionOptions;
}

export interface Way {
  readonly about: string;
  /** What is read depends on the question. */
  readonly byQuestion: boolean;
  /** What is read depends on the budget. */
  readonly byBudget: boolean;
  readonly read: (parts: WayParts) => WayReading | Promise<WayReading>;
}

const engineWayNames = [
  ...(['nothing', 'everything', 'head', 'tail'] as const),
  ...(['bm25', 'bm25First', 'default', 'allRead', 'inFileOrder', 'paper'] as const),
] as const;

/** `kvpress` reads as `paper` does, in a process of its own (see `Kvpress`). */
export const wayNames = [...engineWayNames, 'kvpress'] as const;

export type WayName = (typeof wayNames)[number];

const ways: Readonly<Record<(typeof engineWayNames)[number], Way>> = {
  nothing: {
    ...{ about: 'nothing read', byQuestion: false, byBudget: false },
    read: () => ({ passages: [] }),
  },
  everything: {
    ...{ about: 'everything, uncompressed', byQuestion: false, byBudget: false },
    read: ({ documents }) => ({ passages: documents.map(wholeOf) }),
  },
  head: {
    ...{ about: 'the first tokens', byQuestion: false, byBudget: true },
    read: ({ documents, tokenBudget, countTokens }) => ({
      passages: fitting(documents.map(wholeOf), tokenBudget, countTokens, 'head'),
    }),
  },
  tail: {
    ...{ about: 'the last tokens', byQuestion: false, byBudget: true },
    read: ({ documents, tokenBudget, countTokens }) => ({
      passages: fitting(documents.map(wholeOf).reverse(), tokenBudget, countTokens, 'tail').reverse(),
    }),
  },
  bm25: {
    ...{ about: 'the best passages by words, the best last', byQuestion: true, byBudget: true },
    read: (parts) => ({ passages: bestPassages(parts).reverse() }),
  },
  bm25First: {
    ...{ about: 'the best passages by words, the best first', byQuestion: true, byBudget: true },
    read: (parts) => ({ passages: bestPassages(parts) }),
  },
  paper: {
    ...{ about: 'the published method, files in their order', byQuestion: true, byBudget: true },
    read: ({ documents, tokenBudget, evidenceHeads }) => ({
      passages: documents.map(wholeOf),
      options: presetOptions('paper', tokenBudget, evidenceHeads),
    }),
  },
  default: {
    ...{ about: 'as the product reads, in rising relevance', byQuestion: true, byBudget: true },
    read: (parts) => asProduct(parts, defaultLimit(parts.tokenBudget)),
  },
  allRead: {
    ...{ about: 'as the product reads when told to read everything', byQuestion: true, byBudget: true },
    read: (parts) => asProduct(parts, 'all'),
  },
  inFileOrder: {
    ...{ about: "the product's compression, files in their order", byQuestion: true, byBudget: true },
    read: ({ documents, tokenBudget, evidenceHeads }) => ({
      passages: documents.map(wholeOf),
      options: presetOptions('default', tokenBudget, evidenceHeads),
    }),
  },
};

export const grammars = createGrammars(readGrammarFile);

/** Tokens that the product reads by default, on a machine on which that takes no half a minute. */
export function defaultLimit(tokenBudget: number): number {
  return defaultReadingLimit(Infinity, tokenBudget);
}

export function wayOf(name: WayName): Way {
  return ways[name === 'kvpress' ? 'paper' : name];
}

function wholeOf(document: SourceDocument): Passage {
  const { workspace, path } = document;
  return passageOf(document, {
    ...{ workspace, path },
    ...{ startLine: 1, endLine: lineOffsets(document.text).length - 1 },
  });
}

function ranked({ documents, question }: WayParts): RankedPassage[] {
  const ranking = startRanking(question);
  for (const document of documents) ranking.add(document);
  return ranking.rank();
}

async function asProduct(parts: WayParts, readingLimit: number | 'all'): Promise<WayReading> {
  const { documents, countTokens, tokenBudget, evidenceHeads } = parts;
  const { passages } = await chooseReading({
    ...{ ranked: ranked(parts), readingLimit, grammars, signal: new AbortController().signal },
    files: documents.map(({ workspace, path }) => ({
      ...{ workspace, path },
      ...{ absolutePath: path, bytes: 0, modifiedMs: 0 },
    })),
    async *readDocuments(files) {
      for (const { path } of files) yield await Promise.resolve(documentOf(parts, path));
    },
    countTokens: (texts) => Promise.resolve(texts.map(countTokens)),
  });
  return { passages, options: presetOptions('default', tokenBudget, evidenceHeads) };
}

/** The best first; the last that fits is cut to what is left. */
function bestPassages(parts: WayParts): Passage[] {
  const passages = ranked(parts).map((range) => passageOf(documentOf(parts, range.path), range));
  return fitting(passages, parts.tokenBudget, parts.countTokens, 'head');
}

function documentOf({ documents }: WayParts, path: string): SourceDocument {
  return documents.find((document) => document.path === path)!;
}

/** Passages in their order until the tokens are used up, the last of them cut to its first or last lines. */
function fitting(
  passages: readonly Passage[],
  tokens: number,
  countTokens: (text: string) => number,
  kept: 'head' | 'tail',
): Passage[] {
  const taken: Passage[] = [];
  let room = tokens;
  for (const passage of passages) {
    const cost = countTokens(passageText(passage));
    if (cost <= room) {
      taken.push(passage);
      room -= cost;
      continue;
    }
    const cut = cutTo(passage, room, countTokens, kept);
    if (cut !== undefined) taken.push(cut);
    break;
  }
  return taken;
}

function cutTo(
  passage: Passage,
  tokens: number,
  countTokens: (text: string) => number,
  kept: 'head' | 'tail',
): Passage | undefined {
  const lines = passage.text.split('\n');
  const part = (count: number): Passage =>
    kept === 'head'
      ? { ...passage, endLine: passage.startLine + count - 1, text: lines.slice(0, count).join('\n') }
      : { ...passage, startLine: passage.endLine - count + 1, text: lines.slice(-count).join('\n') };
  let [fits, tooLong] = [0, lines.length];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (countTokens(passageText(part(middle))) <= tokens) fits = middle;
    else tooLong = middle;
  }
  return fits === 0 ? undefined : part(fits);
}
