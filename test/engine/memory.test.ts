/** What the engine's process takes: bounded by the model and the budget, never by the length of what is read. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EngineClient } from '../../extension/engineClient/engineClient.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { estimateMemory } from '../../extension/models/memoryEstimate.ts';
import type { KvCacheType } from '../../extension/protocol/engine.ts';
import type { Passage, Statistics } from '../../extension/protocol/nouns.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { comparison, ofLibrary, readAllocated, type Allocated } from './allocated.ts';
import {
  askEngine,
  buildBundles,
  hasInferenceLibrary,
  ownSource,
  startBundledEngine,
} from './engineProcess.ts';

const MB = 1e6;
/** What a reading of four times the length may take more. */
const allowedGrowth = 1.1;
/** Of what was taken. */
const allowedError = 0.1;
const tokenBudget = 512;

let folder: string;
beforeAll(async () => {
  buildBundles();
  folder = await mkdtemp(join(tmpdir(), 'ask memory '));
});
afterAll(() => rm(folder, { recursive: true }));

const sources = ['engineClient/engineClient.ts', 'ask.ts', 'engine/server.ts', 'chooseReading.ts'].map(
  (path) => ownSource(`extension/${path}`),
);

test('the default model: within 10 % of the estimate, and no more for 16,000 tokens than for 4,000', async () => {
  const modelPath = await smolLm2Path();
  const short = await measureReading(modelPath, sources, 4_000);
  holdToEstimate(modelPath, short, 'f16');
  const repeated = Array.from({ length: 5 }, () => sources).flat();
  const long = await measureReading(modelPath, repeated, 16_000);
  console.log(
    `largest resident set ${megabytes(long)} MB for 16,000 tokens, ${megabytes(short)} MB for 4,000`,
  );
  expect(long.statistics.keptTokens).toBe(tokenBudget);
  expect(long.statistics.kvCacheBytes).toBe(short.statistics.kvCacheBytes);
  expect(long.statistics.peakEngineBytes).toBeLessThanOrEqual(
    allowedGrowth * short.statistics.peakEngineBytes,
  );
});

test('the default model with a cache of q8_0: within 10 % of the estimate', async () => {
  const modelPath = await smolLm2Path();
  holdToEstimate(modelPath, await measureReading(modelPath, sources, 4_000, 'q8_0'), 'q8_0');
});

test('memory that is taken meanwhile ends in an error, and the same engine answers afterwards', async () => {
  const modelPath = join(folder, 'tiny.gguf');
  writeTinyModel(modelPath, { ...tinyOptions, contextLength: 2 ** 17, headDim: 128, kvHeads: 4 });
  await withEngine([], async (engine) => {
    await engine.request('load', { modelPath, device: 'cpu' });
    const passages = [ownSource('extension/engine/numbers.ts')];
    await askEngine(engine, { passages });
    limitAddressSpace(engine.pid, statusBytes(engine.pid, 'VmSize') + 32 * MB);
    // 100,000 cells of 6 KiB.
    const large = askEngine(engine, { passages, maxAnswerTokens: 100_000 });
    const failure: unknown = await large.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      reason: 'notEnoughMemory',
      message: expect.stringMatching(/No memory was left for a cache of 1\d{5} tokens/) as string,
    });
    limitAddressSpace(engine.pid, 'unlimited');
    expect((await askEngine(engine, { passages })).text).not.toBe('');
  });
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

interface MeasuredReading {
  readonly statistics: Statistics;
  readonly allocated: Allocated;
  /** The resident set of the engine without a model. */
  readonly bytesBeforeLoading: number;
}

function holdToEstimate(
  modelPath: string,
  { allocated, statistics, bytesBeforeLoading }: MeasuredReading,
  kvCacheType: KvCacheType,
): void {
  const contextSize = allocated.cells();
  const settings = { contextSize, chunkTokens: 512, tokenBudget, batchTokens: 512, questionTokens: 24 };
  const estimate = estimateMemory(readGgufHeader(modelPath), { ...settings, kvCacheType });
  for (const [what, estimated, measured] of [
    ["llama.cpp's buffers", ofLibrary(estimate), allocated.main()],
    ['the copy of the keys', estimate.keptKeyBytes, statistics.kvCacheBytes - estimate.kvCacheBytes],
    [
      'growth of the resident set',
      estimate.totalBytes,
      statistics.peakEngineBytes - bytesBeforeLoading - allocated.repacked(),
    ],
  ] as const) {
    console.log(comparison(`${kvCacheType}: ${what}`, estimated, measured));
    expect(Math.abs(estimated - measured) / measured, what).toBeLessThan(allowedError);
  }
}

/** Reads the first `tokens` tokens of the passages, by about so many characters, in a new process. */
async function measureReading(
  modelPath: string,
  passages: readonly Passage[],
  tokens: number,
  kvCacheType: KvCacheType = 'f16',
): Promise<MeasuredReading> {
  const allocated = readAllocated();
  return withEngine(
    ['env', 'ASK_CODEBASE_LLAMA_LOG=1'],
    async (engine) => {
      const bytesBeforeLoading = statusBytes(engine.pid, 'VmRSS');
      await engine.request('load', { modelPath, device: 'cpu', kvCacheType });
      const { statistics } = await askEngine(engine, {
        passages: await cutTo(engine, passages, tokens),
        tokenBudget,
      });
      // Lines counted one by one have more tokens than the text that they make.
      expect(statistics.documentTokens).toBeGreaterThan(0.85 * tokens);
      expect(statistics.documentTokens).toBeLessThanOrEqual(tokens);
      return { statistics, allocated, bytesBeforeLoading };
    },
    allocated.addLine,
  );
}

function statusBytes(pid: number, what: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}

function limitAddressSpace(pid: number, bytes: number | 'unlimited'): void {
  // The soft limit alone, so that it can be lifted.
  execFileSync('prlimit', [
    `--pid=${pid}`,
    `--as=${bytes === 'unlimited' ? '' : Math.round(bytes)}:unlimited`,
  ]);
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
  onStderrLine?: (line: string) => void,
): Promise<T> {
  const engine = await startBundledEngine(under, onStderrLine);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

function megabytes({ statistics }: MeasuredReading): string {
  return (statistics.peakEngineBytes / MB).toFixed(0);
}
