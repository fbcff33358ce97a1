/** Real folders on the disk for the tests of the workspace. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SkippedFile } from '../../../extension/protocol/nouns.ts';
import { findFiles } from '../../../extension/workspace/findFiles.ts';

/** Paths with their contents. */
export type Tree = Readonly<Record<string, string | Uint8Array>>;

const made: string[] = [];

/** Makes a temporary folder with these files; `removeTrees` takes it away. */
export function makeTree(tree: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'workspace-'));
  made.push(root);
  for (const [path, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

export function removeTrees(): void {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** Finds files in one folder: the paths that are read, and "path: reason" of the rest. */
export async function find(
  rootPath: string,
): Promise<{ read: string[]; skipped: string[]; details: SkippedFile[] }> {
  const { files, skipped } = await findFiles([{ name: 'w', rootPath }], {
    signal: new AbortController().signal,
  });
  return {
    read: files.map(({ path }) => path),
    skipped: skipped.map(({ path, reason }) => `${path}: ${reason}`).sort(),
    details: skipped,
  };
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
