/** The loop over chunks held to the float64 twin, on any placement of the layers. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { compress, type CompressedCache } from '../extension/engine/compression/compress.ts';
import {
  type AttentionHead,
  type CompressionOptions,
  presetOptions,
} from '../extension/engine/compression/options.ts';
import type { KeptCells } from '../extension/engine/llama/cacheOperations.ts';
import { yieldToEvents } from '../extension/engine/prefill.ts';
import { finch } from './reference/finch.ts';
import { decode } from './reference/twin.ts';
import type { Twin } from './reference/twinModel.ts';
import {
  openTinyEngine,
  type Placement,
  randomDocument,
  randomTokens,
  relativeError,
  steadyPace,
  type TinyEngine,
  tinyModels,
  type TinyModelName,
} from './tinyEngine.ts';
import { temporaryFolder } from './unit/reference/temporaryFolder.ts';

const prefix = randomTokens(6, 20);
const question = randomTokens(20, 21);
/** It begins as the question does. */
const contentFree = [...question.slice(0, 3), ...randomTokens(4, 26)];
const asked = { prefix, question, contentFree };
const hooks = { signal: new AbortController().signal, pace: steadyPace() };
const headsOfAllLayers = [
  { layer: 0, head: 3 },
  { layer: 1, head: 0 },
  { layer: 2, head: 2 },
];

/**
 * @param logitsLimit the largest relative error of the next logits.
 * @param mostDiffering the share of the kept that the twin would not have kept, since their scores are nearly equal.
 */
export function compressSuite(
  placement: Placement,
  logitsLimit: number,
  model: TinyModelName = 'llama',
  evidenceHeads: readonly AttentionHead[] = headsOfAllLayers,
  mostDiffering = 0.02,
): void {
  const folder = temporaryFolder();
  const document = randomDocument(250, 22);
  let tiny: TinyEngine;
  beforeAll(() => {
    tiny = openTinyEngine(folder, placement, tinyModels[model]);
  });
  beforeEach(yieldToEvents);
  afterAll(() => tiny.engine.dispose());

  const cases: { name: string; options: CompressionOptions }[] = (
    ['paper', 'perHead', 'default'] as const
  ).map((preset) => ({
    name: `preset ${preset}`,
    options: { ...presetOptions(preset, 64, evidenceHeads), chunkTokens: 64 },
  }));
  cases.push({
    name: 'single tokens per KV head',
    options: { ...presetOptions('perHead', 64, null), chunkTokens: 64, unit: { kind: 'token' } },
  });

  test.each(cases)(`${model}: $name keeps the same tokens, and the next logits follow`, async (one) => {
    const { name, options } = one;
    const { context, operations, twin } = tiny;
    const keep = vi.spyOn(operations, 'keep');
    const compressed = await compress(context, operations, { ...asked, document }, options, hooks);
    const evictions = keep.mock.calls.map(([kept]) => perHead(kept, twin.kvHeads));
    keep.mockRestore();
    const input = { ...asked, tokens: document.tokens, lineOf: document.lineOf };
    const differing: number[] = [];
    let eviction = 0;
    const reference = finch(twin, input, options, (own) => {
      const actual = evictions[eviction++]!;
      own.forEach((heads, layer) =>
        heads.forEach((expected, kvHead) => {
          const kept = new Set(actual[layer]![kvHead]);
          expect(kept.size).toBe(expected.length);
          differing.push(expected.filter((cell) => !kept.has(cell)).length / expected.length);
        }),
      );
      return actual;
    });
    expect(eviction).toBe(evictions.length);
    expect(eviction).toBeGreaterThan(2);
    expect(entriesPerHead(compressed, twin)).toEqual(reference.kept);

    const mean = differing.reduce((sum, share) => sum + share, 0) / differing.length;
    context.decode(question, { logits: 'last' });
    const expected = decode(twin, reference.kvCache, question, reference.kvCache.positions.length).logits;
    const error = relativeError(context.logits(), expected);
    console.log(
      `${model}, ${name}: ${(100 * mean).toFixed(2)} % of the kept differ, logits differ by ${error.toExponential(1)}`,
    );
    // Scores that are equal but for rounding may be put in another order.
    expect(mean).toBeLessThanOrEqual(mostDiffering);
    expect(error).toBeLessThan(logitsLimit);
  });
}

/** The kept entries as each layer and KV head has them, [layer][kvHead]. */
function entriesPerHead({ lists, windowed }: CompressedCache, { layers, kvHeads }: Twin): number[][][] {
  const perLayer = lists.length / layers.filter(({ window }) => window === null).length;
  let next = 0;
  return layers.map(({ window }) => {
    const first = next;
    if (window === null && lists.length > 1) next += perLayer;
    return Array.from({ length: kvHeads }, (_, kvHead) => {
      const list = window === null ? lists[perLayer > 1 ? first + kvHead : first] : windowed;
      return [...list!.entries];
    });
  });
}

/** [layer][kvHead] */
function perHead(kept: readonly KeptCells[], kvHeads: number): Int32Array[][] {
  return kept.map((cells) =>
    'perHead' in cells ? [...cells.perHead] : Array.from({ length: kvHeads }, () => cells.shared),
  );
}
