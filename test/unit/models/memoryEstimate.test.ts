import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readGgufHeader } from '../../../extension/models/ggufFile.ts';
import { checkMemory, estimateMemory } from '../../../extension/models/memoryEstimate.ts';
import { caught } from './caught.ts';
import { folderWith } from './folderWith.ts';
import { ggufBytes, modelMetadata } from './ggufWriter.ts';

const MIB = 2 ** 20;

/** 2 layers, 4 query heads and 2 KV heads of 16 values: one row is 2·2·16 f16 for the keys and as much for the values. */
const header = readGgufHeader(
  join(
    folderWith({
      'model.gguf': ggufBytes({
        metadata: modelMetadata('llama'),
        tensors: [{ name: 'token_embd.weight', dimensions: [64, 3] }],
      }),
    }),
    'model.gguf',
  ),
);
const settings = {
  contextSize: 1024,
  chunkTokens: 256,
  tokenBudget: 100,
  batchTokens: 64,
  questionTokens: 10,
};

describe('estimateMemory', () => {
  it('counts what is stored exactly', () => {
    const estimate = estimateMemory(header, settings);
    expect(estimate.weightBytes).toBe(64 * 3 * 4);
    expect(estimate.kvCacheBytes).toBe(1024 * 2 * (2 * 2 * 16) * 2);
    expect(estimate.keptKeyBytes).toBe((100 + 256) * (2 * 2 * 16) * 2);
    expect(estimate.gpus).toMatchObject([{ totalBytes: 0 }]);
    expect(estimate.main.totalBytes).toBe(estimate.totalBytes);
  });

  it('counts rows of q8_0 as 34 bytes for each 32 values', () => {
    const [f16, q8] = (['f16', 'q8_0'] as const).map((kvCacheType) =>
      estimateMemory(header, { ...settings, kvCacheType }),
    );
    expect(q8!.kvCacheBytes).toBe((f16!.kvCacheBytes * 17) / 32);
    expect(q8!.keptKeyBytes).toBe((f16!.keptKeyBytes * 17) / 32);
    expect(q8!.computeBytes).toBe(f16!.computeBytes);
  });

  it('is the sum of its parts', () => {
    for (const offloadedLayers of [0, 1, 3]) {
      const estimate = estimateMemory(header, { ...settings, offloadedLayers });
      const { totalBytes, main, gpus, ...parts } = estimate;
      expect(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0)).toBe(totalBytes);
      expect(main.totalBytes + gpus[0]!.totalBytes).toBe(totalBytes);
    }
  });

  it('pads the window as llama.cpp does', () => {
    const padded = estimateMemory(header, { ...settings, contextSize: 1025 });
    expect(padded.kvCacheBytes).toBe(1280 * 2 * (2 * 2 * 16) * 2);
  });

  it.each(['contextSize', 'chunkTokens', 'tokenBudget', 'batchTokens', 'questionTokens'] as const)(
    'grows with %s',
    (name) => {
      const larger = estimateMemory(header, { ...settings, [name]: settings[name] * 2 });
      expect(larger.totalBytes).toBeGreaterThan(estimateMemory(header, settings).totalBytes);
    },
  );

  it('does not grow with batches beyond a micro batch', () => {
    const at = (batchTokens: number) => estimateMemory(header, { ...settings, batchTokens });
    expect(at(4096)).toEqual(at(512));
  });
});

describe('checkMemory', () => {
  const estimate = { ...estimateMemory(header, settings), totalBytes: 2048 * MIB };

  it('refuses by the numbers', async () => {
    expect(await caught(() => checkMemory(estimate, 2048 * MIB, 'this machine'))).toMatchObject({
      reason: 'notEnoughMemory',
      message: 'The model needs about 2.16 GiB and this machine has 2.00 GiB free',
    });
  });

  it('lets through what fits', () => {
    expect(() => checkMemory(estimate, 2400 * MIB, 'this machine')).not.toThrow();
  });
});
