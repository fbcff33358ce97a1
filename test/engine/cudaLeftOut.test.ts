/** CUDA's library and a GPU for it are here, and a file of NVIDIA's is not: another device is used, and that is said. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { cudaErrors } from '../../extension/cuda/cudaErrors.ts';
import { createEngineHandlers } from '../../extension/engine/handlers.ts';
import type * as cudaLibrary from '../../extension/engine/llama/cudaLibrary.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const { template, args } = cudaErrors.noToolkit(['libcublas.so.13'], ['libcublas.so.12']);
vi.mock('../../extension/engine/llama/cudaLibrary.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof cudaLibrary>()),
  cudaOfItself: () => cudaErrors.noToolkit(['libcublas.so.13'], ['libcublas.so.12']),
}));

test('where no device is named, a notice says what CUDA lacks', async () => {
  const modelPath = join(temporaryFolder(), 'model.gguf');
  writeTinyModel(modelPath, tinyOptions);
  const handlers = createEngineHandlers({ test: () => null });
  const { signal } = new AbortController();
  try {
    const { deviceName, notices } = await handlers.load({ modelPath, device: 'auto' }, signal);
    expect(notices).toEqual([{ kind: 'cudaLeftOut', instead: deviceName, why: { template, args } }]);
  } finally {
    await handlers.dispose();
  }
});
