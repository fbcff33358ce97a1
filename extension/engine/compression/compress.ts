/**
 * Finch (arXiv 2408.00167): the document is read chunk by chunk under the question. After each chunk the question's
 * attention decides which tokens stay in the KV cache; kept keys are rotated to close the gaps. The cache never holds
 * more than the prompt's beginning, the budget, one chunk and the question, however long the document is.
 *
 * A layer with a sliding window keeps the last tokens that were read, whatever their scores: that is what it would see
 * without compression. So that none of them is missing, at least a window of cells is kept.
 */
import { CacheOperations, type KeptCells } from '../llama/cacheOperations.ts';
import type { LlamaContext } from '../llama/llamaContext.ts';
import type { DocumentTokens } from '../documentTokens.ts';
import type { Token } from '../numbers.ts';
import { prefill } from '../prefill.ts';
import { queriesOf, type DecodeHooks } from '../queries.ts';
import type { LayerLayout } from '../llama/attentionProbe.ts';
import { keptAfter, selectCells } from './keep.ts';
import type { CompressionOptions } from './options.ts';
import {
  calibrated,
  listScope,
  listScores,
  meanOfRows,
  rowWeights,
  scoredLayers,
  type ListScope,
} from './score.ts';

export interface CompressionInput {
  /** The prompt up to the document; always kept. */
  readonly prefix: readonly Token[];
  readonly document: DocumentTokens;
  /** What is decoded after each chunk, whose attention decides. At least one token. */
  readonly question: readonly Token[];
  /** As `question`, of one that asks for nothing; decoded where evidence heads decide (`calibrated`). */
  readonly contentFree: readonly Token[];
}

/** Cells of one list: which document token each holds (negative: the prompt's beginning), and where it was written. */
export interface CellList {
  readonly entries: Int32Array;
  readonly firstPositions: Int32Array;
}

/** How far a reading is between two chunks: with the rows of the context's cells, all that is needed to go on. */
export interface ReadingPosition {
  /** Document tokens read. */
  readonly read: number;
  /**
   * One for the model; or per layer; or per layer and KV head; of the layers that see all tokens. All of one length, the
   * number of cells.
   */
  readonly lists: readonly CellList[];
  /** Of the layers with a sliding window; null when there are none. */
  readonly windowed: CellList | null;
}

export interface CompressedCache {
  /** As in `ReadingPosition`. */
  readonly lists: readonly CellList[];
  readonly windowed: CellList | null;
  /** The last scores of the cells, one for each list, pooled or not as the heads gave them; null when all was kept. */
  readonly scores: readonly Float32Array[] | null;
  readonly seconds: { readonly prefill: number; readonly score: number; readonly evict: number };
  /** Tokens that went through the model, the question's repetitions included. */
  readonly prefillTokens: number;
}

export interface CompressionHooks extends DecodeHooks {
  /** Told after every batch how many document tokens have been read. */
  onRead?(documentTokens: number): void;
  /** Told after every chunk, when the context holds the cells of the lists and nothing else. */
  onChunk?(position: ReadingPosition): void;
}

