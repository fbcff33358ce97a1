/** The cache operations held to llama.cpp's own and to the float64 twin, on any placement of the layers. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Queries } from '../extension/engine/llama/attentionProbe.ts';
import type { Token } from '../extension/engine/numbers.ts';
import { yieldToEvents } from '../extension/engine/prefill.ts';
import { q8BlockError } from './reference/q8.ts';
import { decode, keepCells, newKvCache, type TwinDecoded, type TwinKvCache } from './reference/twin.ts';
import {
  keyError,
  layersOnGpu,
  ofLayers,
  openTinyEngine,
  type Placement,
  randomCells,
  randomTokens,
  relativeError,
  relativeL1,
  type TinyEngine,
  type TinyModelName,
  tinyModels,
} from './tinyEngine.ts';
import { temporaryFolder } from './unit/reference/temporaryFolder.ts';

/**
 * Relative errors that rounding to f16 explains: about three times the largest measured on the CPU. Vulkan's products
 * round activations to f16 as well; its largest, of scores under YaRN, is three quarters of the limit.
 */
const tolerances = {
  cpu: { keys: 3e-3, logits: 5e-3, scores: 4e-3, keyShift: 6e-3 },
  gpu: { keys: 1e-2, logits: 1.5e-2, scores: 1e-2, keyShift: 1e-2 },
};

/**
 * In q8_0: keys may be off by two roundings, each of at most `q8BlockError`; what is measured is half of that, under
 * Gemma 3's norms, and a third elsewhere. The rest is about one and a half times the largest measured on the CPU.
 */
const quantised = { keys: 2 * q8BlockError, logits: 5e-2, scores: 4e-2, keyShift: 1e-2 };

export function tolerancesOf({ kvCacheType = 'f16' }: Placement, onGpu: boolean): typeof tolerances.cpu {
  return kvCacheType === 'q8_0' ? quantised : onGpu ? tolerances.gpu : tolerances.cpu;
}

const chunk = randomTokens(160, 1);
const kept = 80;
const shortQuestion = randomTokens(24, 2);
/** Longer than two of the blocks in which rows are scored. */
const longQuestion = randomTokens(150, 3);

