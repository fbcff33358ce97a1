import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { allCudaPackages, cudaPackages, packageSpec } from '../../../extension/cuda/cudaPackages.ts';
import { cudaErrors } from '../../../extension/cuda/cudaErrors.ts';
import { cudaOfItself, lookForCudaIn, runnableCuda } from '../../../extension/engine/llama/cudaLibrary.ts';
import { isAskError } from '../../../extension/errors.ts';
import { folderWith } from '../models/folderWith.ts';

const read = (path: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../..', path), 'utf8'));
const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(read('package.json'));
const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.looseObject({ optionalDependencies: z.record(z.string(), z.string()).optional() }),
    ),
  })
  .parse(read('package-lock.json'));

test('the packages are those of the node-llama-cpp that the lock file has, of its version', () => {
  const published = lock.packages['node_modules/node-llama-cpp']?.optionalDependencies ?? {};
  const cuda = Object.entries(published).filter(([name]) => name.includes('cuda'));
  expect(allCudaPackages.map(packageSpec).toSorted()).toEqual(
    cuda.map(([name, version]) => `${name}@${version}`).toSorted(),
  );
});

test.each([
  ['linux', 'x64', 'get-cuda:linux'],
  ['win32', 'x64', 'get-cuda:windows'],
] as const)('on %s %s they are those of npm run %s', (platform, arch, script) => {
  const specs = cudaPackages(platform, arch)?.map(packageSpec) ?? [];
  expect(scripts[script]).toBe(`npm install --no-save ${specs.join(' ')}`);
});

test.each([
  ['darwin', 'arm64'],
  ['darwin', 'x64'],
  ['linux', 'arm64'],
] as const)('there is none for %s %s', (platform, arch) => {
  expect(cudaPackages(platform, arch)).toBeUndefined();
});

test('a checksum is a whole sha512, and no two are the same', () => {
  for (const { integrity } of allCudaPackages) expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
  expect(new Set(allCudaPackages.map(({ integrity }) => integrity)).size).toBe(allCudaPackages.length);
});

describe('which library runs, by what NVIDIA has installed', () => {
  const needed = { driver: 'driver', cuda13: ['runtime13', 'blas13'], cuda12: ['runtime12', 'blas12'] };
  const olderFolder = folderWith({ 'libggml-cuda.so': '' });
  test.each([
    [[], "CUDA cannot run here: NVIDIA's driver has not installed driver"],
    [['runtime13', 'blas13'], "CUDA cannot run here: NVIDIA's driver has not installed driver"],
    [
      ['driver'],
      'CUDA cannot run here: neither runtime13, blas13 (CUDA 13) nor runtime12, blas12 (CUDA 12) is found',
    ],
    [
      ['driver', 'runtime13', 'runtime12'],
      'CUDA cannot run here: neither blas13 (CUDA 13) nor blas12 (CUDA 12) is found',
    ],
    [['driver', 'runtime13', 'blas13'], 'cuda13'],
    [['driver', 'runtime12', 'blas12'], 'cuda12'],
    [['driver', 'runtime13', 'blas13', 'runtime12', 'blas12'], 'cuda13'],
  ])('%j', (installed: readonly string[], expected) => {
    const runs = runnableCuda({ folder: '', olderFolder }, (file) => installed.includes(file), needed);
    expect(isAskError(runs) ? runs.message : runs).toBe(expected);
  });

  test('where no device is named, CUDA is taken, or it is said what it lacks; without a GPU or the library nothing is', () => {
    const problem = cudaErrors.noToolkit(['blas13'], ['blas12']);
    lookForCudaIn(join(olderFolder, 'absent'));
    expect(cudaOfItself('linux-x64-cuda', true, () => 'cuda13')).toBe('absent');
    lookForCudaIn(olderFolder);
    expect(cudaOfItself('linux-x64-cuda', true, () => 'cuda12')).toBe('taken');
    expect(cudaOfItself('linux-x64-cuda', true, () => problem)).toBe(problem);
    expect(cudaOfItself('linux-x64-cuda', false, () => problem)).toBe('absent');
    expect(cudaOfItself(null, true, () => problem)).toBe('absent');
  });

  test('without the library for CUDA 12, its folder is what is missing', () => {
    const installed = ['driver', 'runtime12', 'blas12'];
    const runs = runnableCuda(
      { folder: '', olderFolder: '/none' },
      (file) => installed.includes(file),
      needed,
    );
    expect(isAskError(runs) && runs.message).toMatch(/nor \/none \(CUDA 12\)/);
  });
});
