/** The loop over chunks: what it keeps, held to the float64 twin, and what it promises for every setting. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compress } from '../../extension/engine/compression/compress.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import { prefill, yieldToEvents } from '../../extension/engine/prefill.ts';
import { compressSuite } from '../compressSuite.ts';
import { openTinyEngine, randomDocument, randomTokens, steadyPace, type TinyEngine } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const prefix = randomTokens(6, 20);
const question = randomTokens(20, 21);
const asked = { prefix, question, contentFree: randomTokens(4, 26) };
const temporaryPath = temporaryFolder();
const hooks = { signal: new AbortController().signal, pace: steadyPace() };
const evidenceHeads = [
  { layer: 0, head: 3 },
  { layer: 1, head: 0 },
  { layer: 2, head: 2 },
];

compressSuite({ device: 'cpu' }, 5e-3);

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
    const compressed = await compress(context, operations, { ...asked, document }, options, {
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
      const input = { ...asked, document: short };
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
    const reading = compress(context, operations, { ...asked, document }, options, {
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
    const compressed = await compress(context, operations, { ...asked, document }, options, hooks);
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

/** llama.cpp sees one sequence at positions 0..length-1. */
function expectContiguous({ context, engine }: TinyEngine, length: number): void {
  const { functions } = engine.library;
  expect(context.length).toBe(length);
  expect(functions.llama_memory_seq_pos_max(functions.llama_get_memory(context.pointer), 0)).toBe(length - 1);
}

function expectRising(values: Int32Array): void {
  expect(values.every((value, i) => i === 0 || value > values[i - 1]!)).toBe(true);
}
