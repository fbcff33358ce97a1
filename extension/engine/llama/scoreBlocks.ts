/** The question's rows in blocks, each of which is scored by one graph. */
import type { LayerLayout, Queries } from './attentionProbe.ts';

/** Question rows scored at a time, which bounds the memory of the graph. */
const scoreRowsPerGraph = 64;

export interface ScoreBlock {
  readonly layers: readonly LayerLayout[];
  /** Index of the block's first row in the question. */
  readonly firstRow: number;
  readonly rows: number;
  /** Cells that the block's last row sees. */
  visible(cells: number): number;
  /** f32 (headDim, heads, rows) */
  queriesOf(layout: LayerLayout): Float32Array;
}

/** Cuts the question's rows into blocks that never cross a batch of the decode. */
export function scoreBlocks(
  layers: readonly LayerLayout[],
  queries: ReadonlyMap<number, readonly Queries[]>,
): ScoreBlock[] {
  const batches = layers.length === 0 ? [] : queries.get(layers[0]!.layer)!.map((batch) => batch.tokens);
  const result: ScoreBlock[] = [];
  let batchStart = 0;
  batches.forEach((tokens, batch) => {
    for (let start = 0; start < tokens; start += scoreRowsPerGraph) {
      const rows = Math.min(scoreRowsPerGraph, tokens - start);
      const firstRow = batchStart + start;
      result.push({
        layers,
        firstRow,
        rows,
        visible: (cells) => cells + firstRow + rows,
        queriesOf: ({ layer, headDim, heads }) => {
          const rowElements = headDim * heads;
          return queries
            .get(layer)!
            [batch]!.values.subarray(start * rowElements, (start + rows) * rowElements);
        },
      });
    }
    batchStart += tokens;
  });
  return result;
}

/** Adds a block's scores, f32 (visible, heads), to those of all blocks, f32 (cells, heads), heads slowest. */
export function addScores(
  total: Float32Array,
  block: Float32Array,
  cells: number,
  visible: number,
  heads: number,
): void {
  for (let head = 0; head < heads; head++) {
    for (let cell = 0; cell < cells; cell++) {
      total[head * cells + cell]! += block[head * visible + cell]!;
    }
  }
}

const f16MinusInfinity = 0xfc00;

/** f16 (visible, rows): row i sees the cells up to `firstRowCell + i`. */
export function causalMask(visible: number, rows: number, firstRowCell: number): Uint16Array {
  const mask = new Uint16Array(visible * rows);
  for (let row = 0; row < rows; row++) {
    mask.fill(
      f16MinusInfinity,
      row * visible + Math.min(visible, firstRowCell + row + 1),
      (row + 1) * visible,
    );
  }
  return mask;
}
