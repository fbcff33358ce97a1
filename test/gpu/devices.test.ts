/** The memory that a model takes on a GPU against its estimate, and a GPU that fails its test. */
import { describe, expect, test } from 'vitest';
import { createEngineHandlers } from '../../extension/engine/handlers.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { estimateMemory } from '../../extension/models/memoryEstimate.ts';
import { comparison, ofLibrary, readAllocated } from '../engine/allocated.ts';
import { startBundledEngine } from '../engine/engineProcess.ts';
import { allowedError, layers, useLayeredModel } from './layeredModel.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

const signal = new AbortController().signal;

describe.skipIf(!hasVulkanDevice())('a GPU', () => {
  const modelPath = useLayeredModel();

  test('takes what was estimated, with all layers and with half of them', async () => {
    const allocated = readAllocated();
    const engine = await startBundledEngine(['env', 'ASK_CODEBASE_LLAMA_LOG=1'], allocated.addLine);
    try {
      for (const gpuLayers of [layers + 1, 3]) {
        const loaded = await engine.request('load', { modelPath, device: 'vulkan', gpuLayers });
        expect(loaded.offloadedLayers).toBe(Math.min(gpuLayers, layers));
        expect(loaded.placement.map((one) => one.layers)).toEqual(gpuLayers > layers ? [0, 4] : [2, 2]);
        expect(loaded.notices).toEqual([]);
        const device = loaded.placement[1]!.device;
        // The context of the warm-up: 256 cells.
        const contextSize = allocated.cells();
        const settings = {
          contextSize,
          chunkTokens: 512,
          tokenBudget: 0,
          batchTokens: 512,
          questionTokens: 0,
        };
        const { main, gpus } = estimateMemory(readGgufHeader(modelPath), {
          ...settings,
          offloadedLayers: gpuLayers,
        });
        for (const [what, estimated, taken] of [
          [`${gpuLayers} layers, ${device}`, ofLibrary(gpus[0]!), allocated.device(device)],
          [
            `${gpuLayers} layers, in all`,
            ofLibrary(gpus[0]!) + ofLibrary(main),
            allocated.device(device) + allocated.main(),
          ],
        ] as const) {
          console.log(comparison(what, estimated, taken));
          expect(Math.abs(estimated - taken) / taken, what).toBeLessThan(allowedError);
        }
      }
    } finally {
      await engine.dispose();
    }
  });

  test('that fails its test is named and left out, and the CPU is used', async () => {
    const handlers = createEngineHandlers({ test: () => 'its rotation came out wrong' });
    try {
      const { devices } = await handlers.devices({ device: 'auto' }, signal);
      const gpu = devices.find(({ kind }) => kind !== 'cpu')!;
      expect(gpu).toMatchObject({ leftOut: 'its rotation came out wrong' });
      const loaded = await handlers.load({ modelPath, device: 'auto' }, signal);
      expect(loaded.deviceName).toMatch(/^CPU/);
      expect(loaded.offloadedLayers).toBe(0);
      expect(loaded.notices).toEqual([
        { kind: 'deviceLeftOut', device: gpu.name, why: 'its rotation came out wrong' },
      ]);
      await expect(
        (async () => handlers.load({ modelPath, device: 'vulkan' }, signal))(),
      ).rejects.toMatchObject({
        reason: 'deviceNotFound',
        message: `The device ${gpu.name} failed its test: its rotation came out wrong`,
      });
    } finally {
      await handlers.dispose();
    }
  });
});
