/** Paths as an agent writes them, found in the workspace. */
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { errors } from '../errors.ts';
import type { Pin } from '../protocol/conversation.ts';
import type { WorkspaceFolder } from '../workspace/findFiles.ts';
import { isInside } from '../workspace/roots.ts';

/**
 * "src/a.ts", "src", "src/a.ts:12", "src/a.ts:12-40", each also absolute or with the name of its folder before it.
 * @throws AskError badArgument for what is not in a folder, links followed
 */
export async function pinOfPath(text: string, folders: readonly WorkspaceFolder[]): Promise<Pin> {
  const {
    path = text,
    start,
    end,
  } = /^(?<path>.+?)(?::(?<start>\d{1,7})(?:-(?<end>\d{1,7}))?)?$/u.exec(text)?.groups ?? {};
  const startLine = start === undefined ? undefined : Math.max(1, Number(start));
  for (const { name, rootPath } of folders) {
    for (const candidate of candidates(path, name, rootPath)) {
      const kind = await kindOf(candidate, rootPath);
      if (kind === undefined) continue;
      const place = { workspace: name, path: relative(rootPath, candidate).split(sep).join('/') };
      if (startLine === undefined || kind === 'folder') return { kind, ...place };
      return { kind: 'lines', ...place, startLine, endLine: Math.max(startLine, Number(end ?? startLine)) };
    }
  }
  throw errors.pathNotInWorkspace(text);
}

function candidates(path: string, name: string, rootPath: string): string[] {
  if (isAbsolute(path)) return [join(path)];
  const inside = path.replace(/^\.\//u, '');
  const named = inside === name || inside.startsWith(`${name}/`) ? [inside.slice(name.length + 1)] : [];
  return [...named, inside].map((one) => join(rootPath, one));
}

async function kindOf(path: string, rootPath: string): Promise<'file' | 'folder' | undefined> {
  if (!isInside(path, rootPath)) return undefined;
  try {
    const [real, root] = await Promise.all([realpath(path), realpath(rootPath)]);
    if (!isInside(real, root)) return undefined;
    const found = await stat(real);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : undefined;
  } catch {
    return undefined;
  }
}
