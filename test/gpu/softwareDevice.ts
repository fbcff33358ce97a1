/** The Vulkan device of the GPU tests: Mesa's software device, or the first GPU where there is one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { AskError } from '../../extension/errors.ts';
import { loadLibrary } from '../../extension/engine/llama/library.ts';
import { compileC } from '../engine/headers.ts';
import type { TinyModelName } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

/** Both ways to pair dimensions, frequency factors and YaRN: what the graphs on the cache depend on. */
export const gpuModels: readonly TinyModelName[] = ['llama, frequency factors', 'llama, YaRN', 'qwen2'];

/**
 * Loads the Vulkan library; to be called before anything else loads one.
 * @param times how often the device is named: ggml then has so many devices, each with its own memory and queues.
 * @returns false, with the reason printed, only where the library finds no GPU device; every other failure is thrown.
 */
export function hasVulkanDevice(times = 1): boolean {
  // Without being named, a device that runs on the CPU is passed over.
  process.env['GGML_VK_VISIBLE_DEVICES'] = new Array(times).fill('0').join(',');
  keepBuffers();
  try {
    const gpu = loadLibrary('vulkan').devices.find((device) => device.isGpu);
    console.log(`Vulkan device: ${gpu?.description ?? 'none'}`);
    return true;
  } catch (error) {
    if (!(error instanceof AskError) || error.reason !== 'deviceNotFound') throw error;
    console.log(`The GPU tests are skipped: ${error.message}. ${error.remedy}`);
    return false;
  }
}

/** `keptBuffers.c`, which says why, for this process and those that it starts. */
function keepBuffers(): void {
  if (process.platform !== 'linux') return;
  const library = join(temporaryFolder(), 'keptBuffers.so');
  const source = fileURLToPath(new URL('keptBuffers.c', import.meta.url));
  compileC(['-shared', '-fPIC', '-o', library, source, '-ldl']);
  koffi.load(library, { global: true });
  process.env['LD_PRELOAD'] = library;
}
