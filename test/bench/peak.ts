/** The largest memory of a process that reads a document, compressed or plain: each is measured in one of its own. */
import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { peakResidentBytes } from '../../extension/engine/peakMemory.ts';

const peakSchema = z.object({ bytes: z.number().positive() });

/** Starts a bench of this program again with `--peak WAY`, which has to read in that way and to call `tellPeak`. */
export function peakOf(bench: string, way: 'engine' | 'plain', args: readonly string[]): number {
  const output = execFileSync(process.execPath, [process.argv[1]!, bench, '--peak', way, ...args], {
    encoding: 'utf8',
  });
  return peakSchema.parse(JSON.parse(output.trimEnd().split('\n').at(-1)!)).bytes;
}

/** The largest memory of this process so far, for the one that started it. */
export function tellPeak(): void {
  console.log(JSON.stringify({ bytes: peakResidentBytes() }));
}
