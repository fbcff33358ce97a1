import { lutimes, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withFileLock } from '../../../extension/models/fileLock.ts';

const signal = new AbortController().signal;
const longAgo = new Date(Date.now() - 60_000);
let folder: string;
let lockPath: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-lock-'));
  lockPath = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true }));

function hold(work: () => Promise<void>, onWait: () => void = () => undefined): Promise<void> {
  return withFileLock(lockPath, signal, onWait, work);
}

it('several in one process take turns', async () => {
  let holders = 0;
  const seen: number[] = [];
  const work = async () => {
    seen.push(++holders);
    await readdir(folder);
    holders--;
  };
  await Promise.all([hold(work), hold(work), hold(work)]);
  expect(seen).toEqual([1, 1, 1]);
  expect(await readdir(folder)).toEqual([]);
});

it('is released when the work fails', async () => {
  const failing = hold(() => Promise.reject(new Error('failed')));
  await expect(failing).rejects.toThrow('failed');
  expect(await readdir(folder)).toEqual([]);
});

const abandoned: [name: string, leave: () => Promise<void>][] = [
  ['a file', () => writeFile(lockPath, '').then(() => utimes(lockPath, longAgo, longAgo))],
  [
    'a link to nothing',
    () => symlink(join(folder, 'nothing'), lockPath).then(() => lutimes(lockPath, longAgo, longAgo)),
  ],
];
it.each(abandoned)('one that shows no life is taken over: %s', async (_, leave) => {
  await leave();
  let waits = 0;
  await hold(
    () => Promise.resolve(),
    () => {
      waits++;
    },
  );
  expect(waits).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

it('who was taken over leaves the lock of the next one alone', async () => {
  await hold(async () => {
    await rm(lockPath);
    await writeFile(lockPath, 'of another');
  });
  expect(await readFile(lockPath, 'utf8')).toBe('of another');
});
