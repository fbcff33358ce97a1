/**
 * From a ranking to the passages that are given to the model: planned by an estimate, read again, grown to syntactic
 * borders, counted exactly, and held to the limit.
 */
import { textHash } from './textHash.ts';
import type { Passage, SkippedFile } from './protocol/nouns.ts';
import { passageText } from './protocol/passageText.ts';
import { trimToLimit } from './retrieval/exactLimit.ts';
import { lineOffsets, passageOf } from './retrieval/lines.ts';
import type { RankedPassage } from './retrieval/ranking.ts';
import { inReadingOrder, planReading, type PlannedRange } from './retrieval/readingPlan.ts';
import { snapRanges, type Grammars } from './retrieval/syntax.ts';
import type { FoundFile } from './workspace/findFiles.ts';
import { isSkipped, type readSourceDocuments } from './workspace/readSourceDocument.ts';

export interface ReadingParts {
  /** Every passage of every file, best first. */
  readonly ranked: readonly RankedPassage[];
  readonly files: readonly FoundFile[];
  /** Tokens, header lines included. */
  readonly readingLimit: number | 'all';
  readonly readDocuments: typeof readSourceDocuments;
  readonly grammars: Grammars;
  readonly countTokens: (texts: readonly string[]) => Promise<readonly number[]>;
  readonly signal: AbortSignal;
}

export interface ReadingChoice {
  /** In reading order: the most relevant last. */
  readonly passages: readonly Passage[];
  /**
   * Of the passages with their headers, by the model's tokenizer. Above the limit only when one line is alone, which
   * is not cut further.
   */
  readonly tokens: number;
  readonly filesRead: number;
  /** Of the whole text of each file of the passages, by workspace, line feed, path. */
  readonly fileHashes: ReadonlyMap<string, string>;
  /** False when a line of a ranked file is not among the passages. */
  readonly everything: boolean;
  /** Ranked files of which no line is among the passages. */
  readonly skipped: readonly SkippedFile[];
}

/** The first guess, tokens per UTF-16 code unit of source code; what is chosen by it shows the true value. */
const assumedTokensPerCharacter = 0.3;

/**
 * Chooses what is read. All of it is when it fits the limit; otherwise the best-ranked passages that do.
 * @throws AskError what reading and counting throw
 */
export async function chooseReading(parts: ReadingParts): Promise<ReadingChoice> {
  const guess = await readPlanned(parts, assumedTokensPerCharacter);
  const limit = parts.readingLimit === 'all' ? Infinity : parts.readingLimit;
  const planned =
    guess.passages.length === 0 || (guess.everything && sum(guess.counts) <= limit)
      ? guess
      : await readPlanned(parts, tokensPerCharacter(guess));
  const { passages, counts, whole } = await holdToLimit(planned, limit, parts.countTokens);

  const filesRead = new Set(passages.map(fileKey));
  return {
    passages,
    tokens: sum(counts),
    filesRead: filesRead.size,
    fileHashes: planned.fileHashes,
    everything: planned.everything && whole,
    skipped: filesWithout(filesRead, planned.notRead, planned.passages),
  };
}

interface PlannedReading {
  readonly passages: readonly Passage[];
  /** Tokens of each passage. */
  readonly counts: readonly number[];
  readonly everything: boolean;
  readonly fileHashes: ReadonlyMap<string, string>;
  /** Files that were not planned, or that changed and cannot be read any more. */
  readonly notRead: readonly SkippedFile[];
}

async function readPlanned(parts: ReadingParts, tokensPerCharacter: number): Promise<PlannedReading> {
  const { ranked, readingLimit, signal } = parts;
  const plan = planReading(ranked, { readingLimit, tokensPerCharacter });
  const rangesOf = new Map<string, PlannedRange[]>();
  // Where not even one passage fits, the best is cut to what does.
  const bestAlone = ranked.slice(0, 1);
  for (const range of plan.ranges.length > 0 ? plan.ranges : bestAlone) {
    const ranges = rangesOf.get(fileKey(range));
    if (ranges) ranges.push(range);
    else rangesOf.set(fileKey(range), [range]);
  }

  const found: (Passage & PlannedRange)[] = [];
  const unreadable: SkippedFile[] = [];
  const fileHashes = new Map<string, string>();
  const files = parts.files.filter((file) => rangesOf.has(fileKey(file)));
  for await (const document of parts.readDocuments(files, { signal })) {
    if (isSkipped(document)) {
      unreadable.push(document);
      continue;
    }
    fileHashes.set(fileKey(document), textHash(document.text));
    // The file may have become shorter since it was ranked.
    const lineCount = lineOffsets(document.text).length - 1;
    const ranges = (rangesOf.get(fileKey(document)) ?? []).filter(({ startLine }) => startLine <= lineCount);
    for (const range of await snapRanges(ranges, document, parts.grammars)) {
      found.push({ ...passageOf(document, range), score: range.score });
    }
  }
  const passages = inReadingOrder(found).map(({ workspace, path, startLine, endLine, text }) => ({
    workspace,
    path,
    startLine,
    endLine,
    text,
  }));
  return {
    passages,
    counts: await parts.countTokens(passages.map(passageText)),
    everything: plan.everything && unreadable.length === 0,
    fileHashes,
    notRead: [...unreadable, ...plan.leftOut],
  };
}

function tokensPerCharacter({ passages, counts }: PlannedReading): number {
  return sum(counts) / sum(passages.map((passage) => passageText(passage).length));
}

/** A passage that had to be cut is counted again, since its tokens are not in proportion to its characters. */
async function holdToLimit(
  planned: PlannedReading,
  limit: number,
  countTokens: ReadingParts['countTokens'],
): Promise<{ passages: readonly Passage[]; counts: readonly number[]; whole: boolean }> {
  let { passages, counts } = planned;
  for (;;) {
    const held = trimToLimit(passages, counts, limit);
    if (held.dropped.length === 0) return { passages, counts, whole: passages === planned.passages };
    passages = held.passages;
    counts = await countTokens(passages.map(passageText));
  }
}

/** A file whose every passage was dropped at the end is told like one that was never planned. */
function filesWithout(
  filesRead: ReadonlySet<string>,
  notRead: readonly SkippedFile[],
  planned: readonly Passage[],
): SkippedFile[] {
  const dropped = new Map<string, SkippedFile>();
  for (const { workspace, path } of planned) {
    const key = fileKey({ workspace, path });
    if (!filesRead.has(key)) dropped.set(key, { workspace, path, reason: 'readingLimit' });
  }
  return [...notRead.filter((file) => !filesRead.has(fileKey(file))), ...dropped.values()];
}

function fileKey({ workspace, path }: { readonly workspace: string; readonly path: string }): string {
  return `${workspace}\n${path}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
