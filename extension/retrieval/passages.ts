import type { LineRange, SourceDocument } from '../protocol/nouns.ts';
import { lineOffsets } from './lines.ts';

/** Lines of a document with the offsets of their text, line feeds included. */
export interface PassageSpan extends LineRange {
  /** Offset of the first character. */
  readonly start: number;
  /** Offset behind the last character. */
  readonly end: number;
}

/** A passage has about this many lines or characters, whichever comes first. */
export const PASSAGE_LINES = 30;
export const PASSAGE_CHARACTERS = 1_000;

/**
 * A chunk of the index is so many times as long: attention says what a place is about, and for that needs more of it
 * than the words do that say which part.
 */
export const CHUNK_PASSAGES = 2;

/**
 * Cuts a document into passages of half to one and a half times the target, at the best border there: before a line
 * that follows a blank line and is indented little. Every line is in exactly one passage; an empty text has none.
 * @param share of the target that is aimed at
 */
export function splitPassages(document: SourceDocument, share = 1): PassageSpan[] {
  const { workspace, path, text } = document;
  const offsets = lineOffsets(text);
  const lineCount = offsets.length - 1;
  const spans: PassageSpan[] = [];
  for (let first = 0; first < lineCount;) {
    const next = nextBorder(text, offsets, first, share);
    spans.push({
      workspace,
      path,
      startLine: first + 1,
      endLine: next,
      start: offsets[first]!,
      end: offsets[next]!,
    });
    first = next;
  }
  return spans;
}

/** Index of the line with which the next passage begins; always beyond `first`. */
function nextBorder(text: string, offsets: readonly number[], first: number, share: number): number {
  const lineCount = offsets.length - 1;
  if (size(offsets, first, lineCount) / share <= MAX_SIZE) return lineCount;
  let best = first + 1;
  let bestValue = -Infinity;
  for (let line = first + 1; line < lineCount; line++) {
    const cutSize = size(offsets, first, line) / share;
    if (cutSize > MAX_SIZE) break;
    // Too small is worse than any border, so that a passage of less remains only before an overlong line.
    const value =
      cutSize < MIN_SIZE
        ? cutSize - 100
        : borderStrength(text, offsets, line) - DISTANCE_PENALTY * Math.abs(cutSize - 1);
    if (value >= bestValue) {
      best = line;
      bestValue = value;
    }
  }
  return best;
}

/** Size of the lines from `first` to before `end`, 1 at the target. */
function size(offsets: readonly number[], first: number, end: number): number {
  return Math.max((end - first) / PASSAGE_LINES, (offsets[end]! - offsets[first]!) / PASSAGE_CHARACTERS);
}

/** How well a passage begins at the line with this index: 0 in the middle of deep code, 10 before a top-level block. */
function borderStrength(text: string, offsets: readonly number[], line: number): number {
  const indent = indentOf(text, offsets, line);
  if (indent === BLANK) return 0;
  const code = text.charCodeAt(offsets[line]! + indent);
  if (closers.includes(code)) return 0;
  const afterBlank = indentOf(text, offsets, line - 1) === BLANK ? 5 : 0;
  return afterBlank + Math.max(0, 5 - indent);
}

/** Characters of white space before the first other one, or `BLANK`. */
function indentOf(text: string, offsets: readonly number[], line: number): number {
  const start = offsets[line]!;
  const end = offsets[line + 1]!;
  for (let offset = start; offset < end; offset++) if (text.charCodeAt(offset) > SPACE) return offset - start;
  return BLANK;
}

/** In units of the target. */
const MIN_SIZE = 0.5;
const MAX_SIZE = 1.5;
/** What half the target away from it costs is worth two and a half degrees of border strength. */
const DISTANCE_PENALTY = 5;
const BLANK = -1;
const SPACE = 0x20;
/** Code units of `}`, `]` and `)`: such a line ends what is before it. */
const closers: readonly number[] = [0x7d, 0x5d, 0x29];
