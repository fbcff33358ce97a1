/** A tiny model with layers enough to be shared among devices, and what its estimate is held to. */
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { buildBundles } from '../engine/engineProcess.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

/** Of what was taken. */
export const allowedError = 0.1;
export const layers = 4;

/** Writes it before the tests of a `describe`, and makes the engine's program. Gives the path. */
export function useLayeredModel(): string {
  const modelPath = join(temporaryFolder(), 'model.gguf');
  beforeAll(() => {
    buildBundles();
    const sizes = { layers, heads: 8, kvHeads: 4, embedding: 512, feedForward: 1536 };
    writeTinyModel(modelPath, { ...tinyOptions, ...sizes, contextLength: 8192 });
  });
  return modelPath;
}
