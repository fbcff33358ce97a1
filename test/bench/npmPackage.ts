/** The files of a published npm package, got by npm once. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @param requirement name and version, `name@1.2.3`
 * @param below the folder in which it is kept
 * @returns the folder of its files
 */
export async function npmPackage(requirement: string, below: string): Promise<string> {
  const folder = join(below, requirement.replace('@', '-'));
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const unfinished = `${folder}.npm`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await run('npm', ['pack', requirement, '--pack-destination', unfinished]);
  const archive = (await readdir(unfinished)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm packed nothing of ${requirement}`);
  await run('tar', ['-xzf', join(unfinished, archive), '-C', unfinished]);
  await rename(join(unfinished, 'package'), folder);
  await rm(unfinished, { recursive: true });
  return folder;
}
