/** Tarballs that the test makes, brought by a stand-in for npm or by hand. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CudaPackage } from '../../../extension/cuda/cudaPackages.ts';
import {
  cudaBytes,
  cudaFolder,
  getCuda,
  isCudaHere,
  removeCuda,
  type CudaProgress,
  type CudaSource,
} from '../../../extension/cuda/getCuda.ts';
import { caught } from '../models/caught.ts';
import { fileReaches } from '../models/faultyServer.ts';
import { mountSmallDisk } from '../models/smallDisk.ts';

const files = {
  'mini-cuda': { 'libggml-cuda.so': 'for CUDA 13', 'libggml-base.so': 'base' },
  'mini-cuda-ext': { 'fallback/libggml-cuda.so': 'for CUDA 12' },
} as const;
const npm: CudaSource = { kind: 'npm' };

let folder: string;
let root: string;
let packages: readonly CudaPackage[];
let foreign: CudaPackage;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cuda-'));
  root = join(folder, 'storage', 'cuda');
  mkdirSync(join(folder, 'tarballs'));
  packages = Object.entries(files).map(([name, content]) => makePackage(name, 'mini-cuda', content));
  foreign = makePackage('other-cuda', 'other-cuda', { 'ggml-cuda.dll': 'for Windows' });
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(import.meta.dirname, 'standInNpm.mjs'), join(folder, 'bin/npm'));
  // Beside the stand-in only what it and the unpacking need: a machine's own npm is not found.
  symlinkSync(process.execPath, join(folder, 'bin/node'));
  for (const program of ['tar', 'gzip', 'env']) {
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(folder, 'bin', program));
  }
  vi.stubEnv('PATH', [join(folder, 'bin')].join(delimiter));
  vi.stubEnv('STAND_IN_TARBALLS', join(folder, 'tarballs'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** As npm packs one: everything below `package/`. */
