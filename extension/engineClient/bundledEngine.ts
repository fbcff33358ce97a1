import { fileURLToPath } from 'node:url';
import type { EngineCommand } from './engineProcess.ts';

/** How to run the engine bundle, which lies beside the running bundle, with the Node that runs this program. */
export function bundledEngine(
  enginePath: string = fileURLToPath(new URL('./engine.mjs', import.meta.url)),
): EngineCommand {
  const env =
    process.versions['electron'] === undefined
      ? process.env
      : // The extension host is Electron, which runs as plain Node only when asked to.
        { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  return { command: process.execPath, args: [enginePath], env };
}
