import { describe } from 'vitest';
import { numericsSuite } from '../numericsSuite.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

describe.skipIf(!hasVulkanDevice())('a cache of q8_0', () => {
  numericsSuite(
    { device: 'vulkan', kvCacheType: 'q8_0' },
    [true, true, true],
    ['llama', 'llama, YaRN', 'mistral'],
  );
});
