/** A GPU on which keeping everything does not give the same: it is found out on the loaded model, and left out. */
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createEngineHandlers } from '../../extension/engine/handlers.ts';
import { keepsEverything } from '../../extension/engine/keepCheck.ts';
import { deviceProblems } from '../../extension/protocol/engine.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { hasVulkanDevice } from './softwareDevice.ts';

vi.mock('../../extension/engine/keepCheck.ts', () => ({ keepsEverything: vi.fn() }));
const check = vi.mocked(keepsEverything);
const signal = new AbortController().signal;

describe.skipIf(!hasVulkanDevice())('a GPU that fails on the loaded model', () => {
  const modelPath = join(temporaryFolder(), 'model.gguf');
  writeTinyModel(modelPath, tinyOptions);

  test('is named and left out: the model is loaded once more, on the CPU', async () => {
    check.mockReturnValueOnce(false).mockReturnValue(true);
    const handlers = createEngineHandlers({ test: () => null });
    try {
      const loaded = await handlers.load({ modelPath, device: 'auto' }, signal);
      expect(check).toHaveBeenCalledTimes(2);
      expect(loaded).toMatchObject({
        deviceName: expect.stringMatching(/^CPU/) as string,
        offloadedLayers: 0,
      });
      expect(loaded.notices).toEqual([
        { kind: 'deviceLeftOut', device: expect.any(String) as string, why: deviceProblems.keeping },
      ]);
      const named = async () => handlers.load({ modelPath, device: 'vulkan' }, signal);
      await expect(named()).rejects.toMatchObject({
        reason: 'deviceNotFound',
        message: expect.stringMatching(/failed its test: keeping every token changed the logits$/) as string,
      });
    } finally {
      await handlers.dispose();
    }
  });
});
