import type { LineRange, SkippedFile } from '../protocol/nouns.ts';
import { comparePlaces } from './lines.ts';
import type { RankedPassage } from './ranking.ts';

export interface PlannedRange extends LineRange {
  /** Of its best passage. */
  readonly score: number;
}

export interface PartlyReadFile {
  readonly workspace: string;
  readonly path: string;
  readonly linesRead: number;
  readonly linesTotal: number;
}

/** What is going to be read, and what is not. */
export interface ReadingPlan {
  /** In reading order: rising relevance, the best last, next to the question. No two overlap or touch. */
  readonly ranges: readonly PlannedRange[];
  readonly everything: boolean;
  /** Header lines included. */
  readonly estimatedTokens: number;
  /** Files of which nothing is read, by workspace and path. */
  readonly leftOut: readonly SkippedFile[];
  /** Files of which some lines are read, by workspace and path. */
  readonly partlyRead: readonly PartlyReadFile[];
}

export interface ReadingOptions {
  /** Tokens of documents, header lines included. */
  readonly readingLimit: number | 'all';
  /** The model's tokens per UTF-16 code unit of source text, measured or assumed. */
  readonly tokensPerCharacter: number;
}

/** Characters of the line above each range besides its path: ", lines 1200-1260" and line feeds. */
export const HEADER_CHARACTERS = 24;

/** Tokens. A product that should be a whole number may lie above it by less. */
const ROUNDING_ERROR = 1e-6;

/**
 * Chooses what is read. `ranked` holds every passage of every file, best first. All is read when it fits the limit,
 * whole files then; otherwise the best passages that fit it, neighbours merged. The estimate never exceeds the limit,
 * so nothing is planned when not even one passage fits.
 */
export function planReading(ranked: readonly RankedPassage[], options: ReadingOptions): ReadingPlan {
  const { tokensPerCharacter } = options;
  const limit = options.readingLimit === 'all' ? Infinity : options.readingLimit;
  const whole = mergePassages(ranked);
  const everything = tokensOf(whole, tokensPerCharacter) <= limit;
  const chosen = everything
    ? whole
    : mergePassages(choosePassages(ranked, Math.floor(limit) / tokensPerCharacter));

  return {
    ranges: inReadingOrder(
      chosen.map(({ workspace, path, startLine, endLine, score }) => ({
        workspace,
        path,
        startLine,
        endLine,
        score,
      })),
    ),
    everything,
    estimatedTokens: tokensOf(chosen, tokensPerCharacter),
    ...whatIsLeft(whole, chosen, tokensPerCharacter),
  };
}

/** Rising score, the best last; of equal scores the first place comes last, as it ranks first. */
export function inReadingOrder<R extends PlannedRange>(ranges: readonly R[]): R[] {
  return [...ranges].sort((a, b) => a.score - b.score || comparePlaces(b, a));
}

/** Best first, each that still fits; smaller ones further down fill what a large one leaves. */
function choosePassages(ranked: readonly RankedPassage[], limitCharacters: number): RankedPassage[] {
  const chosen: RankedPassage[] = [];
  const starts = new Set<string>();
  const ends = new Set<string>();
  let left = limitCharacters;
  for (const passage of ranked) {
    const { startLine, endLine, characters } = passage;
    // A neighbour shares its header, and a passage between two chosen ones saves the header of the second.
    const neighbours =
      Number(ends.has(border(passage, startLine - 1))) + Number(starts.has(border(passage, endLine + 1)));
    const cost = characters + (1 - neighbours) * headerCharacters(passage);
    if (cost > left) continue;
    left -= cost;
    chosen.push(passage);
    starts.add(border(passage, startLine));
    ends.add(border(passage, endLine));
  }
  return chosen;
}

function border({ workspace, path }: LineRange, line: number): string {
  return `${workspace}\n${path}\n${line}`;
}

/** Passages that touch become one range with the best of their scores; ordered by place. */
function mergePassages(passages: readonly RankedPassage[]): RankedPassage[] {
  const merged: RankedPassage[] = [];
  for (const passage of [...passages].sort(comparePlaces)) {
    const last = merged.at(-1);
    if (last === undefined || !sameFile(last, passage) || last.endLine + 1 < passage.startLine) {
      merged.push(passage);
      continue;
    }
    merged[merged.length - 1] = {
      ...last,
      endLine: passage.endLine,
      score: Math.max(last.score, passage.score),
      characters: last.characters + passage.characters,
    };
  }
  return merged;
}

function whatIsLeft(
  files: readonly RankedPassage[],
  chosen: readonly RankedPassage[],
  tokensPerCharacter: number,
): Pick<ReadingPlan, 'leftOut' | 'partlyRead'> {
  const linesRead = new Map<string, number>();
  for (const range of chosen) {
    const key = border(range, 0);
    linesRead.set(key, (linesRead.get(key) ?? 0) + linesOf(range));
  }
  const leftOut: SkippedFile[] = [];
  const partlyRead: PartlyReadFile[] = [];
  for (const file of files) {
    const { workspace, path } = file;
    const read = linesRead.get(border(file, 0));
    if (read === undefined) {
      const tokens = tokensOf([file], tokensPerCharacter);
      const detail = `about ${tokens.toLocaleString('en-US')} ${tokens === 1 ? 'token' : 'tokens'}`;
      leftOut.push({ workspace, path, reason: 'readingLimit', detail });
    } else if (read < linesOf(file)) {
      partlyRead.push({ workspace, path, linesRead: read, linesTotal: linesOf(file) });
    }
  }
  return { leftOut, partlyRead };
}

function tokensOf(ranges: readonly RankedPassage[], tokensPerCharacter: number): number {
  const characters = ranges.reduce((sum, range) => sum + range.characters + headerCharacters(range), 0);
  return Math.floor(characters * tokensPerCharacter + 1 - ROUNDING_ERROR);
}

function headerCharacters({ path }: LineRange): number {
  return path.length + HEADER_CHARACTERS;
}

function sameFile(a: LineRange, b: LineRange): boolean {
  return a.path === b.path && a.workspace === b.workspace;
}

function linesOf({ startLine, endLine }: LineRange): number {
  return endLine - startLine + 1;
}
