/** How much the question attends to each cell, for every list of cells that is kept for itself. */
import type { LayerLayout } from '../llama/attentionProbe.ts';
import type { CellList } from './compress.ts';
import type { AttentionHead, CompressionOptions } from './options.ts';

/** Summed attention per layer: f32 (cells, heads), heads slowest; see `CacheOperations.attentionScores`. */
export type LayerScores = ReadonlyMap<number, Float32Array>;

/** One list of cells is kept for the whole model, for each layer, or for each KV head of each layer. */
export type ListScope = 'model' | 'layer' | 'kvHead';

export function listScope({ score, scope }: CompressionOptions): ListScope {
  return score.kind === 'evidenceHeads' ? 'model' : scope;
}

/** The layers whose attention the options need. @param layouts those that see all tokens */
export function scoredLayers(
  options: CompressionOptions,
  layouts: readonly LayerLayout[],
): ReadonlySet<number> {
  return options.score.kind === 'evidenceHeads'
    ? new Set(options.score.heads.map(({ layer }) => layer))
    : new Set(layouts.map(({ layer }) => layer));
}

/** Weight of each question row: 1, or the share of the sequence that it sees; (questionTokens). */
export function rowWeights(options: CompressionOptions, cells: number, questionTokens: number): Float32Array {
  return Float32Array.from({ length: questionTokens }, (_, row) =>
    options.positionWeights ? (cells + row + 1) / (cells + questionTokens) : 1,
  );
}

/**
 * Scores per list, in the order of the lists: model; or by layer; or by layer, then KV head. Each is (cells).
 * @param layouts those of the layers that see all tokens
 */
export function listScores(
  options: CompressionOptions,
  layouts: readonly LayerLayout[],
  scores: LayerScores,
  cells: number,
): Float32Array[] {
  const { score } = options;
  if (score.kind === 'evidenceHeads') return [sumHeads(scores, score.heads, cells)];
  return layouts.flatMap((layout) =>
    options.scope === 'layer'
      ? [sumHeads(scores, headRange(layout.layer, 0, layout.heads), cells)]
      : Array.from({ length: layout.kvHeads }, (_, kvHead) => {
          const group = layout.heads / layout.kvHeads;
          return sumHeads(scores, headRange(layout.layer, kvHead * group, group), cells);
        }),
  );
}

/**
 * What the question pays beyond what any question would: a row's scores less a share of a row's of a content-free
 * question (In-Context Re-ranking, arXiv 2410.02642, section 3.2, where all of it is taken off).
 */
export function calibrated(
  scores: readonly Float32Array[],
  contentFree: readonly Float32Array[],
  share: number,
): Float32Array[] {
  return scores.map((list, index) => list.map((score, cell) => score - share * contentFree[index]![cell]!));
}

/** Weights of the question's rows that take the mean of those from `first` on: what stands before says nothing of it. */
export function meanOfRows(questionTokens: number, first: number): Float32Array {
  const weight = 1 / (questionTokens - first);
  return Float32Array.from({ length: questionTokens }, (_, row) => (row < first ? 0 : weight));
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

/** The mean of each cell's score and those of up to `radius` neighbours on either side, as SnapKV pools (section 4.2). */
export function pool(scores: Float32Array, radius: number): Float32Array {
  const prefix = new Float64Array(scores.length + 1);
  scores.forEach((score, cell) => (prefix[cell + 1] = prefix[cell]! + score));
  return scores.map((_, cell) => {
    const from = Math.max(0, cell - radius);
    const to = Math.min(scores.length, cell + radius + 1);
    return (prefix[to]! - prefix[from]!) / (to - from);
  });
}

function sumHeads(scores: LayerScores, heads: readonly AttentionHead[], cells: number): Float32Array {
  const sum = new Float32Array(cells);
  for (const { layer, head } of heads) {
    const layerScores = scores.get(layer)!;
    for (let cell = 0; cell < cells; cell++) sum[cell]! += layerScores[head * cells + cell]!;
  }
  return sum;
}

function headRange(layer: number, first: number, count: number): AttentionHead[] {
  return Array.from({ length: count }, (_, index) => ({ layer, head: first + index }));
}
