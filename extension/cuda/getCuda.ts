/** CUDA's libraries in a folder of their own: fetched with the user's npm or brought by hand, verified, whole or absent. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { errors, isAskError } from '../errors.ts';
import { downloadProblem, downloadTexts } from '../models/downloadProblems.ts';
import { withFileLock } from '../models/fileLock.ts';
import { errorCode, largestFile, messageOf } from '../models/modelFolder.ts';
import { freeBytesFor } from '../models/ownModels.ts';
import { lastWords, runProgram } from '../runProgram.ts';
import { cudaErrors } from './cudaErrors.ts';
import { allCudaPackages, packageSpec, type CudaPackage } from './cudaPackages.ts';

export type CudaSource =
  /** @property proxy of npm alone; absent: what npm is configured with */
  | { readonly kind: 'npm'; readonly proxy?: string }
  | { readonly kind: 'files'; readonly paths: readonly string[] };

export interface CudaProgress {
  readonly stage: 'downloading' | 'verifying' | 'unpacking';
  /** Of all packages, bytes of their tarballs. */
  readonly done: number;
  readonly total: number;
}

export interface GetCudaOptions {
  /** Where everything of it is: a folder for each version. */
  readonly root: string;
  readonly source: CudaSource;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CudaProgress) => void;
  /** Packages that are known as others' when a file is refused. */
  readonly known?: readonly CudaPackage[];
}

const progressMilliseconds = 250;
const stagingName = 'arriving';

/** Where the libraries of these packages are, or are going to be: an engine is given this folder. */
export function cudaFolder(root: string, [first]: readonly CudaPackage[]): string {
  return join(root, first?.version ?? '');
}

