/** What the machine has that decides which model suits it. */
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { graphics } from 'systeminformation';
import type { DeviceReport } from '../protocol/engine.ts';
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

/** Asks the engine. */
export type EngineDevices = () => Promise<readonly DeviceReport[]>;

/** Apple's own processors. */
const hasUnifiedMemory = platform() === 'darwin' && arch() === 'arm64';
/** Of unified memory, macOS lets a GPU have about so much. */
const METAL_SHARE = 2 / 3;
/** Less is an adapter for a screen. */
const LEAST_GPU_BYTES = 2 * 2 ** 30;
/** Where nothing tells what others have taken of a GPU's memory: the desktop's part. */
const FREE_SHARE_OF_GPU = 0.85;

/**
 * What the engine can use counts; where it cannot be asked, what the system says, which may start its own programs and
 * take a second.
 */
export async function readMachine(engineDevices: EngineDevices): Promise<MachineFacts> {
  const freeBytes = freeMemoryBytes();
  const memory = { cores: availableParallelism(), totalBytes: totalmem(), freeBytes };
  try {
    return { ...memory, gpu: reportedGpu(await engineDevices(), hasUnifiedMemory) };
  } catch {
    return { ...memory, gpu: unifiedGpu(memory) ?? ownMemoryGpu(await controllers()) };
  }
}

/**
 * Those that layers are shared among, as one. Integrated GPUs are left out: they read about as fast as the processor
 * beside them, whose memory they share; but where memory is unified, the GPU is the faster by far.
 */
export function reportedGpu(devices: readonly DeviceReport[], unified: boolean): GpuFacts | null {
  const gpus = devices.filter(({ kind, leftOut }) => kind === 'gpu' && leftOut === undefined);
  const [first] = gpus;
  if (first === undefined) return null;
  const sum = (of: (device: DeviceReport) => number): number => gpus.reduce((all, one) => all + of(one), 0);
  return {
    name: first.description,
    unified,
    totalBytes: sum(({ totalBytes }) => totalBytes),
    freeBytes: sum(({ freeBytes }) => freeBytes),
  };
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

/** The GPU with the most memory of its own. */
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
  if (!hasUnifiedMemory) return null;
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
