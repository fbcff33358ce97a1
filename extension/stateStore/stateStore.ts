/**
 * The stored states of one workspace: a folder that the engine processes of several windows share. Writers take turns
 * by a lock file; readers need none, since a file appears, is replaced and disappears as a whole.
 */
import { lstatSync } from 'node:fs';
import { lstat, lutimes, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errors, isAskError } from '../errors.ts';
import { withFileLock } from '../models/fileLock.ts';
import { errorCode, messageOf } from '../models/modelFolder.ts';
import { fillTemplate } from '../protocol/sentence.ts';
import {
  isUnfinishedStateFile,
  readStateFile,
  StateFileError,
  stateFileBytes,
  writeStateFile,
  type StateContent,
  type StateHeader,
} from './stateFile.ts';

export interface StateStoreOptions {
  /** Absolute; made when something is first written. */
  readonly folder: string;
  /** Of all files together, at every moment, with the one being written. */
  readonly capBytes: number;
  readonly log: (line: string) => void;
}

export type WriteOutcome = 'written' | 'tooLarge' | 'diskFull' | 'notWritable';

/**
 * A name is 16 to 64 lower-case hexadecimal digits, and may end with a kind such as `.kv`; for any other name each
 * function throws RangeError. Troubles of the disk are logged and never thrown.
 */
