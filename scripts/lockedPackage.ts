/** Packages of any platform, exactly as package-lock.json names them. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { modelFolder } from '../extension/models/modelFolder.ts';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and base64, of the tarball. */
  readonly integrity: string;
}

/** Reads one entry of the lock file. Throws when the package is not in it, or is there under another name. */
export async function lockedPackage(name: string, lockFile: string): Promise<LockedPackage> {
  const lock = lockSchema.parse(JSON.parse(await readFile(lockFile, 'utf8')));
  const entry = lock.packages[`node_modules/${name}`];
  if (entry?.version === undefined || entry.integrity === undefined || entry.name !== undefined) {
    throw new Error(`${name} is not in ${lockFile} with a version and an integrity of its own.`);
  }
  return { name, version: entry.version, integrity: entry.integrity };
}

/**
 * Unpacks a package into a folder, which is made. Its tarball comes from the user's cache folder, else by `npm pack`.
 * Throws when the tarball is not the one of the lock file; it is then not kept.
 */
export async function unpack(locked: LockedPackage, folder: string): Promise<void> {
  const tarball = await tarballOf(locked);
  await mkdir(folder, { recursive: true });
  // Relative, since the tar of Windows takes what is before a colon for a machine's name.
  await run('tar', ['-xzf', '-', '--strip-components=1'], folder, await readFile(tarball));
}

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string().optional(),
      integrity: z.string().optional(),
    }),
  ),
});

async function tarballOf(locked: LockedPackage): Promise<string> {
  const cacheFolder = join(dirname(modelFolder()), 'packages');
  const [algorithm = '', digest = ''] = locked.integrity.split('-', 2);
  if (algorithm !== 'sha512') throw new Error(`${locked.name} has integrity ${algorithm}, not sha512.`);
  const cached = join(cacheFolder, `${Buffer.from(digest, 'base64').toString('hex')}.tgz`);
  if ((await integrityOf(cached)) === locked.integrity) return cached;

  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, 'download-'));
  try {
    const downloaded = await download(locked, folder);
    const integrity = await integrityOf(downloaded);
    if (integrity !== locked.integrity) {
      throw new Error(
        `${locked.name}@${locked.version} came with integrity ${integrity}; package-lock.json has ${locked.integrity}.`,
      );
    }
    await rename(downloaded, cached);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return cached;
}

async function download({ name, version }: LockedPackage, folder: string): Promise<string> {
  const args = ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'];
  await promisify(execFile)('npm', args, { cwd: folder, shell: process.platform === 'win32' });
  const [file] = await readdir(folder);
  if (file === undefined) throw new Error(`npm pack left no file for ${name}@${version}.`);
  return join(folder, file);
}

/** Undefined when there is no such file. */
async function integrityOf(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  return bytes === undefined ? undefined : `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}

function run(program: string, args: readonly string[], cwd: string, input: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { cwd }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${program} failed: ${stderr.trim() || error.message}`));
    });
    // A program that ends early closes the pipe; its exit status tells why.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
