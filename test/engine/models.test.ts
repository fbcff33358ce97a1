/** Model files as they are: the default model as a user gets it, and one with sliding windows. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { getLlama, LlamaLogLevel, type Llama } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultModelName, findEntry } from '../../extension/models/catalogue.ts';
import { evidenceHeadsOf } from '../../extension/models/evidenceHeads.ts';
import { ggmlTypes } from '../../extension/models/ggmlTypes.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { checkMemory, estimateMemory, freeMemoryBytes } from '../../extension/models/memoryEstimate.ts';
import { modelShape } from '../../extension/models/modelShape.ts';
import { checkServable } from '../../extension/models/servable.ts';
import { sha256OfFile } from '../../extension/models/sha256.ts';
import { gemmaPath, smolLm2Path } from '../modelFiles.ts';
import { caught } from '../unit/models/caught.ts';

const MIB = 2 ** 20;
const signal = new AbortController().signal;
const entry = findEntry(defaultModelName)!;

let smolLm2: string;
let gemma: string;
beforeAll(async () => {
  smolLm2 = await smolLm2Path();
  gemma = await gemmaPath();
});

describe('the default model', () => {
  it('is what the catalogue says', async () => {
    expect(await sha256OfFile(smolLm2, signal)).toBe(entry.sha256);
    const header = readGgufHeader(smolLm2);
    const shape = modelShape(header);
    expect(header.fileBytes).toBe(entry.bytes);
    expect(shape).toEqual({
      ...{ architecture: 'llama', layers: 30, queryHeads: 9, kvHeads: 3, keyLength: 64, valueLength: 64 },
      ...{ embeddingLength: 576, feedForwardLength: 1536, contextWindow: entry.contextWindow },
      vocabulary: 49152,
    });
  });

  it('has evidence heads that exist in it', () => {
    const header = readGgufHeader(smolLm2);
    const { layers, queryHeads } = modelShape(header);
    const text = (key: string) => {
      const value = header.metadata.get(key);
      return typeof value === 'string' ? value : null;
    };
    const heads = evidenceHeadsOf(text('general.basename'), text('general.size_label')) ?? [];
    expect(heads).toHaveLength(8);
    for (const [layer, head] of heads) {
      expect(layer).toBeLessThan(layers);
      expect(head).toBeLessThan(queryHeads);
    }
  });

  it('is served', () => {
    expect(() => checkServable(readGgufHeader(smolLm2))).not.toThrow();
  });
});

describe('a model with sliding-window layers', () => {
  it('is served when they are kept by their window', () => {
    const header = readGgufHeader(gemma);
    expect(header.metadata.get('gemma3.attention.sliding_window')).toBe(512);
    expect(() => checkServable(header)).not.toThrow();
  });
});

describe('the estimate', () => {
  let llama: Llama;
  let log = '';
  beforeAll(async () => {
    llama = await getLlama({
      ...{ gpu: false, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.debug },
      logger: (_, message) => {
        log += `${message}\n`;
      },
    });
  });
  afterAll(() => llama.dispose());

  it.each([
    { contextSize: 2048, batchTokens: 512 },
    { contextSize: 8192, batchTokens: 512 },
    { contextSize: 8192, batchTokens: 128 },
  ])('holds against what llama.cpp allocates with %j', async ({ contextSize, batchTokens }) => {
    const settings = { contextSize, batchTokens, chunkTokens: 512, tokenBudget: 512, questionTokens: 24 };
    const estimate = estimateMemory(readGgufHeader(smolLm2), settings);
    const allocated = await allocatedBytes(contextSize, batchTokens);
    const compression = estimate.computeBytes - forwardOnly(settings);
    console.log(
      `window ${contextSize}, batch ${batchTokens}, MiB: estimated`,
      Object.fromEntries(Object.entries(estimate).map(([name, bytes]) => [name, (bytes / MIB).toFixed(1)])),
      `allocated: KV ${(allocated.kv / MIB).toFixed(1)}, compute ${(allocated.compute / MIB).toFixed(1)};`,
      `compression estimated ${(compression / MIB).toFixed(1)}`,
    );
    expect(estimate.kvCacheBytes).toBeCloseTo(allocated.kv, -4);
    expect(forwardOnly(settings)).toBeGreaterThanOrEqual(allocated.compute);
    expect(forwardOnly(settings)).toBeLessThan(1.5 * allocated.compute);
  });

  it('fits this machine, and says so when it does not', async () => {
    const settings = {
      contextSize: 8192,
      batchTokens: 512,
      chunkTokens: 512,
      tokenBudget: 512,
      questionTokens: 24,
    };
    const estimate = estimateMemory(readGgufHeader(smolLm2), settings);
    expect(() => checkMemory(estimate, freeMemoryBytes(), 'this machine')).not.toThrow();
    expect(await caught(() => checkMemory(estimate, 100 * MIB, 'this machine'))).toMatchObject({
      reason: 'notEnoughMemory',
    });
  });

  /** What remains of the estimate's compute buffers when nothing is compressed. */
  function forwardOnly(settings: Parameters<typeof estimateMemory>[1]): number {
    const none = { ...settings, tokenBudget: 0, questionTokens: 0 };
    return estimateMemory(readGgufHeader(smolLm2), none).computeBytes;
  }

  /** What llama.cpp logs while a context of it lives, bytes rounded to 0.01 MiB. */
  async function allocatedBytes(
    contextSize: number,
    batchSize: number,
  ): Promise<{ kv: number; compute: number }> {
    log = '';
    const model = await llama.loadModel({ modelPath: smolLm2 });
    await model.createContext({ contextSize, batchSize, flashAttention: true });
    await model.dispose();
    // The log comes from other threads, late; this is the last line of a context.
    while (!/~llama_context: +CPU compute buffer size is/.test(log)) await sleep(10);
    const logged = (what: string) =>
      Number(new RegExp(`CPU ${what} buffer size = +([0-9.]+) MiB`).exec(log)?.[1]) * MIB;
    return { kv: logged('KV'), compute: logged('compute') };
  }
});

describe('the table of tensor types', () => {
  it('agrees with the library', () => {
    const library = koffi.load(baseLibraryPath());
    const blockValues = library.func('int64_t ggml_blck_size(int type)');
    const blockBytes = library.func('size_t ggml_type_size(int type)');
    for (const [type, expected] of ggmlTypes) {
      const found = [Number(blockValues(type)), Number(blockBytes(type))];
      expect(found, expected.name).toEqual([expected.blockValues, expected.blockBytes]);
    }
  });

  function baseLibraryPath(): string {
    const systems: Readonly<Record<string, string>> = { win32: 'win', darwin: 'mac' };
    const system = systems[process.platform] ?? process.platform;
    const folder = 'node_modules/@node-llama-cpp';
    const plain = readdirSync(folder).find((name) =>
      [`${system}-${process.arch}`, `${system}-${process.arch}-metal`].includes(name),
    );
    if (plain === undefined)
      throw new Error(`There is no package for ${system}-${process.arch} in ${folder}`);
    const files = readdirSync(join(folder, plain), { recursive: true, encoding: 'utf8' });
    const name = files.find((file) => /(^|[\\/])(lib)?ggml-base\.(so|dylib|dll)$/.test(file));
    if (name === undefined) throw new Error(`There is no ggml-base library in ${plain}`);
    return join(folder, plain, name);
  }
});