function makePackage(name: string, bins: string, content: Readonly<Record<string, string>>): CudaPackage {
  const version = '1.0.0';
  const from = join(folder, 'made', name);
  for (const [path, text] of Object.entries({ ...content, '../../package.json': '{}' })) {
    const file = join(from, 'package/bins', bins, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const file = tarballOf({ name, version });
  execFileSync('tar', ['-czf', file, '-C', from, 'package']);
  const bytes = readFileSync(file);
  return {
    ...{ name, version, bytes: bytes.length, unpackedBytes: 100 },
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
  };
}

function tarballOf({ name, version }: Pick<CudaPackage, 'name' | 'version'>): string {
  return join(folder, 'tarballs', `${name}-${version}.tgz`);
}

function get(source: CudaSource, signal = new AbortController().signal, into = root): Promise<void> {
  return getCuda(packages, { root: into, source, signal, known: [...packages, foreign] });
}

const everything = ['1.0.0/fallback/libggml-cuda.so', '1.0.0/libggml-base.so', '1.0.0/libggml-cuda.so'];
function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();
}

test('npm brings both, they are unpacked into one folder, and nothing else stays; removed, nothing is left', async () => {
  const told: CudaProgress[] = [];
  mkdirSync(join(root, '0.9.0'), { recursive: true });
  mkdirSync(join(root, 'arriving/npm'), { recursive: true });
  writeFileSync(join(root, '0.9.0/libggml-cuda.so'), 'of an earlier version');
  const { signal } = new AbortController();
  await getCuda(packages, { root, source: npm, signal, onProgress: (progress) => told.push(progress) });
  expect(filesBelow(root)).toEqual(everything);
  expect(readdirSync(root)).toEqual(['1.0.0']);
  expect(await isCudaHere(root, packages)).toBe(true);
  expect(cudaFolder(root, packages)).toBe(join(root, '1.0.0'));
  expect(await cudaBytes(root)).toBe('for CUDA 13base'.length + 'for CUDA 12'.length);
  const total = packages.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(told.at(-1)).toEqual({ stage: 'unpacking', done: total, total });
  // Nothing is asked of npm for what is here.
  vi.stubEnv('STAND_IN', 'fails');
  await get(npm);
  await removeCuda(root, signal);
  expect(readdirSync(root)).toEqual([]);
  expect(await cudaBytes(root)).toBe(0);
});

test.each([
  ['fails', /mini-cuda@1\.0\.0 could not be fetched with npm \(npm ended with 1: .*404 Not Found\)$/],
  ['bringsNothing', /mini-cuda@1\.0\.0 could not be fetched with npm \(npm brought no file\)$/],
  ['truncates', /^mini-cuda@1\.0\.0 arrived damaged: sha512-.*==, expected sha512-.*==$/],
  ['bringsAnother', /^mini-cuda@1\.0\.0 arrived damaged/],
])('an npm that %s leaves nothing behind', async (mode, message) => {
  vi.stubEnv('STAND_IN', mode);
  const error = await caught(() => get(npm));
  expect(error).toMatchObject({
    reason: 'cudaNotFetched',
    message: expect.stringMatching(message) as string,
  });
  expect(readdirSync(root)).toEqual([]);
});

test('cancelled while npm is at it, all that npm started ends, and nothing stays', async () => {
  vi.stubEnv('STAND_IN', 'hangs');
  const cancelled = new AbortController();
  const getting = caught(() => get(npm, cancelled.signal));
  await fileReaches(join(root, 'arriving/npm/cache/tmp/begun'), 100);
  cancelled.abort();
  // It ends although what npm started holds its output open: that one is gone, too.
  expect(await getting).toMatchObject({ reason: 'cancelled' });
  expect(readdirSync(root)).toEqual([]);
});

test('without npm it says which files to bring', async () => {
  await rm(join(folder, 'bin/npm'));
  const error = await caught(() => get(npm));
  expect(error?.message).toMatch(
    /npm.* is not on this machine\. By hand: get mini-cuda@1\.0\.0, mini-cuda-ext@1\.0\.0/,
  );
  expect(readdirSync(root)).toEqual([]);
});

test('files that were brought by hand are taken by what they are, whatever they are called', async () => {
  await rm(join(folder, 'bin/npm'));
  const paths = packages.map((one, index) => {
    const path = join(folder, `downloaded (${index}).tgz`);
    copyFileSync(tarballOf(one), path);
    return path;
  });
  await get({ kind: 'files', paths: paths.toReversed() });
  expect(filesBelow(root)).toEqual(everything);
  expect(paths.every((path) => readdirSync(folder).includes(basename(path)))).toBe(true);
});

test.each([
  [
    'truncated',
    () => [written(readFileSync(tarballOf(packages[0]!)).subarray(0, 50))],
    /brought\.tgz is none of.*: sha512-/,
  ],
  [
    'of another platform',
    () => [tarballOf(foreign)],
    /other-cuda-1\.0\.0\.tgz is none of.*: other-cuda@1\.0\.0$/,
  ],
  ['of one package alone', () => [tarballOf(packages[0]!)], /^The file of mini-cuda-ext@1\.0\.0 is missing$/],
  ['that are not there', () => [join(folder, 'absent.tgz')], /absent\.tgz is none of.*: ENOENT/],
])('files %s are refused, and nothing stays', async (_, paths, message) => {
  const error = await caught(() => get({ kind: 'files', paths: paths() }));
  expect(error).toMatchObject({
    reason: 'cudaNotFetched',
    message: expect.stringMatching(message) as string,
  });
  expect(readdirSync(root)).toEqual([]);
});

function written(content: Buffer): string {
  const path = join(folder, 'brought.tgz');
  writeFileSync(path, content);
  return path;
}

test('a folder that cannot be made is told', async () => {
  const file = join(folder, 'a file');
  writeFileSync(file, '');
  expect(await caught(() => get(npm, undefined, join(file, 'cuda')))).toMatchObject({
    reason: 'cudaNotFetched',
    message: expect.stringMatching(/^CUDA cannot be put into .*a file.*: E(NOTDIR|EXIST)/) as string,
  });
});

test('a disk with too little room is told before anything is fetched', async () => {
  // Mounting needs programs of the system.
  vi.unstubAllEnvs();
  const disk = await mountSmallDisk(1);
  try {
    packages = packages.map((one) => ({ ...one, unpackedBytes: 2 ** 20 }));
    const error = await caught(() => get(npm, undefined, disk.folder));
    expect(error?.message).toMatch(/too little room: 2 MB needed, 1 MB free/);
    expect(readdirSync(disk.folder)).toEqual([]);
  } finally {
    await disk.remove();
  }
});
