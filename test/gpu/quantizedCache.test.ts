import { describe } from 'vitest';
import { numericsSuite } from '../numericsSuite.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

// One model to a process: with a second one, Mesa's software device damaged the heap (see ARCHITECTURE.md).
describe.skipIf(!hasVulkanDevice())('a cache of q8_0', () => {
  numericsSuite({ device: 'vulkan', kvCacheType: 'q8_0' }, [true, true, true], ['llama, YaRN']);
});
