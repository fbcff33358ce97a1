/**
 * Whole lines that every list keeps: what the evidence heads find, from whichever layers they look. Each list has
 * other cells than the next, so that they are told by the document's tokens and not by their cells.
 */
import type { LayerLayout } from '../llama/attentionProbe.ts';
import { selectCells } from './keep.ts';
import type { CellList } from './compress.ts';
import type { AttentionHead, ScoreSource } from './options.ts';
import type { LayerScores } from './score.ts';

/** Entries that all lists hold, in the document's order. @param lists of equal length, at least one */
export function entriesOfAll(lists: readonly CellList[]): Int32Array {
  const counts = new Map<number, number>();
  for (const { entries } of lists) {
    for (const entry of entries) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  }
  return lists[0]!.entries.filter((entry) => counts.get(entry) === lists.length);
}

/**
 * The list that a head attends over: the model's, its layer's, or its KV head's.
 * @param lists as in `CompressedCache`. @param layouts those of the layers that see all tokens
 */
export function listOfHead(
  lists: readonly CellList[],
  layouts: readonly LayerLayout[],
  { layer, head }: AttentionHead,
): CellList {
  const listsPerLayer = lists.length / layouts.length;
  if (listsPerLayer < 1) return lists[0]!;
  const position = layouts.findIndex((layout) => layout.layer === layer);
  const { heads, kvHeads } = layouts[position]!;
  const kvHead = listsPerLayer === 1 ? 0 : Math.floor(head / (heads / kvHeads));
  return lists[position * listsPerLayer + kvHead]!;
}

/**
 * The entries of the lines that all lists are to keep: the best by the sum of what the evidence heads pay to them,
 * among those that all lists still hold. Null where each list, or the only one, chooses by itself.
 * @param scores each head's over the cells of its own list
 * @param always the first entries, kept in any case. @param kept cells of a list that are kept, `always` included
 */
export function sharedLines(
  source: ScoreSource,
  lists: readonly CellList[],
  layouts: readonly LayerLayout[],
  scores: LayerScores,
  always: number,
  kept: number,
  lineOf: (entry: number) => number,
): ReadonlySet<number> | null {
  if (source.kind === 'own' || source.linesShare === 1) return null;
  const { heads, linesShare } = source;
  const count = always + Math.round(linesShare * (kept - always));
  const entries = entriesOfAll(lists);
  const indexOf = new Map(Array.from(entries, (entry, index) => [entry, index]));
  const paid = new Float32Array(entries.length);
  for (const one of heads) {
    const list = listOfHead(lists, layouts, one);
    const cells = list.entries.length;
    const ofHead = scores.get(one.layer)!.subarray(one.head * cells, (one.head + 1) * cells);
    list.entries.forEach((entry, cell) => {
      const index = indexOf.get(entry);
      if (index !== undefined) paid[index]! += ofHead[cell]!;
    });
  }
  const chosen = selectCells(paid, { kind: 'line' }, always, Math.min(count, entries.length), (index) =>
    lineOf(entries[index]!),
  );
  return new Set(Array.from(chosen, (index) => entries[index]!));
}
