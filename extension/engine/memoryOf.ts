/** What is free now on the devices of this machine. */
import type { FreeMemory } from '../models/fitToMemory.ts';
import { freeMemoryBytes } from '../models/freeMemory.ts';
import { deviceMemory, type Device, type LlamaLibrary } from './llama/library.ts';

/** A GPU that does not say counts as main memory. */
export function freeMemory(library: LlamaLibrary, gpus: readonly Device[]): FreeMemory {
  const mainBytes = freeMemoryBytes();
  return {
    mainBytes,
    gpus: gpus.map((gpu) => {
      const own = deviceMemory(library, gpu);
      return {
        name: gpu.name,
        freeBytes: own?.freeBytes ?? mainBytes,
        isShared: gpu.isIntegrated || own === null,
      };
    }),
  };
}
