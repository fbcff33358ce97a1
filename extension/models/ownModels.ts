/** What this extension keeps in its model folder, and removing it. */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { nameOfFile } from './catalogue.ts';
import { withFileLock } from './fileLock.ts';
import { filesOfModel } from './findModel.ts';
import { writeError } from './modelFolder.ts';

export interface OwnModel {
  /** The catalogue's name, or the path below the folder. */
  readonly name: string;
  /** Absolute: of the file, whole or not. */
  readonly path: string;
  /** On the disk, with what stands beside it. */
  readonly bytes: number;
  /** It was begun and is not whole, so that the next download goes on from there; or only a copy remains. */
  readonly unfinished: boolean;
}

/** The file itself, what has arrived of it, or what is left of it when it was removed by hand. */
const besideModel = /(\.gguf)(?:\.part|\.q8_0)?$/i;

/** The largest first. None where the folder is not there. */
export async function ownModels(folder: string): Promise<readonly OwnModel[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = new Set(
    entries
      .filter((entry) => !entry.isDirectory() && besideModel.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).replace(besideModel, '$1')),
  );
  const models = [...paths].map(async (path): Promise<OwnModel> => {
    const sizes = await Promise.all(filesOfModel(path).map(bytesOnDisk));
    return {
      name: nameOfFile(path) ?? path.slice(folder.length + 1).replaceAll(sep, '/'),
      path,
      bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      unfinished: sizes[0] === 0,
    };
  });
  return (await Promise.all(models)).sort((a, b) => b.bytes - a.bytes);
}

/** With all that belongs to it but its lock, which another process may hold; waits for one that is fetching it. Throws errors.cacheFolderNotWritable and errors.cancelled. */
export async function deleteOwnModel(path: string, signal: AbortSignal): Promise<void> {
  await withFileLock(
    `${path}.lock`,
    signal,
    () => undefined,
    async () => {
      try {
        for (const file of filesOfModel(path)) await rm(file, { force: true });
      } catch (error) {
        throw await writeError(error, path, 0);
      }
    },
  );
}

/** Of the disk that the folder is on, or is going to be on; undefined where the system does not tell. */
export async function freeBytesFor(folder: string): Promise<number | undefined> {
  for (let path = folder; ; path = join(path, '..')) {
    const free = await statfs(path).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    );
    if (free !== undefined || path === join(path, '..')) return free;
  }
}

async function bytesOnDisk(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
