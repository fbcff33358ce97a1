/** Which cells stay: exactly as many as the budget says, ascending, so that the document's order is kept. */
import type { KeptUnit } from './options.ts';
import { pool } from './score.ts';

/**
 * The budget after a chunk, in document cells.
 * @param before document cells kept before the chunk; @param chunk its tokens; @param read document tokens with it.
 */
export function keptAfter(
  growth: 'exact' | 'sigma',
  tokenBudget: number,
  step: { readonly before: number; readonly chunk: number; readonly read: number; readonly total: number },
): number {
  const { before, chunk, read, total } = step;
  const wanted =
    growth === 'exact'
      ? Math.round((tokenBudget * read) / total)
      : before + Math.floor(chunk / Math.ceil(total / tokenBudget));
  return Math.min(wanted, before + chunk);
}

/**
 * Chooses cells.
 * @param scores (cells)
 * @param always the first cells, kept whatever their score: the prompt's beginning and the sinks.
 * @param count how many are kept in all, `always` included.
 * @param lineOf the line of a cell; consecutive cells of one line are one unit when whole lines are kept.
 */
export function selectCells(
  scores: Float32Array,
  unit: KeptUnit,
  always: number,
  count: number,
  lineOf: (cell: number) => number,
): Int32Array {
  if (count >= scores.length) return Int32Array.from(scores.keys());
  const kept =
    unit.kind === 'line'
      ? bestLines(scores, always, count - always, lineOf)
      : bestTokens(
          unit.kind === 'neighbourhood' ? pool(scores, unit.radius) : scores,
          always,
          count - always,
        );
  for (let cell = 0; cell < always; cell++) kept[cell] = 1;
  const cells = new Int32Array(count);
  let next = 0;
  kept.forEach((isKept, cell) => {
    if (isKept === 1) cells[next++] = cell;
  });
  return cells;
}

/** Marks the `count` best cells from `first` on; of equal scores the earlier wins. */
function bestTokens(scores: Float32Array, first: number, count: number): Uint8Array {
  const marks = new Uint8Array(scores.length);
  if (count <= 0) return marks;
  const sorted = scores.slice(first).sort();
  const threshold = sorted[sorted.length - count]!;
  let room = count;
  for (let cell = first; cell < scores.length; cell++) {
    if (scores[cell]! > threshold) {
      marks[cell] = 1;
      room--;
    }
  }
  for (let cell = first; cell < scores.length && room > 0; cell++) {
    if (scores[cell] === threshold) {
      marks[cell] = 1;
      room--;
    }
  }
  return marks;
}

/**
 * Marks whole lines, best first, until `count` cells are full. A line's score is its sum over the square root of its
 * length: a long line must hold more, but not in proportion. A line too long for what is left is passed over for the
 * next that fits; what then remains is filled from the best line passed over, from its beginning.
 */
function bestLines(
  scores: Float32Array,
  first: number,
  count: number,
  lineOf: (cell: number) => number,
): Uint8Array {
  const marks = new Uint8Array(scores.length);
  const lines: { start: number; end: number; score: number }[] = [];
  for (let start = first; start < scores.length;) {
    let end = start;
    let sum = 0;
    for (const line = lineOf(start); end < scores.length && lineOf(end) === line; end++) sum += scores[end]!;
    lines.push({ start, end, score: sum / Math.sqrt(end - start) });
    start = end;
  }
  lines.sort((a, b) => b.score - a.score || a.start - b.start);
  let room = count;
  const passedOver: { start: number; end: number }[] = [];
  for (const line of lines) {
    if (room === 0) break;
    if (line.end - line.start <= room) {
      marks.fill(1, line.start, line.end);
      room -= line.end - line.start;
    } else passedOver.push(line);
  }
  for (const line of passedOver) {
    if (room === 0) break;
    const taken = Math.min(room, line.end - line.start);
    marks.fill(1, line.start, line.start + taken);
    room -= taken;
  }
  return marks;
}
