/** Which folders an agent may have read: those of the command line and what lies in them, whatever it names. */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errors } from '../errors.ts';
import { isInside, resolveRoots } from '../workspace/roots.ts';

export interface OfferedFolders {
  /** Absolute, at least one. */
  readonly paths: readonly string[];
  /**
   * The absolute paths of the folders named, which are relative to the first one offered; all offered ones when none is.
   * A symbolic link counts as the place that it leads to.
   * @throws AskError `workspaceNotFound`, or `badArgument` for one that is not offered, whether it exists or not
   */
  readonly choose: (named: readonly string[] | undefined) => Promise<readonly string[]>;
}

/** @throws AskError `workspaceNotFound` */
export async function offerFolders(workspaces: readonly string[]): Promise<OfferedFolders> {
  const roots = await resolveRoots(workspaces.map((path) => ({ name: path, rootPath: path })));
  const paths = roots.map(({ absolutePath }) => absolutePath);
  return {
    paths,
    choose: async (named) => (named === undefined ? paths : Promise.all(named.map(offered))),
  };

  async function offered(path: string): Promise<string> {
    const absolutePath = resolve(paths[0] ?? '', path);
    const realPath = await realpath(absolutePath).catch(() => undefined);
    const allowed = roots.some((root) =>
      realPath === undefined ? isInside(absolutePath, root.absolutePath) : isInside(realPath, root.realPath),
    );
    if (!allowed) throw errors.folderNotOffered(path);
    const info = await stat(absolutePath).catch(() => undefined);
    if (info?.isDirectory() !== true) throw errors.workspaceNotFound(path);
    return absolutePath;
  }
}
