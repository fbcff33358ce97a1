/** Several engine processes on one folder of states, and processes that are killed while they write. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { stateFileBytes } from '../../../extension/stateStore/stateFile.ts';
import { openStateStore } from '../../../extension/stateStore/stateStore.ts';
import { contentFrom, isWhole, nameOf } from './sampleState.ts';
import { watchUsage } from './watchUsage.ts';

const signal = new AbortController().signal;
const NAMES = 10;
const stateName = /^[0-9a-f]{16}\.kv$/u;
/** As large as those that the workers write: their headers differ by less than the padding. */
const { header, sections } = contentFrom(100, [60_000, 0, 9_999]);
const stateBytes = stateFileBytes(header, sections);

let parent: string;
let workerPath: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'state-processes-'));
  workerPath = join(parent, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./storeWorker.ts', import.meta.url))],
    ...{
      outfile: workerPath,
      bundle: true,
      platform: 'node',
      format: 'esm',
      minify: true,
      logLevel: 'error',
    },
  });
});
afterAll(() => rm(parent, { recursive: true }));

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

function startWorker(
  folder: string,
  capBytes: number,
  own: number,
  milliseconds: number,
  writeShare: number,
) {
  const args = [workerPath, folder, capBytes, own, milliseconds, writeShare].map(String);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve)).finally(() =>
    children.delete(child),
  );
  return { child, closed, said: text(child.stderr) };
}

it('three processes write, read, replace, evict and remove at once', async () => {
  const folder = join(parent, 'shared');
  const capBytes = 6 * stateBytes;
  const workers = [1, 2, 3].map((own) => ({ ...startWorker(folder, capBytes, own, 3_000, 0.5), own }));
  const outputs = workers.map(({ child }) => text(child.stdout));
  const watch = watchUsage(folder);
  for (const { closed, said } of workers) {
    const code = await closed;
    const problems = (await said).split('\n').filter((line) => line !== '' && !line.endsWith('made room'));
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
  }
  const { mostBytes, sawUnfinished } = watch.stop();
  expect(sawUnfinished).toBe(true);
  expect(mostBytes).toBeLessThanOrEqual(capBytes);
  // Each ran to its end, which comes only after some of everything.
  for (const output of outputs) expect(await output).toMatch(/^begin\n\{"written":\d/u);
  expect((await readdir(folder)).filter((name) => !stateName.test(name))).toEqual([]);
}, 20_000);

it('killed at 200 random points of writing: each state is whole or none, and nothing is left over', async () => {
  const KILLS = 200;
  const LANES = 4;
  const capBytes = 6 * stateBytes;
  let kills = 0;
  let whole = 0;
  let cutShort = 0;
  const lines: string[] = [];

  const lane = async (number: number) => {
    const folder = join(parent, `killed-${number}`);
    const store = openStateStore({ folder, capBytes, log: (line) => lines.push(line) });
    while (kills < KILLS) {
      kills++;
      const { child, closed } = startWorker(folder, capBytes, number, 60_000, 1);
      await once(child.stdout, 'data');
      await sleep(Math.random() * 25);
      child.kill('SIGKILL');
      await closed;

      if ((await readdir(folder).catch(() => [])).some((name) => name.endsWith('.new'))) cutShort++;
      for (let index = 0; index < NAMES; index++) {
        const content = await store.read(nameOf(index));
        if (content === null) continue;
        expect(isWhole(content)).toBe(true);
        whole++;
      }
      // As if the last sign of life lay longer back.
      const longAgo = new Date(Date.now() - 60_000);
      await utimes(join(folder, 'writer.lock'), longAgo, longAgo).catch(() => undefined);
      expect(await store.write(nameOf(0), header, sections, signal)).toBe('written');
      expect((await readdir(folder)).filter((name) => !stateName.test(name))).toEqual([]);
      expect((await store.usage()).bytes).toBeLessThanOrEqual(capBytes);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));

  expect(lines.filter((line) => !line.endsWith('made room'))).toEqual([]);
  expect(kills).toBe(KILLS);
  expect(whole).toBeGreaterThan(KILLS);
  // Otherwise the moments of killing would say little.
  expect(cutShort).toBeGreaterThan(KILLS / 10);
  process.stdout.write(
    `${KILLS} kills, ${cutShort} of them between creating a file and renaming it; ${whole} states read\n`,
  );
}, 60_000);
