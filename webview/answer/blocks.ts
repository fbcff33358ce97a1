/** Cutting a growing Markdown text into top-level blocks, so that only its end is parsed and rendered again. */
import { topLevelBlocks } from './markdown.ts';

export interface Cut {
  /** Sources of the blocks that nothing which is appended can change, without what is blank at their ends. */
  readonly closed: readonly string[];
  /** How many characters of the text these blocks take, with the blank lines between them. */
  readonly length: number;
}

/** Cuts the closed blocks from the start of a text that goes on. The text begins at a border between blocks. */
export function cutClosedBlocks(text: string): Cut {
  const settled = text.slice(0, settledLength(text));
  const blocks = topLevelBlocks(settled);
  const last = blocks.at(-1);
  if (last === undefined) return { closed: [], length: 0 };
  const starts = lineStarts(settled);
  // A block is closed by the one after it, since a block is never reopened; some are closed by their own end.
  const [from, to] = last.map!;
  const ended =
    last.type === 'fence'
      ? hasClosingLine(last.content, to - from)
      : closedByBlankLine.has(last.type) && isBlankLine(settled, starts, to);
  const closed = ended ? blocks : blocks.slice(0, -1);
  return {
    closed: closed.map(({ map }) => sourceOf(settled, starts, map!)),
    length: starts[closed.at(-1)?.map?.[1] ?? 0] ?? settled.length,
  };
}

/** Sources of all top-level blocks of a text that has ended. */
export function cutAllBlocks(text: string): string[] {
  const starts = lineStarts(text);
  return topLevelBlocks(text).map(({ map }) => sourceOf(text, starts, map!));
}

const closedByBlankLine = new Set(['paragraph_open', 'heading_open', 'blockquote_open', 'table_open', 'hr']);

/** Of a fence that takes `lineCount` lines, of which the first opens it. */
function hasClosingLine(content: string, lineCount: number): boolean {
  const contentLines = content === '' ? 0 : content.replace(/\n$/, '').split('\n').length;
  return lineCount === contentLines + 2;
}

/**
 * A last line without its end can become another kind of block ("-" a rule, a list or a heading), which decides
 * whether the block before it goes on. One that begins like this stays what it is.
 */
const startsAsItStays = /^(?:(?:[-+*>]|#{1,6}|\d{1,9}[.)]) )?[*_`]{0,2}\p{L}/u;

function settledLength(text: string): number {
  // A carriage return at the end may be the first half of a line's end.
  const end = text.endsWith('\r') ? text.length - 1 : text.length;
  const lastLine = Math.max(text.lastIndexOf('\n', end - 1), text.lastIndexOf('\r', end - 1)) + 1;
  return startsAsItStays.test(text.slice(lastLine, end)) ? end : lastLine;
}

function lineStarts(text: string): number[] {
  return [0, ...Array.from(text.matchAll(/\r\n?|\n/g), (end) => end.index + end[0].length)];
}

function isBlankLine(text: string, starts: readonly number[], line: number): boolean {
  const end = starts[line + 1];
  return end !== undefined && text.slice(starts[line], end).trim() === '';
}

function sourceOf(text: string, starts: readonly number[], [from, to]: readonly [number, number]): string {
  return text.slice(starts[from], starts[to]).trimEnd();
}
