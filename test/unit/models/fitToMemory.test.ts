/** What is stepped down to when the memory is not enough. */
import { describe, expect, test } from 'vitest';
import { isAskError } from '../../../extension/errors.ts';
import { fitToMemory } from '../../../extension/models/fitToMemory.ts';
import { estimateMemory, layerPlaces, modelSizeOfShape } from '../../../extension/models/memoryEstimate.ts';

const GIB = 2 ** 30;

/** About a model of 1.5 billion weights in 4 bits. */
const shape = {
  ...{ architecture: 'qwen2', layers: 28, queryHeads: 12, kvHeads: 2, keyLength: 128, valueLength: 128 },
  ...{ embeddingLength: 1536, feedForwardLength: 8960, contextWindow: 32_768, vocabulary: 151_936 },
};
const model = modelSizeOfShape(shape, 1.1e9);
const wanted = {
  ...{ contextSize: 2560, chunkTokens: 512, tokenBudget: 1024, batchTokens: 512, questionTokens: 64 },
  offloadedLayers: 29,
};
const gpu = (freeGib: number, name = 'Vulkan0') => ({ name, freeBytes: freeGib * GIB, isShared: false });

describe('fitToMemory', () => {
  test.each([
    { memory: 'a large GPU', mainGib: 8, gpus: [gpu(8)], layers: 29, chunk: 512, lacks: null },
    {
      memory: 'two small GPUs',
      mainGib: 8,
      gpus: [gpu(1), gpu(1, 'Vulkan1')],
      layers: 29,
      chunk: 512,
      lacks: null,
    },
    {
      memory: 'a GPU that has no room for long chunks',
      mainGib: 8,
      gpus: [gpu(1.3)],
      layers: 29,
      chunk: 256,
      lacks: 'Vulkan0',
    },
    {
      memory: 'a GPU with room for some layers',
      mainGib: 8,
      gpus: [gpu(0.9)],
      layers: 16,
      chunk: 512,
      lacks: 'Vulkan0',
    },
    {
      memory: 'a GPU with room for none',
      mainGib: 8,
      gpus: [gpu(0.1)],
      layers: 0,
      chunk: 512,
      lacks: 'Vulkan0',
    },
    { memory: 'no GPU', mainGib: 8, gpus: [], layers: 0, chunk: 512, lacks: null },
    { memory: 'little main memory', mainGib: 1.4, gpus: [], layers: 0, chunk: 256, lacks: 'this machine' },
    {
      memory: 'an integrated GPU, whose memory is the machine’s',
      ...{
        mainGib: 1.5,
        gpus: [{ ...gpu(8), isShared: true }],
        layers: 0,
        chunk: 512,
        lacks: 'this machine',
      },
    },
  ])('$memory: $layers layers, chunks of $chunk', ({ mainGib, gpus, layers, chunk, lacks }) => {
    const fit = fitToMemory(model, wanted, { mainBytes: mainGib * GIB, gpus });
    if (isAskError(fit)) throw fit;
    expect([fit.settings.offloadedLayers, fit.settings.chunkTokens]).toEqual([layers, chunk]);
    expect(fit.lacked?.where ?? null).toBe(lacks);
    if (fit.lacked !== null) expect(fit.lacked.neededBytes).toBeGreaterThan(fit.lacked.freeBytes);
    fit.estimate.gpus.slice(0, gpus.length).forEach((part, i) => {
      expect(part.totalBytes).toBeLessThanOrEqual(gpus[i]!.freeBytes);
    });
  });

  test('refuses with the number of the least that would do', () => {
    const refusal = fitToMemory(model, wanted, { mainBytes: 1.3 * GIB, gpus: [gpu(0.1)] });
    expect(refusal).toMatchObject({
      reason: 'notEnoughMemory',
      message: expect.stringMatching(/needs about 1\.3\d GiB and this machine has 1\.30 GiB free/) as string,
    });
  });
});

describe('the estimate of a shape', () => {
  test('has all weights somewhere, and each layer in one place', () => {
    for (const offloadedLayers of [0, 1, 10, 29, 99]) {
      const estimate = estimateMemory(model, { ...wanted, offloadedLayers, gpuShares: [3, 1] });
      const cells = [estimate.main, ...estimate.gpus].map(({ kvCacheBytes }) => kvCacheBytes);
      expect(cells.reduce((sum, bytes) => sum + bytes, 0)).toBe(estimate.kvCacheBytes);
      expect(estimate.kvCacheBytes).toBe(2560 * 28 * 2 * (2 * 128 * 2));
      expect(estimate.weightBytes).toBeGreaterThanOrEqual(1.1e9 * 0.999);
    }
  });

  test.each([
    { offloadedLayers: 0, gpuShares: [1], places: [-1, -1, -1, -1] },
    { offloadedLayers: 1, gpuShares: [1], places: [-1, -1, -1, 0] },
    { offloadedLayers: 3, gpuShares: [1], places: [-1, 0, 0, 0] },
    { offloadedLayers: 4, gpuShares: [1, 1], places: [0, 0, 1, 1] },
    { offloadedLayers: 99, gpuShares: [1, 3], places: [0, 1, 1, 1] },
  ])('$offloadedLayers of 3 layers and the output on GPUs, shared $gpuShares', ({ places, ...settings }) => {
    expect(layerPlaces(3, settings)).toEqual(places);
  });
});