export interface StateStore {
  /** Null when there is none; what is damaged, cut off, foreign or of another version is removed and is none. */
  read(name: string): Promise<StateContent | null>;
  /**
   * Makes room first, by removing those that were not used for longest. Waits while another process writes.
   * Throws errors.cancelled.
   */
  write(
    name: string,
    header: StateHeader,
    sections: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<WriteOutcome>;
  /** Whether there is a file of this name; only reading it tells whether it is whole. */
  has(name: string): Promise<boolean>;
  remove(names: readonly string[]): Promise<void>;
  /** Removes all, once a write that runs is done; tells what was removed. */
  clear(): Promise<StoreContents>;
  usage(): Promise<StoreContents & { readonly capBytes: number }>;
}

export interface StoreContents {
  readonly files: number;
  readonly bytes: number;
}

interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

const statePattern = /^[0-9a-f]{16,64}(?:\.[a-z]{1,16})?$/u;
const lockName = 'writer.lock';

/** Nothing is touched before the first call. */
export function openStateStore({ folder, capBytes, log }: StateStoreOptions): StateStore {
  const pathOf = (name: string) => {
    if (!statePattern.test(name)) throw new RangeError(`${JSON.stringify(name)} is not the name of a state`);
    return join(folder, name);
  };
  const logChanged = onceInARow(log);
  const inTurn = queue();

  /** Alone among all processes; makes the folder. Throws errors.cancelled and troubles of the disk. */
  const alone = <T>(signal: AbortSignal, work: () => Promise<T>) =>
    inTurn(async () => {
      if (signal.aborted) throw errors.cancelled();
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return withFileLock(join(folder, lockName), signal, () => undefined, work);
    });

  return {
    async read(name) {
      const path = pathOf(name);
      try {
        const content = await readStateFile(path);
        await markUsed(path);
        return content;
      } catch (error) {
        if (isAbsent(error)) return null;
        log(`A stored state was not used: ${messageOf(error)}`);
        if (error instanceof StateFileError) await removeFile(path, log);
        return null;
      }
    },

    async write(name, header, sections, signal) {
      const path = pathOf(name);
      const bytes = stateFileBytes(header, sections);
      if (bytes > capBytes) {
        log(`A state of ${bytes} bytes was not stored: ${capBytes} bytes are the limit of all`);
        return 'tooLarge';
      }
      try {
        await alone(signal, async () => {
          await makeRoom(folder, name, bytes, capBytes, log);
          await writeStateFile(path, header, sections, signal);
        });
        logChanged(undefined);
        return 'written';
      } catch (error) {
        if (isAskError(error, 'cancelled')) throw error;
        const full = isDiskFull(error);
        const why = full
          ? `the disk of ${folder} is full`
          : `${folder} cannot be written (${problemOf(error)})`;
        logChanged(`A state was not stored: ${why}`);
        return full ? 'diskFull' : 'notWritable';
      }
    },

    async has(name) {
      const path = pathOf(name);
      const stats = await lstat(path).catch(() => undefined);
      return stats?.isFile() ?? false;
    },

    async remove(names) {
      for (const path of names.map(pathOf)) await removeFile(path, log);
    },

    async clear() {
      if ((await filesIn(folder)).length === 0) return { files: 0, bytes: 0 };
      try {
        return await alone(new AbortController().signal, async () => {
          const removed: StoredFile[] = [];
          for (const file of await filesIn(folder)) {
            if (await removeFile(join(folder, file.name), log)) removed.push(file);
          }
          return { files: removed.length, bytes: totalBytes(removed) };
        });
      } catch (error) {
        log(`The stored states of ${folder} were not removed: ${messageOf(error)}`);
        return { files: 0, bytes: 0 };
      }
    },

    async usage() {
      const files = await filesIn(folder);
      return { files: files.length, bytes: totalBytes(files), capBytes };
    },
  };
}

/**
 * Removes what writers left that are gone, and then states until one of `bytes` fits. Only for the one that holds the
 * lock: a living writer would have it. Throws errors.diskFull, before any state is removed.
 */
async function makeRoom(
  folder: string,
  name: string,
  bytes: number,
  capBytes: number,
  log: (line: string) => void,
): Promise<void> {
  const files: StoredFile[] = [];
  for (const file of await filesIn(folder)) {
    if (!isLeftover(file.name) || !(await removeFile(join(folder, file.name), log))) {
      files.push(file);
    }
  }
  const evicted = toEvict(files, name, totalBytes(files) + bytes - capBytes);
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize + totalBytes(evicted);
  if (freeBytes < bytes) throw errors.diskFull(folder, bytes, freeBytes);
  for (const file of evicted) await rm(join(folder, file.name), { force: true });
  if (evicted.length > 0) log(`${evicted.length} stored states (${totalBytes(evicted)} bytes) made room`);
}

/** The file that is replaced goes first, since it goes anyway; then those that were not used for longest. */
function toEvict(files: readonly StoredFile[], replaced: string, excessBytes: number): StoredFile[] {
  const order = [...files].sort(
    (a, b) => Number(b.name === replaced) - Number(a.name === replaced) || a.usedAtMs - b.usedAtMs,
  );
  const evicted: StoredFile[] = [];
  for (let freed = 0; freed < excessBytes && evicted.length < order.length;) {
    const file = order[evicted.length]!;
    evicted.push(file);
    freed += file.bytes;
  }
  return evicted;
}

/** Of a writer that may be gone: its unfinished state, or the stale lock that it was taking away. */
function isLeftover(name: string): boolean {
  return isUnfinishedStateFile(name) || name.startsWith(`${lockName}.`);
}

/** States and those being written; none when the folder cannot be read. */
async function filesIn(folder: string): Promise<StoredFile[]> {
  try {
    const names = await readdir(folder);
    return names.flatMap((name) => {
      if (!statePattern.test(name) && !isLeftover(name)) return [];
      // Synchronous, since this is done before each write, and thousands of calls through the thread pool take long.
      const stats = lstatSync(join(folder, name), { throwIfNoEntry: false });
      if (stats === undefined || stats.isDirectory()) return [];
      return [{ name, bytes: stats.size, usedAtMs: stats.mtimeMs }];
    });
  } catch {
    return [];
  }
}

function totalBytes(files: readonly StoredFile[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0);
}

/** The last use is the file's time. Where it cannot be set the order of removal is worse, and nothing else. */
async function markUsed(path: string): Promise<void> {
  const now = new Date();
  await lutimes(path, now, now).catch(() => undefined);
}

/** False when it is still there. A folder is left alone, since no state is one. */
async function removeFile(path: string, log: (line: string) => void): Promise<boolean> {
  try {
    await rm(path, { force: true });
    return true;
  } catch (error) {
    if (isAbsent(error)) return true;
    log(`${path} was not removed: ${messageOf(error)}`);
    return false;
  }
}

function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The lock's own sentence speaks of the folder of models. */
function problemOf(error: unknown): string {
  if (isAskError(error, 'cacheFolderNotWritable')) return fillTemplate('{1}', error.args);
  return errorCode(error) ?? messageOf(error);
}

function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return isAskError(error, 'diskFull') || code === 'ENOSPC' || code === 'EDQUOT';
}

/** One piece of work after the other, in the order of the calls. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** A line that was the last one already is not said again; undefined says that the trouble is over. */
function onceInARow(log: (line: string) => void): (line: string | undefined) => void {
  let said: string | undefined;
  return (line) => {
    if (line !== undefined && line !== said) log(line);
    said = line;
  };
}