/**
 * Reads the document into the context's cache, compressed to the budget; afterwards the cache holds
 * `prefix.length + min(budget, document)` cells at positions 0.. .
 * The budget must hold a window (`LlamaModel.windows`).
 * @param from where an earlier reading of the same input stopped; the context and its first-written keys are as then.
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function compress(
  context: LlamaContext,
  operations: CacheOperations,
  input: CompressionInput,
  options: CompressionOptions,
  hooks: CompressionHooks,
  from?: ReadingPosition,
): Promise<CompressedCache> {
  const { prefix, document, question, contentFree } = input;
  const total = document.tokens.length;
  const layouts = operations.layouts.filter(({ window }) => window === null);
  const windowCells = Math.max(0, ...operations.layouts.map(({ window }) => (window ?? 1) - 1));
  const sharedBeginning = sharedLength(question, contentFree);
  const scope = listScope(options);
  const seconds = { prefill: 0, score: 0, evict: 0 };
  let prefillTokens = 0;
  let scores: readonly Float32Array[] | null = null;
  let lists = from?.lists ?? startLists(scope, layouts.length, layouts[0]!.kvHeads, prefix.length);
  let windowed = from?.windowed ?? (windowCells === 0 ? null : startLists('model', 1, 1, prefix.length)[0]!);
  if (from === undefined) {
    context.clear();
    await timed(seconds, 'prefill', () => prefill(context, prefix, hooks.pace, hooks.signal));
    operations.rememberKeys(0, prefix.length);
    prefillTokens += prefix.length;
  }

  for (let read = from?.read ?? 0; read < total; hooks.onChunk?.({ read, lists, windowed })) {
    const chunk = document.tokens.slice(read, read + options.chunkTokens);
    const before = context.length;
    await timed(seconds, 'prefill', () => {
      let inChunk = 0;
      return prefill(context, chunk, hooks.pace, hooks.signal, (tokens) =>
        hooks.onRead?.(read + (inChunk += tokens)),
      );
    });
    prefillTokens += chunk.length;
    const append = (list: CellList): CellList => appendChunk(list, read, before, chunk.length);
    lists = lists.map(append);
    windowed &&= append(windowed);
    read += chunk.length;

    const cells = context.length;
    const budget = total <= options.tokenBudget ? total : options.tokenBudget;
    const step = { before: before - prefix.length, chunk: chunk.length, read, total };
    const wanted = Math.max(prefix.length + keptAfter(options.growth, budget, step), windowCells);
    const kept = Math.min(wanted, prefix.length + budget);
    await timed(seconds, 'evict', () => operations.rememberKeys(before, cells));
    if (kept >= cells) continue;

    const layers = scoredLayers(options, layouts);
    const scoresUnder = async (asked: readonly Token[], weights: Float32Array): Promise<Float32Array[]> => {
      const queries = await timed(seconds, 'prefill', () => queriesOf(context, asked, layers, hooks));
      prefillTokens += asked.length;
      return timed(seconds, 'score', () =>
        listScores(options, layouts, operations.attentionScores(queries, cells, weights), cells),
      );
    };
    const chunkScores =
      options.score.kind === 'own'
        ? await scoresUnder(question, rowWeights(options, cells, question.length))
        : calibrated(
            await scoresUnder(question, meanOfRows(question.length, sharedBeginning)),
            await scoresUnder(contentFree, meanOfRows(contentFree.length, sharedBeginning)),
            options.score.calibration,
          );
    // The sinks are the document's first tokens; kept always, they stay the first cells after the prefix.
    const always = Math.min(kept, prefix.length + options.sinkTokens);
    const selected = await timed(seconds, 'score', () =>
      lists.map(({ entries }, index) =>
        selectCells(
          chunkScores[index]!,
          options.unit,
          always,
          kept,
          (cell) => document.lineOf[entries[cell]!]!,
        ),
      ),
    );
    lists = lists.map((list, index) => gatherList(list, selected[index]!));
    const last = Int32Array.from({ length: kept }, (_, cell) => cells - kept + cell);
    windowed &&= gatherList(windowed, last);
    await timed(seconds, 'evict', () =>
      operations.keep(
        perLayer(scope, operations.layouts, selected, last),
        perLayer(
          scope,
          operations.layouts,
          lists.map((list) => list.firstPositions),
          windowed?.firstPositions ?? last,
        ),
      ),
    );
    scores = chunkScores.map((list, index) => gatherFloats(list, selected[index]!));
  }
  return { lists, windowed, scores, seconds, prefillTokens };
}

/** How many tokens both begin with; of neither all. */
function sharedLength(one: readonly Token[], other: readonly Token[]): number {
  const most = Math.min(one.length, other.length) - 1;
  return one.findIndex((token, i) => i >= most || token !== other[i]);
}

function startLists(scope: ListScope, layers: number, kvHeads: number, prefixLength: number): CellList[] {
  const count = scope === 'model' ? 1 : scope === 'layer' ? layers : layers * kvHeads;
  const entries = Int32Array.from({ length: prefixLength }, (_, cell) => -1 - cell);
  const firstPositions = Int32Array.from({ length: prefixLength }, (_, cell) => cell);
  return Array.from({ length: count }, () => ({ entries, firstPositions }));
}

function appendChunk(list: CellList, firstEntry: number, firstCell: number, length: number): CellList {
  const extend = (array: Int32Array, from: number): Int32Array => {
    const longer = new Int32Array(firstCell + length);
    longer.set(array);
    for (let i = 0; i < length; i++) longer[firstCell + i] = from + i;
    return longer;
  };
  return {
    entries: extend(list.entries, firstEntry),
    firstPositions: extend(list.firstPositions, firstCell),
  };
}

/** The lists as the cache operations take them: one entry for every layer. @param last that of layers with a window */
function perLayer(
  scope: ListScope,
  layouts: readonly LayerLayout[],
  lists: readonly Int32Array[],
  last: Int32Array,
): KeptCells[] {
  let next = 0;
  return layouts.map(({ window, kvHeads }) => {
    if (window !== null) return { shared: last };
    if (scope === 'model') return { shared: lists[0]! };
    if (scope === 'layer') return { shared: lists[next++]! };
    next += kvHeads;
    return { perHead: lists.slice(next - kvHeads, next) };
  });
}

function gatherList({ entries, firstPositions }: CellList, cells: Int32Array): CellList {
  return { entries: gather(entries, cells), firstPositions: gather(firstPositions, cells) };
}

function gather(values: Int32Array, cells: Int32Array): Int32Array {
  return cells.map((cell) => values[cell]!);
}

function gatherFloats(values: Float32Array, cells: Int32Array): Float32Array {
  return Float32Array.from(cells, (cell) => values[cell]!);
}

async function timed<T>(
  seconds: { [stage: string]: number },
  stage: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const begin = performance.now();
  try {
    return await work();
  } finally {
    seconds[stage] = (seconds[stage] ?? 0) + (performance.now() - begin) / 1000;
  }
}