/** @param onGpu which of the three layers must lie on a GPU. */
export function numericsSuite(
  placement: Placement,
  onGpu: readonly boolean[],
  names: readonly TinyModelName[],
): void {
  const tolerance = tolerancesOf(placement, onGpu.includes(true));
  describe.each(names)('%s', (name) => {
    const changes = tinyModels[name];
    const folder = temporaryFolder();
    const figures: string[] = [];
    let tiny: TinyEngine;
    let afterChunk: TwinKvCache;
    let longAttention: TwinDecoded['attention'];

    beforeAll(() => {
      tiny = openTinyEngine(folder, placement, changes);
      afterChunk = newKvCache(tiny.twin);
      decode(tiny.twin, afterChunk, chunk, 0);
      longAttention = decode(tiny.twin, structuredClone(afterChunk), longQuestion, chunk.length).attention;
    });
    // What runs without a pause keeps the test runner's own messages waiting.
    beforeEach(yieldToEvents);
    afterAll(() => {
      tiny.engine.dispose();
      console.log(`${name}: relative errors ${figures.join(', ')}`);
    });

    /** Notes the figure, and holds it to the limit. */
    const within = (what: string, error: number, limit: number): void => {
      figures.push(`${what} ${error.toExponential(1)}`);
      expect(error, what).toBeLessThan(limit);
    };

    test('the layers lie where they were asked to', () => {
      expect(layersOnGpu(tiny)).toEqual(onGpu);
    });

    test.each(['one list for all heads', 'a list per head'])(
      'keeping everything, %s, changes no bit',
      (form) => {
        const { context, operations, twin } = tiny;
        readChunk(tiny);
        const before = nextLogits(tiny, shortQuestion);
        context.truncate(chunk.length);
        const all = Int32Array.from(chunk.keys());
        const cells = ofLayers(twin, () =>
          form === 'a list per head' ? Array.from({ length: twin.kvHeads }, () => all) : all,
        );
        operations.keep(cells, cells);
        expect(context.length).toBe(chunk.length);
        expect(nextLogits(tiny, shortQuestion)).toEqual(before);
      },
    );

    // llama.cpp's own shift multiplies YaRN's magnitude once more, so it is no reference there; and in a quantised
    // cache it goes wrong without a Walsh-Hadamard matrix, which short heads do not have.
    if (!('yarn' in changes) && (placement.kvCacheType === undefined || !('headDim' in changes)))
      test("keeping the same cells everywhere is llama.cpp's own key shift", () => {
        const { context, operations, twin } = tiny;
        const cells = randomCells(chunk.length, kept, 4);
        readChunk(tiny);
        context.keepByKeyShift([...cells]);
        const expected = nextLogits(tiny, shortQuestion);
        readChunk(tiny);
        const lists = ofLayers(twin, () => cells);
        operations.keep(lists, lists);
        within('key shift', relativeError(nextLogits(tiny, shortQuestion), expected), tolerance.keyShift);
      });

    test("other cells in each layer and head: keys and logits are the twin's", () => {
      const { operations, twin } = tiny;
      readChunk(tiny);
      const lists = twin.layers.map((_, layer) =>
        Array.from({ length: twin.kvHeads }, (_, kvHead) =>
          randomCells(chunk.length, kept, 10 + layer * twin.kvHeads + kvHead),
        ),
      );
      const cells = ofLayers(twin, (layer) => lists[layer]!);
      operations.keep(cells, cells);
      const reference = structuredClone(afterChunk);
      keepCells(twin, reference, lists);
      within('keys', keyError(tiny, reference), tolerance.keys);
      const expected = decode(twin, reference, shortQuestion, kept).logits;
      within('logits', relativeError(nextLogits(tiny, shortQuestion), expected), tolerance.logits);
    });

    test.each([
      { asked: 'in one batch', batches: [150], weights: () => 1 },
      { asked: 'in three batches', batches: [30, 100, 20], weights: () => 1 },
      { asked: 'with weighed rows', batches: [150], weights: (row: number) => 0.5 + row / 300 },
    ])("attention scores of a long question $asked are the twin's", ({ asked, batches, weights }) => {
      const { operations, twin } = tiny;
      readChunk(tiny);
      const rowWeights = Float32Array.from(longQuestion, (_, row) => weights(row));
      const scores = operations.attentionScores(takeQueries(tiny, batches), chunk.length, rowWeights);
      const errors = longAttention.flatMap((heads, layer) =>
        heads.map((rows, head) => {
          const actual = scores.get(layer)!.subarray(head * chunk.length, (head + 1) * chunk.length);
          return relativeL1(actual, (cell) =>
            rows.reduce((sum, row, i) => sum + rowWeights[i]! * row[cell]!, 0),
          );
        }),
      );
      expect(errors.length).toBe(twin.layers.length * twin.heads);
      within(`scores ${asked}`, Math.max(...errors), tolerance.scores);
    });

    test('64 rotations leave no more error than one', () => {
      const { context, operations, twin } = tiny;
      const rotations = 64;
      // Each rotation drops the cell that lies in the middle, so that later keys move by one.
      const middle = chunk.length / 4;
      const survivors = Int32Array.from(chunk.keys()).filter(
        (cell) => cell < middle || cell >= middle + rotations,
      );
      const reference = structuredClone(afterChunk);
      keepCells(twin, reference, ofTwin(tiny, survivors));

      readChunk(tiny);
      const once = ofLayers(twin, () => survivors);
      operations.keep(once, once);
      const errorOfOne = keyError(tiny, reference);

      readChunk(tiny);
      let first = Int32Array.from(chunk.keys());
      for (let rotation = 0; rotation < rotations; rotation++) {
        const cells = Int32Array.from(first.keys()).filter((cell) => cell !== middle);
        first = cells.map((cell) => first[cell]!);
        operations.keep(
          ofLayers(twin, () => cells),
          ofLayers(twin, () => first),
        );
      }
      expect(first).toEqual(survivors);
      expect(context.length).toBe(survivors.length);
      within('keys after 64 rotations, over one', keyError(tiny, reference) / errorOfOne, 1.05);
    });
  });
}

function readChunk({ context, operations }: TinyEngine): void {
  context.clear();
  context.decode(chunk, { logits: 'none' });
  operations.rememberKeys(0, chunk.length);
}

function nextLogits({ context }: TinyEngine, question: readonly Token[]): Float32Array {
  context.decode(question, { logits: 'last' });
  return context.logits();
}

/** Decodes the long question in batches of the given lengths, and forgets it. */
function takeQueries({ context, twin }: TinyEngine, batches: readonly number[]): Map<number, Queries[]> {
  const layers = new Set(twin.layers.keys());
  const all = new Map<number, Queries[]>();
  let start = 0;
  for (const length of batches) {
    const batch = longQuestion.slice(start, start + length);
    for (const [layer, queries] of context.decodeTakingQueries(batch, layers, { logits: 'none' }))
      all.set(layer, [...(all.get(layer) ?? []), ...queries]);
    start += length;
  }
  context.truncate(chunk.length);
  return all;
}

function ofTwin({ twin }: TinyEngine, cells: Int32Array): Int32Array[][] {
  return twin.layers.map(() => Array.from({ length: twin.kvHeads }, () => cells));
}
