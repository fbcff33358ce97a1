import type { LineRange, Passage, SourceDocument } from '../protocol/nouns.ts';

/**
 * Offsets at which the lines of a text begin, followed by the length of the text: line n (1-based) is the text
 * between entries n - 1 and n, its line feed included. A line feed at the end begins no further line.
 */
export function lineOffsets(text: string): number[] {
  const offsets: number[] = [];
  for (let start = 0; start < text.length;) {
    offsets.push(start);
    const feed = text.indexOf('\n', start);
    start = feed === -1 ? text.length : feed + 1;
  }
  offsets.push(text.length);
  return offsets;
}

/** The lines of a document as a passage, its text without the last line feed. Lines beyond the end are left out. */
export function passageOf(document: SourceDocument, range: LineRange): Passage {
  const offsets = lineOffsets(document.text);
  const endLine = Math.min(range.endLine, offsets.length - 1);
  const text = document.text.slice(offsets[range.startLine - 1], offsets[endLine]);
  return {
    workspace: document.workspace,
    path: document.path,
    startLine: range.startLine,
    endLine,
    text: text.endsWith('\n') ? text.slice(0, -1) : text,
  };
}

/** By workspace, path and line, by UTF-16 code units: the same on every machine, whatever its language. */
export function comparePlaces(a: LineRange, b: LineRange): number {
  return (
    compareStrings(a.workspace, b.workspace) || compareStrings(a.path, b.path) || a.startLine - b.startLine
  );
}

function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
