/** Real folders on the disk for the tests of the workspace. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findFiles } from '../../../extension/workspace/findFiles.ts';

/** Paths with their contents. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

const made: string[] = [];

/** Makes a temporary folder with these files; `removeTrees` takes it away. */
export async function makeTree(tree: Tree): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'workspace-'));
  made.push(root);
  for (const [path, content] of Object.entries(tree)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

export async function removeTrees(): Promise<void> {
  for (const root of made.splice(0)) await rm(root, { recursive: true, force: true });
}

/** Paths of the files that are found in one workspace folder. */
export async function readPaths(rootPath: string): Promise<string[]> {
  const { files } = await findFiles([{ name: 'w', rootPath }], { signal: new AbortController().signal });
  return files.map(({ path }) => path);
}

/** Runs as a user to whom permissions apply, which they do not for the superuser that containers run tests as. */
export async function asOrdinaryUser<T>(run: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}
