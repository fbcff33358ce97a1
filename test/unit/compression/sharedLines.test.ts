import { describe, expect, test } from 'vitest';
import type { CellList } from '../../../extension/engine/compression/compress.ts';
import { entriesOfAll, listOfHead, sharedLines } from '../../../extension/engine/compression/sharedLines.ts';
import type { ScoreSource } from '../../../extension/engine/compression/options.ts';
import type { LayerLayout } from '../../../extension/engine/llama/attentionProbe.ts';

const layout = (layer: number): LayerLayout => ({
  ...{ layer, kCache: null as never, vCache: null as never, headDim: 1, heads: 4, kvHeads: 2 },
  ...{ scale: 1, rope: null, window: null, cacheType: 'f16', rowBytes: 4, hadamard: null },
});
const list = (...entries: number[]): CellList => ({
  entries: Int32Array.from(entries),
  firstPositions: Int32Array.from(entries),
});
/** Layer 1 has a window, so that it has no lists. */
const layouts = [layout(0), layout(2)];
const perKvHead = [list(-1, 0, 1, 2, 5), list(-1, 0, 2, 4, 5), list(-1, 0, 2, 3, 5), list(-1, 0, 2, 3, 5)];

describe('lists of which each has other cells', () => {
  test('share the entries that all of them hold', () => {
    expect([...entriesOfAll(perKvHead)]).toEqual([-1, 0, 2, 5]);
    expect([...entriesOfAll([list(3, 4)])]).toEqual([3, 4]);
  });

  test('are found by a head: that of its KV head, of its layer, or the only one', () => {
    expect(listOfHead(perKvHead, layouts, { layer: 0, head: 3 })).toBe(perKvHead[1]);
    expect(listOfHead(perKvHead, layouts, { layer: 2, head: 1 })).toBe(perKvHead[2]);
    expect(listOfHead(perKvHead.slice(0, 2), layouts, { layer: 2, head: 1 })).toBe(perKvHead[1]);
    expect(listOfHead(perKvHead.slice(0, 1), layouts, { layer: 2, head: 1 })).toBe(perKvHead[0]);
  });
});

describe('lines of the evidence heads', () => {
  const heads = [
    { layer: 0, head: 3 },
    { layer: 2, head: 0 },
  ];
  // Of the second list, 5 gets most; of the third, 2. Both heads count, each by the cells of its own list.
  const scores = new Map([
    [0, Float32Array.from([...zeros(15), 0, 0, 0.1, 9, 0.5])],
    [2, Float32Array.from([0, 0, 0.7, 9, 0, ...zeros(15)])],
  ]);
  const linesOf = (source: ScoreSource, kept = 5): ReadonlySet<number> | null =>
    sharedLines(source, perKvHead, layouts, scores, 2, kept, (entry) => entry);
  const chosen = (linesShare: number, kept?: number): number[] => [
    ...linesOf({ kind: 'evidenceHeads', heads, linesShare }, kept)!,
  ];

  test('are the best of the entries that all lists hold, as many as their share of the budget', () => {
    // Entries 3 and 4 get 9, and not every list holds them.
    expect(chosen(1 / 3)).toEqual([-1, 0, 2]);
    expect(chosen(2 / 3)).toEqual([-1, 0, 2, 5]);
    expect(chosen(2 / 3, 40)).toEqual([-1, 0, 2, 5]);
    expect(chosen(0)).toEqual([-1, 0]);
  });

  test('are none where the lists decide for themselves, or there is one for all', () => {
    expect(linesOf({ kind: 'evidenceHeads', heads, linesShare: 1 })).toBeNull();
    expect(linesOf({ kind: 'own' })).toBeNull();
  });
});

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}
