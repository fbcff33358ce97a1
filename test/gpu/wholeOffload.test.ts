import { describe } from 'vitest';
import { compressSuite } from '../compressSuite.ts';
import { familySuite } from '../familySuite.ts';
import { numericsSuite } from '../numericsSuite.ts';
import { gpuModels, hasVulkanDevice } from './softwareDevice.ts';

// Every layer's KV cache is on the device.
describe.skipIf(!hasVulkanDevice())('whole offload', () => {
  numericsSuite({ device: 'vulkan' }, [true, true, true], gpuModels);
  compressSuite({ device: 'vulkan' }, 1.5e-2);
  familySuite({ device: 'vulkan' }, ['smollm3', 'gemma3']);
});
