/** The loop over chunks: what it keeps, held to the float64 twin, and what it promises for every setting. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { compress, type CompressedCache } from '../../extension/engine/compression/compress.ts';
import { type CompressionOptions, presetOptions } from '../../extension/engine/compression/options.ts';
import type { DocumentTokens } from '../../extension/engine/documentTokens.ts';
import type { KeptCells } from '../../extension/engine/llama/cacheOperations.ts';
import { prefill, yieldToEvents } from '../../extension/engine/prefill.ts';
import { finch } from '../reference/finch.ts';
import { uniforms } from '../reference/random.ts';
import { decode } from '../reference/twin.ts';
import { openTinyEngine, randomTokens, relativeError, steadyPace, type TinyEngine } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const prefix = randomTokens(6, 20);
const question = randomTokens(20, 21);
const temporaryPath = temporaryFolder();
const hooks = { signal: new AbortController().signal, pace: steadyPace() };
const evidenceHeads = [
  { layer: 0, head: 3 },
  { layer: 1, head: 0 },
  { layer: 2, head: 2 },
];

describe('held to the twin', () => {
  const folder = temporaryFolder();
  const document = randomDocument(250, 22);
  let tiny: TinyEngine;
  beforeAll(() => {
    tiny = openTinyEngine(folder, { device: 'cpu' });
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

  test.each(cases)('$name keeps the same tokens, and the next logits follow', async ({ name, options }) => {
    const { context, operations, twin } = tiny;
    const keep = vi.spyOn(operations, 'keep');
    const compressed = await compress(context, operations, { prefix, document, question }, options, hooks);
    const evictions = keep.mock.calls.map(([kept]) => perHead(kept, twin.kvHeads));
    keep.mockRestore();
    const input = { prefix, tokens: document.tokens, lineOf: document.lineOf, question };
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
    expect(entriesPerHead(compressed, twin.layers.length, twin.kvHeads)).toEqual(reference.kept);

    const mean = differing.reduce((sum, share) => sum + share, 0) / differing.length;
    context.decode(question, { logits: 'last' });
    const expected = decode(twin, reference.kvCache, question, reference.kvCache.positions.length).logits;
    const error = relativeError(context.logits(), expected);
    console.log(
      `${name}: ${(100 * mean).toFixed(2)} % of the kept differ, logits differ by ${error.toExponential(1)}`,
    );
    // Scores that are equal but for rounding may be put in another order.
    expect(mean).toBeLessThanOrEqual(0.02);
    expect(error).toBeLessThan(5e-3);
  });
});

describe('promises', () => {
  const folder = temporaryFolder();
  const document = randomDocument(3000, 23);
  const tokenBudget = 256;
  let tiny: TinyEngine;
  beforeAll(() => {
    tiny = openTinyEngine(folder, { device: 'cpu' }, { layers: 2 });
  });
  beforeEach(yieldToEvents);
  afterAll(() => tiny.engine.dispose());

  const presets = ['paper', 'perHead', 'default'] as const;
  const window = 1024;
  const chunkLengths = [64, 100, 512, window - prefix.length - question.length - tokenBudget];
  const cases = presets.flatMap((preset) => chunkLengths.map((chunkTokens) => ({ preset, chunkTokens })));

  test.each(cases)('$preset, chunks of $chunkTokens', async ({ preset, chunkTokens }) => {
    const { context, operations } = tiny;
    const options = { ...presetOptions(preset, tokenBudget, evidenceHeads.slice(0, 2)), chunkTokens };
    const read: number[] = [];
    const compressed = await compress(context, operations, { prefix, document, question }, options, {
      ...hooks,
      onRead: (tokens) => read.push(tokens),
    });
    const kept = compressed.lists[0]!.entries.length;
    // The published growth rounds down in every chunk, so it ends at or below the budget.
    if (options.growth === 'exact') expect(kept).toBe(prefix.length + tokenBudget);
    else expect(kept).toBeLessThanOrEqual(prefix.length + tokenBudget);
    expect(kept).toBeGreaterThan(prefix.length + tokenBudget / 2);
    expect(read.at(-1)).toBe(document.tokens.length);
    expectContiguous(tiny, kept);
    const always = [...prefix.keys()].map((i) => -1 - i).concat([...Array(options.sinkTokens).keys()]);
    for (const { entries, firstPositions } of compressed.lists) {
      expect(entries.length).toBe(kept);
      expect(firstPositions.length).toBe(kept);
      expect([...entries.subarray(0, always.length)]).toEqual(always);
      expectRising(entries.subarray(prefix.length));
      expect(entries.at(-1)).toBeLessThan(document.tokens.length);
    }
    expect(compressed.scores?.length).toBe(compressed.lists.length);
  });

  test.each([254, 255, 256])(
    'a document of %i tokens, which fits, is left as it was read',
    async (length) => {
      const { context, operations } = tiny;
      const short = randomDocument(length, 24);
      context.clear();
      await prefill(context, prefix, hooks.pace, hooks.signal);
      for (let start = 0; start < length; start += 128)
        await prefill(context, short.tokens.slice(start, start + 128), hooks.pace, hooks.signal);
      context.decode(question, { logits: 'last' });
      const expected = context.logits();

      const options = {
        ...presetOptions('default', tokenBudget, evidenceHeads.slice(0, 2)),
        chunkTokens: 128,
      };
      const input = { prefix, document: short, question };
      const compressed = await compress(context, operations, input, options, hooks);
      expect(compressed.scores).toBeNull();
      expect(compressed.prefillTokens).toBe(prefix.length + length);
      expect([...compressed.lists[0]!.entries.subarray(prefix.length)]).toEqual([...Array(length).keys()]);
      context.decode(question, { logits: 'last' });
      expect(context.logits()).toEqual(expected);
    },
  );

  test('stopping ends the reading with an error that says so', async () => {
    const { context, operations } = tiny;
    const stop = new AbortController();
    const options = { ...presetOptions('perHead', tokenBudget, null), chunkTokens: 128 };
    const reading = compress(context, operations, { prefix, document, question }, options, {
      ...hooks,
      signal: stop.signal,
      onRead: (tokens) => {
        if (tokens >= 512) stop.abort();
      },
    });
    await expect(reading).rejects.toMatchObject({ reason: 'cancelled' });
    expect(context.length).toBeLessThan(prefix.length + tokenBudget + 2 * 128);
  });
});

test('65,536 tokens go through a window of 2,048', async () => {
  const tiny = openTinyEngine(temporaryPath, { device: 'cpu' }, { layers: 1 });
  try {
    const { context, operations } = tiny.engine.open(2048, 1600);
    const document = randomDocument(65_536, 25);
    const options = presetOptions('perHead', 1024, null);
    const compressed = await compress(context, operations, { prefix, document, question }, options, hooks);
    expectContiguous({ ...tiny, context }, prefix.length + 1024);
    expect(compressed.lists.length).toBe(tiny.twin.kvHeads);
    const { entries } = compressed.lists[0]!;
    expectRising(entries.subarray(prefix.length));
    const { sinkTokens, chunkTokens } = options;
    expect([...entries.subarray(prefix.length, prefix.length + sinkTokens)]).toEqual([
      ...Array(sinkTokens).keys(),
    ]);
    expect(entries.at(-1)).toBeGreaterThanOrEqual(document.tokens.length - chunkTokens);
    expect(compressed.prefillTokens).toBeGreaterThan(document.tokens.length);
    context.decode(question, { logits: 'last' });
    expect(context.logits().every(Number.isFinite)).toBe(true);
  } finally {
    tiny.engine.dispose();
  }
});

/** Random tokens in lines of 3 to 20. */
function randomDocument(length: number, seed: number): DocumentTokens {
  const next = uniforms(seed + 1000);
  const lineOf: number[] = [];
  const lines: { passage: number; sourceLine: number }[] = [];
  while (lineOf.length < length) {
    const line = lines.length;
    lines.push({ passage: 0, sourceLine: line + 1 });
    for (let left = 3 + Math.floor(next() * 18); left > 0 && lineOf.length < length; left--)
      lineOf.push(line);
  }
  return { tokens: randomTokens(length, seed), lineOf: Int32Array.from(lineOf), lines };
}

/** The kept entries as each layer and KV head has them, [layer][kvHead]. */
function entriesPerHead({ lists }: CompressedCache, layers: number, kvHeads: number): number[][][] {
  const perLayer = lists.length / layers;
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: kvHeads }, (_, kvHead) => {
      const index = lists.length === 1 ? 0 : perLayer === 1 ? layer : layer * kvHeads + kvHead;
      return [...lists[index]!.entries];
    }),
  );
}

/** [layer][kvHead] */
function perHead(kept: readonly KeptCells[], kvHeads: number): Int32Array[][] {
  return kept.map((cells) =>
    'perHead' in cells ? [...cells.perHead] : Array.from({ length: kvHeads }, () => cells.shared),
  );
}

/** llama.cpp sees one sequence at positions 0..length-1. */
function expectContiguous({ context, engine }: TinyEngine, length: number): void {
  const { functions } = engine.library;
  expect(context.length).toBe(length);
  expect(functions.llama_memory_seq_pos_max(functions.llama_get_memory(context.pointer), 0)).toBe(length - 1);
}

function expectRising(values: Int32Array): void {
  expect(values.every((value, i) => i === 0 || value > values[i - 1]!)).toBe(true);
}
