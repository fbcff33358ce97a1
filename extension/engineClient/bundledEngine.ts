import { fileURLToPath } from 'node:url';
import type { EngineCommand } from './engineProcess.ts';

export interface BundledEngineOptions {
  /** Beside the running bundle when absent. */
  readonly enginePath?: string;
  /** Where CUDA's libraries are when no package brings them. */
  readonly cudaFolder?: string;
}

/** How to run the engine bundle, with the Node that runs this program. */
export function bundledEngine({
  enginePath = fileURLToPath(new URL('./engine.mjs', import.meta.url)),
  cudaFolder,
}: BundledEngineOptions = {}): EngineCommand {
  const env =
    process.versions['electron'] === undefined
      ? process.env
      : // The extension host is Electron, which runs as plain Node only when asked to.
        { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  return {
    command: process.execPath,
    args: [enginePath, ...(cudaFolder === undefined ? [] : ['--cuda', cudaFolder])],
    env,
  };
}
