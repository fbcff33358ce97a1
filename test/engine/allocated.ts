/** What llama.cpp says in its log that it has allocated, by the name of the buffer's type, in bytes. */
import type { MemoryPart } from '../../extension/models/memoryEstimate.ts';

const MIB = 2 ** 20;

export interface Allocated {
  /** Takes a line of the log. What a later context allocates stands in place of what an earlier one did. */
  readonly addLine: (line: string) => void;
  /** Cells of the latest cache. */
  readonly cells: () => number;
  /** Of main memory but for `repacked`, and of the device with that name. */
  readonly main: () => number;
  /**
   * Copies of weights as the processor multiplies them best. The pages of the file that they were made from are in the
   * resident set, too, until the system wants them for something else.
   */
  readonly repacked: () => number;
  readonly device: (name: string) => number;
}

export function readAllocated(): Allocated {
  const buffers = new Map<string, number>();
  let cells = 0;
  const sum = (matches: (name: string) => boolean): number =>
    [...buffers].reduce((total, [key, bytes]) => (matches(key.split(' ')[0]!) ? total + bytes : total), 0);
  return {
    addLine(line) {
      const buffer = /(\S+)\s+(model|KV|compute|output) buffer size =\s+([\d.]+) MiB/.exec(line);
      if (buffer !== null) buffers.set(`${buffer[1]} ${buffer[2]}`, Number(buffer[3]) * MIB);
      const size = /\(\s*(\d+) cells,/.exec(line);
      if (size !== null) cells = Number(size[1]);
    },
    cells: () => cells,
    main: () => sum((name) => /^CPU(?!_REPACK$)|_Host$/.test(name)),
    repacked: () => sum((name) => /^(?:AMX|CPU_REPACK)$/.test(name)),
    device: (name) => sum((one) => one === name),
  };
}

/** The part of the estimate that llama.cpp's log covers. */
export function ofLibrary({ weightBytes, kvCacheBytes, computeBytes }: MemoryPart): number {
  return weightBytes + kvCacheBytes + computeBytes;
}

/** One line for people. */
export function comparison(what: string, estimated: number, taken: number): string {
  const off = (100 * (estimated - taken)) / taken;
  return `${what}: estimated ${(estimated / MIB).toFixed(1)} MiB, taken ${(taken / MIB).toFixed(1)} MiB (${off.toFixed(1)} %)`;
}
