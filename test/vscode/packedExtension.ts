/** Finds the packed extension that the tests install. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The path of the newest package of this platform: ASK_CODEBASE_VSIX, else from dist/ as `npm run package` leaves it.
 * Throws an Error that tells how to make one.
 */
export async function packedExtension(root: string): Promise<string> {
  const named = process.env['ASK_CODEBASE_VSIX'];
  if (named !== undefined && named !== '') return named;
  const platform = `${process.platform}-${process.arch}`;
  const folder = join(root, 'dist');
  const paths = (await readdir(folder, { recursive: true }))
    .filter((name) => name.endsWith('.vsix') && name.includes(platform))
    .map((name) => join(folder, name));
  const times = await Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs));
  const newest = paths[times.indexOf(Math.max(...times))];
  if (newest === undefined) {
    throw new Error(`There is no package for ${platform} in ${folder}: run npm run package first.`);
  }
  return newest;
}
