import { describe } from 'vitest';
import { compressSuite } from '../compressSuite.ts';
import { numericsSuite } from '../numericsSuite.ts';
import { gpuModels, hasVulkanDevice } from './softwareDevice.ts';

// The output layer counts as one: of the three layers with a KV cache, the last one is on the device.
describe.skipIf(!hasVulkanDevice())('partial offload', () => {
  numericsSuite({ device: 'vulkan', gpuLayers: 2 }, [false, false, true], gpuModels);
  compressSuite({ device: 'vulkan', gpuLayers: 2 }, 1.5e-2);
});