export async function isCudaHere(root: string, packages: readonly CudaPackage[]): Promise<boolean> {
  return stat(cudaFolder(root, packages)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * Leaves nothing behind when it fails or is cancelled; versions of before go when it is done.
 * @throws cudaErrors.needsNpm, cudaErrors.notFetched, cudaErrors.damaged, cudaErrors.wrongFile, cudaErrors.fileMissing,
 *   cudaErrors.noRoom, cudaErrors.notWritten, errors.cancelled
 */
export async function getCuda(packages: readonly CudaPackage[], options: GetCudaOptions): Promise<void> {
  const { root, signal } = options;
  await mkdir(root, { recursive: true }).catch((error: unknown) => {
    throw cudaErrors.notWritten(root, messageOf(error));
  });
  const wait = (): void => undefined;
  await withFileLock(join(root, 'lock'), signal, wait, async () => {
    if (await isCudaHere(root, packages)) return;
    const staging = join(root, stagingName);
    try {
      // What a crash has left.
      await remove(staging);
      await checkRoom(root, packages);
      const libraries = join(staging, 'libraries');
      await mkdir(libraries, { recursive: true });
      await bring(packages, staging, libraries, options);
      await rename(libraries, cudaFolder(root, packages));
      await removeVersions(root, cudaFolder(root, packages));
    } catch (error) {
      throw isAskError(error) ? error : cudaErrors.notWritten(root, messageOf(error));
    } finally {
      await remove(staging);
    }
  });
}

/** All versions. Throws cudaErrors.notRemoved, as where a program still uses it, and errors.cancelled. */
export async function removeCuda(root: string, signal: AbortSignal): Promise<void> {
  const wait = (): void => undefined;
  await withFileLock(join(root, 'lock'), signal, wait, async () => {
    try {
      await removeVersions(root);
    } catch (error) {
      throw cudaErrors.notRemoved(root, messageOf(error));
    }
  });
}

/** What all versions take of the disk; 0 where there is none. */
export async function cudaBytes(root: string): Promise<number> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry) =>
    entry.isFile() ? (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}

export function sumBytes(packages: readonly CudaPackage[], of: 'bytes' | 'unpackedBytes'): number {
  return packages.reduce((sum, one) => sum + one[of], 0);
}

/** One after the other, since npm's tarball is gone once it is unpacked. */
async function bring(
  packages: readonly CudaPackage[],
  staging: string,
  libraries: string,
  { source, signal, onProgress, known = allCudaPackages }: GetCudaOptions,
): Promise<void> {
  const total = sumBytes(packages, 'bytes');
  const files = source.kind === 'files' ? await identify(source.paths, packages, known, signal) : undefined;
  if (source.kind === 'npm') await requireNpm(packages, staging, signal);
  let before = 0;
  for (const one of packages) {
    const at = before;
    const tell = (stage: CudaProgress['stage'], done: number): void =>
      onProgress?.({ stage, done: Math.min(total, at + done), total });
    let file = files?.get(one);
    if (file === undefined) {
      const folder = join(staging, 'npm');
      const proxy = source.kind === 'npm' ? source.proxy : undefined;
      file = await packWithNpm(one, folder, proxy, signal, (done) => tell('downloading', done));
      tell('verifying', one.bytes);
      const integrity = await integrityOf(file, signal);
      if (integrity !== one.integrity) throw cudaErrors.damaged(packageSpec(one), one.integrity, integrity);
    }
    tell('unpacking', one.bytes);
    await unpack(file, libraries, signal);
    if (files === undefined) await remove(join(staging, 'npm'));
    before += one.bytes;
  }
}

async function requireNpm(
  packages: readonly CudaPackage[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode } = await runProgram('npm', ['--version'], { folder, signal, isScript: true });
  if (exitCode !== 0) throw cudaErrors.needsNpm(packages.map(packageSpec));
}

/** The tarball. npm writes to this folder alone, its own cache included, so that nothing of it stays. */
async function packWithNpm(
  one: CudaPackage,
  folder: string,
  proxy: string | undefined,
  signal: AbortSignal,
  onArrived: (bytes: number) => void,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const watch = setInterval(() => {
    void largestFile(folder).then((bytes) => onArrived(Math.min(bytes, one.bytes)));
  }, progressMilliseconds);
  try {
    // As variables and not as arguments, which a shell would take apart and others on this machine would see.
    const env = {
      npm_config_cache: join(folder, 'cache'),
      ...(proxy === undefined ? {} : { npm_config_proxy: proxy, npm_config_https_proxy: proxy }),
    };
    const args = ['pack', packageSpec(one), '--ignore-scripts', '--loglevel=error', '--no-update-notifier'];
    const { exitCode, output } = await runProgram('npm', args, { folder, signal, env, isScript: true });
    const file = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    if (exitCode === 0 && file !== undefined) return join(folder, file);
    const problem =
      exitCode === 0
        ? downloadProblem(downloadTexts.noFile, 'npm')
        : downloadProblem(downloadTexts.programFailed, 'npm', exitCode, lastWords(output));
    throw cudaErrors.notFetched(packageSpec(one), problem);
  } finally {
    clearInterval(watch);
  }
}

/** Which package each of the files is, whatever it is called. */
async function identify(
  paths: readonly string[],
  packages: readonly CudaPackage[],
  known: readonly CudaPackage[],
  signal: AbortSignal,
): Promise<ReadonlyMap<CudaPackage, string>> {
  const found = new Map<CudaPackage, string>();
  for (const path of paths) {
    const integrity = await integrityOf(path, signal).catch((error: unknown) => {
      if (errorCode(error) === undefined) throw error;
      throw cudaErrors.wrongFile(basename(path), messageOf(error));
    });
    const is = (one: CudaPackage): boolean => one.integrity === integrity;
    const wanted = packages.find(is);
    const other = known.find(is);
    if (wanted !== undefined) found.set(wanted, path);
    else throw cudaErrors.wrongFile(basename(path), other === undefined ? integrity : packageSpec(other));
  }
  const missing = packages.filter((one) => !found.has(one));
  if (missing.length > 0) throw cudaErrors.fileMissing(missing.map(packageSpec));
  return found;
}

/** Of each package the folder that has its name, whose files go to one folder: the second has what the first lacks. */
async function unpack(tarball: string, folder: string, signal: AbortSignal): Promise<void> {
  // Relative, since the tar of Windows' shells takes what is before a colon for a machine's name.
  const args = ['-xzf', relative(folder, tarball), '--strip-components=3', 'package/bins'];
  const { exitCode, output } = await runProgram('tar', args, { folder, signal });
  if (exitCode === 0) return;
  const problem = downloadProblem(downloadTexts.programFailed, 'tar', exitCode, lastWords(output));
  throw cudaErrors.notFetched(basename(tarball), problem);
}

/** "sha512-" and base64, as npm writes it. Throws errors.cancelled. */
async function integrityOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha512');
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 2 ** 20 });
  for await (const bytes of stream) {
    if (signal.aborted) throw errors.cancelled();
    hash.update(bytes);
  }
  return `sha512-${hash.digest('base64')}`;
}

/** Beside the libraries npm has the largest tarball twice, in its cache and as the file. */
async function checkRoom(root: string, packages: readonly CudaPackage[]): Promise<void> {
  const largest = Math.max(...packages.map(({ bytes }) => bytes));
  const needed = sumBytes(packages, 'unpackedBytes') + 2 * largest;
  const free = await freeBytesFor(root);
  if (free !== undefined && free < needed) throw cudaErrors.noRoom(root, needed, free);
}

async function removeVersions(root: string, but?: string): Promise<void> {
  const names = await readdir(root);
  const folders = names.map((name) => join(root, name)).filter((path) => basename(path) !== 'lock');
  for (const folder of folders) if (folder !== but) await remove(folder);
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
