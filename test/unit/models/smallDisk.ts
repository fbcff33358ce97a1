/** Real disks that are full or read-only: tmpfs mounts, in a namespace of their own where mounting needs one. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  readonly folder: string;
  makeReadOnly(): Promise<void>;
  remove(): Promise<void>;
}

/** Throws when this machine lets nobody mount, neither directly nor in a user namespace. */
export async function mountSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const options = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder];
  try {
    await run('mount', options);
  } catch {
    return mountInNamespace(folder, options);
  }
  return {
    folder,
    makeReadOnly: async () => {
      await run('mount', ['-o', 'remount,bind,ro', folder]);
    },
    remove: async () => {
      await run('umount', [folder]);
      await rm(folder, { recursive: true });
    },
  };
}

/** A shell that holds the namespace; its mounts are seen from outside through /proc. */
async function mountInNamespace(folder: string, options: readonly string[]): Promise<SmallDisk> {
  const shell = spawn('unshare', ['-rm', 'sh'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const execute = async (command: string) => {
    shell.stdin.write(`${command} && echo done || exit 1\n`);
    await Promise.race([
      once(shell.stdout, 'data'),
      once(shell, 'close').then(() => {
        throw new Error(`Neither mount nor unshare works here: ${command}`);
      }),
    ]);
  };
  await execute(`mount ${options.join(' ')}`);
  return {
    folder: `/proc/${shell.pid}/root${folder}`,
    makeReadOnly: () => execute(`mount -o remount,bind,ro ${folder}`),
    remove: async () => {
      const closed = once(shell, 'close');
      shell.stdin.end();
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}
