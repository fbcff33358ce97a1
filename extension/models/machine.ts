/** What the machine has that decides which model suits it. */
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { graphics } from 'systeminformation';
import { freeMemoryBytes } from './freeMemory.ts';

export interface MachineFacts {
  /** Threads that may run at once. */
  readonly cores: number;
  /** Of main memory, bytes; `freeBytes` is what may still be taken without swapping. */
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** The one that a model would run on; null: the processor alone. */
  readonly gpu: GpuFacts | null;
}

export interface GpuFacts {
  readonly name: string;
  /** Its memory is the machine's own, shared with everything else. */
  readonly unified: boolean;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Of unified memory, macOS lets a GPU have about so much. */
const METAL_SHARE = 2 / 3;
/** Less is an adapter for a screen. */
const LEAST_GPU_BYTES = 2 * 2 ** 30;
/** Where nothing tells what others have taken of a GPU's memory: the desktop's part. */
const FREE_SHARE_OF_GPU = 0.85;

/** Asks the system, which may start its own programs and take a second. */
export async function readMachine(): Promise<MachineFacts> {
  const freeBytes = freeMemoryBytes();
  const memory = { cores: availableParallelism(), totalBytes: totalmem(), freeBytes };
  return { ...memory, gpu: unifiedGpu(memory) ?? ownMemoryGpu(await controllers()) };
}

/** Like systeminformation's, of which this is a part; memory in MiB. */
export interface GraphicsController {
  readonly vendor: string;
  readonly model: string;
  readonly vram?: number | null;
  /** The memory is main memory. */
  readonly vramDynamic?: boolean;
  readonly memoryTotal?: number;
  readonly memoryFree?: number;
}

/**
 * The GPU with the most memory of its own. Integrated ones are left out: they read about as fast as the processor
 * beside them, whose memory they share.
 */
export function ownMemoryGpu(controllers: readonly GraphicsController[]): GpuFacts | null {
  const gpus = controllers.flatMap(({ vendor, model, vram, vramDynamic, memoryTotal, memoryFree }) => {
    const totalBytes = (memoryTotal ?? vram ?? 0) * 2 ** 20;
    if (vramDynamic === true || totalBytes < LEAST_GPU_BYTES) return [];
    const freeBytes = memoryFree === undefined ? totalBytes * FREE_SHARE_OF_GPU : memoryFree * 2 ** 20;
    return [{ name: model || vendor, unified: false, totalBytes, freeBytes }];
  });
  return gpus.toSorted((a, b) => b.totalBytes - a.totalBytes)[0] ?? null;
}

function unifiedGpu({
  totalBytes,
  freeBytes,
}: Pick<MachineFacts, 'totalBytes' | 'freeBytes'>): GpuFacts | null {
  if (platform() !== 'darwin' || arch() !== 'arm64') return null;
  const most = totalBytes * METAL_SHARE;
  return { name: 'Metal', unified: true, totalBytes: most, freeBytes: Math.min(most, freeBytes) };
}

/** None where the system does not tell. */
async function controllers(): Promise<readonly GraphicsController[]> {
  try {
    return (await graphics()).controllers;
  } catch {
    return [];
  }
}
