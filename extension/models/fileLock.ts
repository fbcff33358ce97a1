import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { errors } from '../errors.ts';
import { errorCode, writeError } from './modelFolder.ts';

const HEARTBEAT_MILLISECONDS = 2_000;
/** A lock without a heartbeat for so long belongs to a process that is gone. */
const STALE_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 200;

/**
 * Runs `work` while no other process holds the lock file; waits for the one that does.
 * The holder is known to live by the age of the file and not by a process id, which says nothing to
 * another container or machine that shares the folder.
 * Throws errors.cancelled, errors.cacheFolderNotWritable, errors.diskFull and what `work` throws.
 */
export async function withFileLock<T>(
  lockPath: string,
  signal: AbortSignal,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await acquire(lockPath, signal, onWait);
  const heartbeat = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched looks stale to others; they may then do the same work twice, harmlessly.
    lock.utimes(now, now).catch(() => undefined);
  }, HEARTBEAT_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await release(lock, lockPath);
  }
}

/** The file that was made, held open, so that no other can have its number while it is compared. */
async function acquire(lockPath: string, signal: AbortSignal, onWait: () => void): Promise<FileHandle> {
  for (;;) {
    if (signal.aborted) throw errors.cancelled();
    const lock = await createExclusively(lockPath);
    if (lock !== undefined) return lock;
    if (await isStale(lockPath)) {
      await removeStale(lockPath);
      continue;
    }
    onWait();
    await sleep(POLL_MILLISECONDS, undefined, { signal }).catch(() => {
      throw errors.cancelled();
    });
  }
}

/** After a long standstill (the machine slept) the lock may be another's; that one stays. */
async function release(lock: FileHandle, lockPath: string): Promise<void> {
  const [ours, there] = await Promise.all([
    lock.stat({ bigint: true }),
    lstat(lockPath, { bigint: true }).catch(() => undefined),
  ]);
  await lock.close();
  if (there?.ino === ours.ino) await rm(lockPath, { force: true });
}

async function createExclusively(lockPath: string): Promise<FileHandle | undefined> {
  try {
    return await open(lockPath, 'wx');
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw await writeError(error, dirname(lockPath), 0);
  }
}

async function isStale(lockPath: string): Promise<boolean> {
  try {
    return Date.now() - (await lstat(lockPath)).mtimeMs > STALE_MILLISECONDS;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Renaming first lets only one of several waiting processes remove a given lock file. */
async function removeStale(lockPath: string): Promise<void> {
  const mine = `${lockPath}.${randomUUID()}`;
  try {
    await rename(lockPath, mine);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw await writeError(error, dirname(lockPath), 0);
  }
  // Another process may have put its own in place of the stale one since that was looked at: a fresh one goes back.
  if (!(await isStale(mine))) await link(mine, lockPath).catch(() => undefined);
  await rm(mine, { force: true });
}
