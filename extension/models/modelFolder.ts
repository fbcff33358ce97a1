import { mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { errors, isAskError, type AskError } from '../errors.ts';
import { downloadProblem, downloadTexts } from './downloadProblems.ts';

/** Where model files are kept. */
export function modelFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  return join(cacheFolder(env, platform, home), 'models');
}

/** ASK_CODEBASE_CACHE, else a folder in the platform's own for caches. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const own = env['ASK_CODEBASE_CACHE'];
  if (own !== undefined && own !== '') return own;
  return join(platformCacheFolder(env, platform, home), 'ask-codebase');
}

function platformCacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string {
  if (platform === 'darwin') return join(home, 'Library', 'Caches');
  const [named, fallback] =
    platform === 'win32'
      ? [env['LOCALAPPDATA'], join(home, 'AppData', 'Local')]
      : [env['XDG_CACHE_HOME'], join(home, '.cache')];
  // The XDG specification tells programs to ignore a relative path.
  return named !== undefined && isAbsolute(named) ? named : fallback;
}

/** Beside a model file, its copy that a processor reads quicker (`engine/processorWeights.ts`). */
export function processorCopyPath(modelPath: string): string {
  return `${modelPath}.q8_0`;
}

/** Makes the folder if needed. Throws errors.cacheFolderNotWritable. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    // What Node says of a folder that is to be made on a read-only disk.
    if (errorCode(error) === 'ENOENT') {
      throw errors.cacheFolderNotWritable(folder, downloadProblem(downloadTexts.notMade));
    }
    throw await writeError(error, folder, 0);
  }
}

/** Throws errors.diskFull when the folder's disk has less than `neededBytes` free. */
export async function checkDisk(folder: string, neededBytes: number): Promise<void> {
  const free = await freeDiskBytes(folder);
  if (free < neededBytes) throw errors.diskFull(folder, neededBytes, free);
}

/**
 * What a failure to write below `folder` means to the user: a full disk, a folder that cannot be written,
 * or, when it is neither, the error itself. `neededBytes` is what was still to be written.
 */
export async function writeError(
  error: unknown,
  folder: string,
  neededBytes: number,
): Promise<AskError | Error> {
  if (isAskError(error)) return error;
  const code = errorCode(error);
  if (code !== undefined && diskFullCodes.has(code)) {
    return errors.diskFull(folder, neededBytes, await freeDiskBytes(folder));
  }
  if (code !== undefined && notWritableCodes.has(code)) {
    return errors.cacheFolderNotWritable(folder, messageOf(error));
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** The size of a file, or undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw await writeError(error, dirname(path), 0);
  }
}

/** Bytes of the largest file anywhere below a folder; files that vanish meanwhile count nothing. */
export async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => fileSize(join(entry.parentPath, entry.name)).catch(() => undefined));
  return Math.max(0, ...(await Promise.all(sizes)).map((size) => size ?? 0));
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const diskFullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const notWritableCodes: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

async function freeDiskBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
