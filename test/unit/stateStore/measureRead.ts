/**
 * How long a stored state takes to be read, beside plainly reading the same file: for a person to run, with
 * `npx esbuild test/unit/stateStore/measureRead.ts --bundle --platform=node --format=esm | node --input-type=module`
 * and the megabytes and the number of sections, if others than 30 and 56, behind a `-`. A time is the median of 41.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStateFile, readStateHeader, writeStateFile } from '../../../extension/stateStore/stateFile.ts';
import { bytesFrom } from './sampleState.ts';

const ROUNDS = 41;
const [megabytes = 30, count = 56] = process.argv.slice(2).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'measure-read-'));
const path = join(folder, 'state.kv');
const sections = Array.from({ length: count }, (_, seed) => bytesFrom(seed, (megabytes * 1e6) / count));

const writing = await millisecondsOf(() => writeStateFile(path, {}, sections, new AbortController().signal));
const plain: number[] = [];
const whole: number[] = [];
const header: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  plain.push(await millisecondsOf(() => readFile(path)));
  whole.push(await millisecondsOf(() => readStateFile(path)));
  header.push(await millisecondsOf(() => readStateHeader(path)));
}
await rm(folder, { recursive: true });
process.stdout.write(
  `${megabytes} MB in ${count} sections: written and synced in ${writing.toFixed(1)} ms; read plainly in ` +
    `${median(plain).toFixed(2)} ms, as a state in ${median(whole).toFixed(2)} ms (ratio ` +
    `${(median(whole) / median(plain)).toFixed(2)}), its header alone in ${median(header).toFixed(2)} ms\n`,
);

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
