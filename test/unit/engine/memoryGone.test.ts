/** Memory that is gone between the estimate and the loading of the weights, of which llama.cpp says no more than that it failed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Device, LlamaLibrary } from '../../../extension/engine/llama/library.ts';
import { LlamaModel } from '../../../extension/engine/llama/llamaModel.ts';
import { temporaryFolder } from '../reference/temporaryFolder.ts';

const MB = 2 ** 20;

describe('weights that a library does not load', () => {
  const path = join(temporaryFolder(), 'model.gguf');
  writeFileSync(path, Buffer.alloc(3 * MB));
  const gpus = [
    { name: 'Vulkan0', pointer: 0n, isGpu: true },
    { name: 'Vulkan1', pointer: 1n, isGpu: true },
  ] as unknown as readonly Device[];
  const library = (freeBytes: readonly number[]): LlamaLibrary =>
    ({
      devices: gpus,
      functions: {
        llama_model_default_params: () => ({}),
        llama_max_devices: () => 16,
        llama_model_load_from_file: () => null,
        ggml_backend_dev_memory(pointer: bigint, free: BigUint64Array, total: BigUint64Array) {
          free[0] = BigInt(freeBytes[Number(pointer)]!);
          total[0] = BigInt(8 * MB);
        },
      },
    }) as unknown as LlamaLibrary;
  const load = (freeBytes: readonly number[], device: 'cpu' | 'vulkan') => () =>
    LlamaModel.load(library(freeBytes), path, { device, gpus });

  test('do not fit a GPU that has less room than its part of them', () => {
    expect(load([2 * MB, MB], 'vulkan')).toThrow(
      expect.objectContaining({
        reason: 'notEnoughMemory',
        message: expect.stringContaining('Vulkan1') as string,
      }) as Error,
    );
  });

  test.each(['cpu', 'vulkan'] as const)('are damaged where there is room (%s)', (device) => {
    expect(load([2 * MB, 2 * MB], device)).toThrow(
      expect.objectContaining({ reason: 'modelCorrupt' }) as Error,
    );
  });
});
