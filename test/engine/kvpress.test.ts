/**
 * The engine held to kvpress's FinchPress on the weights of the default model; test/reference/kvpress/makeReference.py
 * made the reference and says how the two differ.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { compress } from '../../extension/engine/compression/compress.ts';
import { queriesOf } from '../../extension/engine/queries.ts';
import { type CompressionOptions, presetOptions } from '../../extension/engine/compression/options.ts';
import { listScores, rowWeights } from '../../extension/engine/compression/score.ts';
import { LoadedEngine, type OpenedContext } from '../../extension/engine/loadedEngine.ts';
import { logSoftmax } from '../../extension/engine/llama/llamaModel.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { prefill, yieldToEvents } from '../../extension/engine/prefill.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { steadyPace } from '../tinyEngine.ts';

interface Likeliest {
  readonly tokens: readonly number[];
  readonly logProbs: readonly number[];
}

interface Reference {
  readonly model: { readonly sha256: string; readonly layers: number; readonly kvHeads: number };
  readonly documentTokens: readonly Token[];
  readonly questionTokens: readonly Token[];
  readonly uncompressed: Likeliest;
  readonly scores: {
    readonly layers: readonly number[];
    readonly plain: string;
    readonly normalized: string;
  };
  readonly cases: readonly {
    readonly keptTokens: number;
    readonly normalizeScores: boolean;
    readonly kept: readonly (readonly string[])[];
    readonly questionFedAgain: Likeliest;
  }[];
}

const reference = JSON.parse(
  readFileSync(new URL('../reference/kvpress/reference.json', import.meta.url), 'utf8'),
) as Reference;
const { documentTokens, questionTokens, model } = reference;
const document = {
  tokens: documentTokens,
  lineOf: new Int32Array(documentTokens.length),
  lines: [{ passage: 0, sourceLine: 1 }],
};
const cells = documentTokens.length;
const hooks = { signal: new AbortController().signal, pace: steadyPace() };

let engine: LoadedEngine;
let opened: OpenedContext;
beforeAll(async () => {
  engine = new LoadedEngine(await smolLm2Path(), { device: 'cpu' }, null);
  opened = engine.open(1024, 1024);
});
beforeEach(yieldToEvents);
afterAll(() => engine.dispose());

test('without compression the next-token distribution is that of the reference', () => {
  const { context } = opened;
  context.clear();
  context.decode(documentTokens, { logits: 'none' });
  expectDistribution('uncompressed', reference.uncompressed);
});

test.each(['plain', 'normalized'] as const)('%s scores of each layer and KV head', async (kind) => {
  const { context, operations } = opened;
  context.clear();
  await prefill(context, documentTokens, hooks.pace, hooks.signal);
  const layers = new Set(operations.layouts.keys());
  const queries = await queriesOf(context, questionTokens, layers, hooks);
  const settings = options(128, kind === 'normalized');
  const weights = rowWeights(settings, cells, questionTokens.length);
  const attention = operations.attentionScores(queries, cells, weights);
  const actual = listScores(settings, operations.layouts, attention, cells);

  const expected = unpackScores(reference.scores[kind]);
  const errors = reference.scores.layers.flatMap((layer, index) =>
    Array.from({ length: model.kvHeads }, (_, kvHead) => {
      const start = (index * model.kvHeads + kvHead) * cells;
      return shareError(actual[layer * model.kvHeads + kvHead]!, expected.subarray(start, start + cells));
    }),
  );
  console.log(
    `${kind} scores: L1 error of a head, mean ${percent(mean(errors))}, worst ${percent(Math.max(...errors))}`,
  );
  expect(errors.length).toBe(reference.scores.layers.length * model.kvHeads);
  expect(Math.max(...errors)).toBeLessThan(0.05);
});

test.each(reference.cases)(
  'keeping $keptTokens, normalizeScores $normalizeScores',
  async ({ keptTokens, normalizeScores, kept, questionFedAgain }) => {
    const { context, operations } = opened;
    const input = { prefix: [], document, question: questionTokens, contentFree: questionTokens };
    const { lists } = await compress(context, operations, input, options(keptTokens, normalizeScores), hooks);
    const overlaps = kept.flat().map((bitmap, index) => {
      const bits = Buffer.from(bitmap, 'base64');
      const { entries } = lists[index]!;
      expect(entries.length).toBe(keptTokens);
      return entries.filter((token) => ((bits[token >> 3]! >> (token & 7)) & 1) === 1).length / keptTokens;
    });
    expect(overlaps.length).toBe(model.layers * model.kvHeads);
    const name = `${keptTokens} of ${cells}${normalizeScores ? ', normalized' : ''}`;
    console.log(
      `${name}: overlap mean ${percent(mean(overlaps))}, worst head ${percent(Math.min(...overlaps))}`,
    );
    expect(mean(overlaps)).toBeGreaterThanOrEqual(0.97);
    expect(Math.min(...overlaps)).toBeGreaterThanOrEqual(0.9);
    expectDistribution(name, questionFedAgain);
  },
);

/** FinchPress's settings: each KV head for itself, single tokens, nothing kept without merit, one chunk. */
function options(tokenBudget: number, positionWeights: boolean): CompressionOptions {
  return {
    ...presetOptions('perHead', tokenBudget, null),
    chunkTokens: cells,
    unit: { kind: 'token' },
    sinkTokens: 0,
    positionWeights,
  };
}

/** Feeds the question behind the cache, and compares what comes next by the tokens that the reference lists. */
function expectDistribution(name: string, expected: Likeliest): void {
  const { context } = opened;
  context.decode(questionTokens, { logits: 'last' });
  const actual = logSoftmax(context.logits());
  const divergence = expected.tokens.reduce((sum, token, i) => {
    const logProb = expected.logProbs[i]!;
    return sum + Math.exp(logProb) * (logProb - actual[token]!);
  }, 0);
  const listed = expected.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0);
  console.log(`${name}: KL divergence ${divergence.toFixed(5)}, over ${percent(listed)} of the probability`);
  expect(divergence).toBeLessThan(0.02);
  expect(actual.indexOf(Math.max(...actual))).toBe(expected.tokens[0]);
}

function unpackScores(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** L1 distance of the two as shares of their sums: the reference has means and other weights, which scale a list. */
function shareError(actual: Float32Array, expected: Float32Array): number {
  const sum = (list: Float32Array): number => list.reduce((total, score) => total + score, 0);
  const [ofActual, ofExpected] = [sum(actual), sum(expected)];
  return actual.reduce(
    (total, score, i) => total + Math.abs(score / ofActual - expected[i]! / ofExpected),
    0,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
