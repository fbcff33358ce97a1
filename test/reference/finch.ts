/** Finch's loop on the float64 twin, written from its definition and without regard to speed. */
import type { CompressionOptions, KeptUnit } from '../../extension/engine/compression/options.ts';
import { decode, keepCells, newKvCache, truncate, type TwinDecoded, type TwinKvCache } from './twin.ts';
import type { Twin } from './twinModel.ts';

export interface TwinInput {
  readonly prefix: readonly number[];
  readonly tokens: readonly number[];
  /** (tokens): the line of each token. */
  readonly lineOf: ArrayLike<number>;
  readonly question: readonly number[];
  readonly contentFree: readonly number[];
}

/**
 * Reads the document under the question. A layer with a window keeps the last cells.
 * @param decide is shown, at every eviction, what this loop would keep, [layer][kvHead][cell], and says what is kept:
 *        the loop under test may be followed, so that a tie which it breaks otherwise changes nothing afterwards.
 * @returns the cache, and the document tokens that each layer and KV head keeps, [layer][kvHead][cell]; the prefix's
 *          cells are numbered -1, -2, ... .
 */
export function finch(
  twin: Twin,
  input: TwinInput,
  options: CompressionOptions,
  decide: (own: number[][][]) => readonly (readonly ArrayLike<number>[])[],
): { kvCache: TwinKvCache; kept: number[][][] } {
  const { prefix, tokens, lineOf, question, contentFree } = input;
  let label = 0;
  while (label < contentFree.length - 1 && question[label] === contentFree[label]) label++;
  const kvCache = newKvCache(twin);
  if (prefix.length > 0) decode(twin, kvCache, prefix, 0);
  let kept = twin.layers.map(() => heads(twin.kvHeads).map(() => prefix.map((_, i) => -1 - i)));
  for (let read = 0; read < tokens.length;) {
    const chunk = tokens.slice(read, read + options.chunkTokens);
    decode(twin, kvCache, chunk, kvCache.positions.length);
    kept = kept.map((layer) => layer.map((list) => [...list, ...chunk.map((_, i) => read + i)]));
    read += chunk.length;
    const cells = kvCache.positions.length;
    const before = cells - chunk.length - prefix.length;
    const largestWindow = Math.max(...twin.layers.map(({ window }) => window ?? 1));
    const wanted = Math.min(
      prefix.length + options.tokenBudget,
      Math.max(
        prefix.length + wantedCells(options, before, chunk.length, read, tokens.length),
        largestWindow - 1,
      ),
    );
    if (wanted >= cells) continue;

    const decoded = decode(twin, kvCache, question, cells);
    truncate(kvCache, cells);
    const neutral = decode(twin, kvCache, contentFree, cells);
    truncate(kvCache, cells);
    const own = twin.layers.map(({ window }, layer) =>
      heads(twin.kvHeads).map((kvHead) => {
        if (window !== null) return heads(wanted).map((cell) => cells - wanted + cell);
        const sums = (of: TwinDecoded, firstRow: number) =>
          listScores(twin, of, options, layer, kvHead, cells, firstRow);
        const { score } = options;
        const paid = sums(decoded, label).map((sum) => sum / (question.length - label));
        const usual = sums(neutral, label).map((sum) => sum / (contentFree.length - label));
        const scores =
          score.kind === 'own'
            ? sums(decoded, 0)
            : paid.map((one, cell) => one - score.calibration * usual[cell]!);
        const entries = kept[layer]![kvHead]!;
        const line = (cell: number) => lineOf[entries[cell]!]!;
        return choose(scores, options.unit, prefix.length + options.sinkTokens, wanted, line);
      }),
    );
    const chosen = decide(own);
    keepCells(twin, kvCache, chosen);
    kept = chosen.map((layer, l) => layer.map((list, h) => Array.from(list, (cell) => kept[l]![h]![cell]!)));
  }
  return { kvCache, kept };
}

function heads(count: number): number[] {
  return Array.from({ length: count }, (_, head) => head);
}

/** Document cells after a chunk. */
function wantedCells(
  options: CompressionOptions,
  before: number,
  chunk: number,
  read: number,
  total: number,
): number {
  if (total <= options.tokenBudget) return before + chunk;
  if (options.growth === 'exact') return Math.round((options.tokenBudget * read) / total);
  return before + Math.floor(chunk / Math.ceil(total / options.tokenBudget));
}

/** The sum, over the heads that decide and over the rows from the first that counts on, of the attention on each cell. */
function listScores(
  twin: Twin,
  decoded: TwinDecoded,
  options: CompressionOptions,
  layer: number,
  kvHead: number,
  cells: number,
  firstRow: number,
): number[] {
  const group = twin.heads / twin.kvHeads;
  const own = heads(twin.heads)
    .filter((head) => options.scope === 'layer' || Math.floor(head / group) === kvHead)
    .map((head) => ({ layer, head }));
  const { score } = options;
  const deciding = score.kind === 'own' ? own : score.heads;
  return heads(cells).map((cell) => {
    let sum = 0;
    for (const { layer, head } of deciding)
      decoded.attention[layer]![head]!.forEach((weights, row) => {
        if (row < firstRow) return;
        sum += weights[cell]! * (options.positionWeights ? cells + row + 1 : 1);
      });
    return sum;
  });
}

function choose(
  scores: readonly number[],
  unit: KeptUnit,
  always: number,
  count: number,
  lineOf: (cell: number) => number,
): number[] {
  const kept = heads(Math.min(always, count));
  const candidates = heads(scores.length).slice(kept.length);
  if (unit.kind === 'line') {
    const lines: number[][] = [];
    for (const cell of candidates) {
      const last = lines.at(-1);
      if (last !== undefined && lineOf(last[0]!) === lineOf(cell)) last.push(cell);
      else lines.push([cell]);
    }
    const worth = (line: number[]) =>
      line.reduce((sum, cell) => sum + scores[cell]!, 0) / Math.sqrt(line.length);
    lines.sort((a, b) => worth(b) - worth(a));
    const leftOut: number[][] = [];
    for (const line of lines) {
      if (kept.length + line.length <= count) kept.push(...line);
      else leftOut.push(line);
    }
    kept.push(...leftOut.flat().slice(0, count - kept.length));
  } else {
    const radius = unit.kind === 'token' ? 0 : unit.radius;
    const pooled = scores.map((_, cell) => {
      const near = scores.slice(Math.max(0, cell - radius), cell + radius + 1);
      return near.reduce((sum, score) => sum + score, 0) / near.length;
    });
    candidates.sort((a, b) => pooled[b]! - pooled[a]!);
    kept.push(...candidates.slice(0, count - kept.length));
  }
  return kept.sort((a, b) => a - b);
}
