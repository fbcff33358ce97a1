/** The sources of a published Python package, got by pip once. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @param requirement name and version, `name==1.2.3`
 * @param below the folder in which it is kept
 * @param form what is got: `wheel` as it is installed, `sdist` with the sources of what is compiled
 * @returns the folder of its sources
 */
export async function pythonPackage(
  requirement: string,
  below: string,
  form: 'wheel' | 'sdist' = 'wheel',
): Promise<string> {
  const folder = join(below, requirement.replace('==', '-'));
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const unfinished = `${folder}.pip`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const name = requirement.split('==')[0]!;
  const kind = form === 'wheel' ? ['--only-binary', ':all:'] : ['--no-binary', name];
  await run('python3', ['-m', 'pip', 'download', '--no-deps', ...kind, '--dest', unfinished, requirement]);
  const [suffix, module] = form === 'wheel' ? ['.whl', 'zipfile'] : ['.tar.gz', 'tarfile'];
  const archive = (await readdir(unfinished)).find((file) => file.endsWith(suffix));
  if (archive === undefined) throw new Error(`pip found no ${form} of ${requirement}`);
  await run('python3', ['-m', module, '-e', join(unfinished, archive), unfinished]);
  await rm(join(unfinished, archive));
  if (form === 'wheel') await rename(unfinished, folder);
  else {
    // An archive of sources holds one folder.
    const [only] = await readdir(unfinished);
    await rename(join(unfinished, only!), folder);
    await rm(unfinished, { recursive: true });
  }
  return folder;
}
