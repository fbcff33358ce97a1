import { describe } from 'vitest';
import { familySuite } from '../familySuite.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

describe.skipIf(!hasVulkanDevice())('on the device', () => {
  familySuite({ device: 'vulkan' });
});
