/** What the engine's process takes: bounded by the model and the budget, never by the length of what is read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EngineClient } from '../../extension/engineClient/engineClient.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { estimateMemory } from '../../extension/models/memoryEstimate.ts';
import type { Passage, Statistics } from '../../extension/protocol/nouns.ts';
import { smolLm2Path } from '../modelFiles.ts';
import {
  askEngine,
  buildBundles,
  hasInferenceLibrary,
  ownSource,
  startBundledEngine,
} from './engineProcess.ts';

const MB = 1e6;
/** What a reading of eight times the length may take more. */
const allowedGrowth = 1.1;
/** Node, the libraries and the text, beside what the estimate counts. */
const allowedBesideEstimate = 200 * MB;
const tokenBudget = 512;

let folder: string;
beforeAll(async () => {
  buildBundles();
  folder = await mkdtemp(join(tmpdir(), 'ask memory '));
});
afterAll(() => rm(folder, { recursive: true }));

test('the default model: within the estimate and 200 MB, and no more for 32,000 tokens than for 4,000', async () => {
  const modelPath = await smolLm2Path();
  const sources = ['engineClient/engineClient.ts', 'ask.ts', 'engine/server.ts', 'chooseReading.ts'].map(
    (path) => ownSource(`extension/${path}`),
  );
  const short = await readingStatistics(modelPath, sources, 4_000);
  const settings = { contextSize: 1280, chunkTokens: 512, tokenBudget, batchTokens: 512, questionTokens: 24 };
  const estimate = estimateMemory(readGgufHeader(modelPath), settings);
  console.log(
    `estimated ${(estimate.totalBytes / MB).toFixed(0)} MB, largest resident set ${megabytes(short)} MB for 4,000 tokens`,
  );
  expect(short.kvCacheBytes).toBeLessThanOrEqual(1.2 * (estimate.kvCacheBytes + estimate.keptKeyBytes));
  expect(short.peakEngineBytes).toBeLessThanOrEqual(estimate.totalBytes + allowedBesideEstimate);

  const repeated = Array.from({ length: 10 }, () => sources).flat();
  const long = await readingStatistics(modelPath, repeated, 32_000);
  console.log(`largest resident set ${megabytes(long)} MB for 32,000 tokens`);
  expect(long.keptTokens).toBe(tokenBudget);
  expect(long.kvCacheBytes).toBe(short.kvCacheBytes);
  expect(long.peakEngineBytes).toBeLessThanOrEqual(allowedGrowth * short.peakEngineBytes);
});

test('a model that does not fit is refused before it is loaded, with both numbers', async () => {
  const meminfo = join(folder, 'meminfo');
  await writeFile(
    meminfo,
    'MemTotal:        2097152 kB\nMemFree:          102400 kB\nMemAvailable:     131072 kB\n',
  );
  // A machine with little memory: in a namespace of its own, /proc/meminfo says so.
  const script = 'mount --bind "$0" /proc/meminfo && exec "$@"';
  const modelPath = await smolLm2Path();
  await withEngine(['unshare', '-rm', 'sh', '-c', script, meminfo], async (engine) => {
    const failure: unknown = await engine
      .request('load', { modelPath, device: 'cpu' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      reason: 'notEnoughMemory',
      message: expect.stringMatching(
        /needs about 0\.[2-9]\d GiB and this machine has 0\.1[0-3] GiB free/,
      ) as string,
    });
    expect(hasInferenceLibrary(engine.pid)).toBe(false);
  });
});

/** Reads the first `tokens` tokens of the passages, by about so many characters, in a new process. */
async function readingStatistics(
  modelPath: string,
  passages: readonly Passage[],
  tokens: number,
): Promise<Statistics> {
  return withEngine([], async (engine) => {
    await engine.request('load', { modelPath, device: 'cpu' });
    const { statistics } = await askEngine(engine, {
      passages: await cutTo(engine, passages, tokens),
      tokenBudget,
    });
    // Lines counted one by one have more tokens than the text that they make.
    expect(statistics.documentTokens).toBeGreaterThan(0.85 * tokens);
    expect(statistics.documentTokens).toBeLessThanOrEqual(tokens);
    return statistics;
  });
}

/** As many whole lines as fit. */
async function cutTo(engine: EngineClient, passages: readonly Passage[], tokens: number): Promise<Passage[]> {
  const texts = passages.flatMap(({ text }) => text.split('\n').map((line) => `${line}\n`));
  const { counts } = await engine.request('countTokens', { texts });
  const kept: string[] = [];
  let left = tokens - passages.length * headerTokens;
  for (const [index, text] of texts.entries()) {
    left -= counts[index]!;
    if (left < 0) break;
    kept.push(text);
  }
  const [first] = passages;
  return [{ ...first!, endLine: kept.length, text: kept.join('') }];
}

const headerTokens = 40;

async function withEngine<T>(
  under: readonly string[],
  work: (engine: EngineClient) => Promise<T>,
): Promise<T> {
  const engine = await startBundledEngine(under);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

function megabytes({ peakEngineBytes }: Statistics): string {
  return (peakEngineBytes / MB).toFixed(0);
}
