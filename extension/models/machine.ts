/** What the machine has that decides which model suits it. */
import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { graphics } from 'systeminformation';
import type { DevicePlacement, DeviceReport } from '../protocol/engine.ts';
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
  /** Its memory is the machine's own, shared with everything else, and it is faster than the processor by far. */
  readonly unified: boolean;
  /** So is its memory, but it reads about as fast as the processor beside it. */
  readonly integrated?: true;
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** Apple's own processors. */
const hasUnifiedMemory = platform() === 'darwin' && arch() === 'arm64';
/** Of unified memory, macOS lets a GPU have about so much. */
const METAL_SHARE = 2 / 3;
/** Less is an adapter for a screen. */
const LEAST_GPU_BYTES = 2 * 2 ** 30;
/** Where nothing tells what others have taken of a GPU's memory: the desktop's part. */
const FREE_SHARE_OF_GPU = 0.85;

/** What the model in the memory takes, on each device, and is given back when another takes its place. */
export type LoadedPlacement = readonly Pick<DevicePlacement, 'device' | 'estimatedBytes'>[];

/**
 * What the engine can use counts; where it cannot be asked, what the system says, which may start its own programs and
 * take a second.
 */
export async function readMachine(
  engineDevices: () => Promise<readonly DeviceReport[]>,
  loaded: LoadedPlacement = [],
): Promise<MachineFacts> {
  const totalBytes = totalmem();
  const memory = { cores: availableParallelism(), totalBytes, freeBytes: freeMemoryBytes() };
  try {
    return machineOf(memory, await engineDevices(), loaded, hasUnifiedMemory);
  } catch {
    const now = machineOf(memory, [], loaded, hasUnifiedMemory);
    return { ...now, gpu: unifiedGpu(now) ?? ownMemoryGpu(await controllers()) };
  }
}

/**
 * Free is what is free and what the loaded model gives back. What it has on a GPU that shares main memory is given back
 * to both. No device gets more than all that it has.
 */
export function machineOf(
  memory: Omit<MachineFacts, 'gpu'>,
  reports: readonly DeviceReport[],
  loaded: LoadedPlacement,
  unified: boolean,
): MachineFacts {
  const givenBack = (device: string): number =>
    loaded.find((one) => one.device === device)?.estimatedBytes ?? 0;
  const isMain = (name: string): boolean =>
    unified || name === 'CPU' || reports.some((one) => one.name === name && one.kind !== 'gpu');
  const mainBytes = loaded
    .filter(({ device }) => isMain(device))
    .reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0);
  const freeBytes = Math.min(memory.totalBytes, memory.freeBytes + mainBytes);
  const devices = reports.map((one) => ({
    ...one,
    freeBytes: Math.min(one.totalBytes, one.freeBytes + givenBack(one.name)),
  }));
  return { ...memory, freeBytes, gpu: reportedGpu(devices, freeBytes, unified) };
}

/**
 * Those that layers are shared among, as one: the GPUs with memory of their own, as in `usableGpus`; where there is none,
 * the first integrated one, which may use what its driver says and main memory has.
 */
function reportedGpu(devices: readonly DeviceReport[], mainBytes: number, unified: boolean): GpuFacts | null {
  const working = devices.filter(({ leftOut }) => leftOut === undefined);
  const gpus = working.filter(({ kind }) => kind === 'gpu');
  const [first] = gpus;
  if (first === undefined) {
    const integrated = working.find(({ kind }) => kind === 'integratedGpu');
    if (integrated === undefined) return null;
    const { description: name, totalBytes, freeBytes } = integrated;
    return { name, unified: false, integrated: true, totalBytes, freeBytes: Math.min(freeBytes, mainBytes) };
  }
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
