/** One model over two GPUs, for which the software device stands twice. */
import { describe, expect, test } from 'vitest';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { estimateMemory } from '../../extension/models/memoryEstimate.ts';
import { comparison, ofLibrary, readAllocated } from '../engine/allocated.ts';
import { startBundledEngine } from '../engine/engineProcess.ts';
import { numericsSuite } from '../numericsSuite.ts';
import { allowedError, layers, useLayeredModel } from './layeredModel.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

describe.skipIf(!hasVulkanDevice(2))('two GPUs', () => {
  numericsSuite({ device: 'vulkan' }, [true, true, true], ['llama, YaRN']);

  const modelPath = useLayeredModel();

  test('share the layers, take together what was estimated, none more than its own', async () => {
    const allocated = readAllocated();
    const engine = await startBundledEngine(['env', 'ASK_CODEBASE_LLAMA_LOG=1'], allocated.addLine);
    try {
      const loaded = await engine.request('load', { modelPath, device: 'vulkan' });
      expect(loaded.offloadedLayers).toBe(layers);
      expect(loaded.notices).toEqual([]);
      expect(loaded.placement).toHaveLength(3);
      const [main, ...gpus] = loaded.placement;
      expect(main!.layers).toBe(0);
      expect(gpus[0]!.device).not.toBe(gpus[1]!.device);
      expect(gpus[0]!.layers + gpus[1]!.layers).toBe(layers);
      for (const gpu of gpus) expect(gpu.layers).toBeGreaterThan(0);

      const estimate = estimateMemory(readGgufHeader(modelPath), {
        ...{ contextSize: allocated.cells(), chunkTokens: 512, batchTokens: 512 },
        ...{ tokenBudget: 0, questionTokens: 0, offloadedLayers: layers + 1, gpuShares: [1, 1] },
      });
      // A model of four layers is mostly buffers, and the second GPU's are smaller than the first's.
      const estimated = estimate.gpus.map(ofLibrary);
      const taken = gpus.map(({ device }) => allocated.device(device));
      gpus.forEach(({ device }, index) => {
        console.log(comparison(device, estimated[index]!, taken[index]!));
        expect(taken[index], device).toBeLessThan((1 + allowedError) * estimated[index]!);
      });
      const [all, allTaken] = [estimated, taken].map((bytes) => bytes[0]! + bytes[1]!) as [number, number];
      console.log(comparison('both', all, allTaken));
      expect(Math.abs(all - allTaken) / allTaken).toBeLessThan(allowedError);
    } finally {
      await engine.dispose();
    }
  });
});
