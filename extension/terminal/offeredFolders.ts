/** Which folders an agent may have read: those of the command line and what lies in them, whatever it names. */
import { realpath, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { errors } from '../errors.ts';
import { findFiles } from '../workspace/findFiles.ts';
import { isInside, resolveRoots } from '../workspace/roots.ts';

export interface OfferedFolders {
  /** Absolute, at least one. */
  readonly paths: readonly string[];
  /**
   * The places of the folders named, which are relative to the first one offered; all offered ones when none is named.
   * A symbolic link counts as the place that it leads to.
   * @throws AskError `workspaceNotFound`, or `badArgument` for one that is not offered, whether it exists or not
   */
  readonly choose: (named: readonly string[] | undefined) => Promise<readonly Place[]>;
}

/** An offered folder, or a folder inside it. */
export interface Place {
  /** Of the offered folder, absolute. */
  readonly rootPath: string;
  /** Inside it, with forward slashes: '' or ending in one. */
  readonly path: string;
}

/** @throws AskError `workspaceNotFound` */
export async function offerFolders(workspaces: readonly string[]): Promise<OfferedFolders> {
  const roots = await resolveRoots(workspaces.map((path) => ({ name: path, rootPath: path })));
  const paths = roots.map(({ absolutePath }) => absolutePath);
  const everything = paths.map((rootPath) => ({ rootPath, path: '' }));
  // The innermost of several around a folder: a folder offered inside another one is walked as itself.
  const innermostFirst = roots.toSorted((a, b) => b.realPath.length - a.realPath.length);
  return {
    paths,
    choose: async (named) => (named === undefined ? everything : Promise.all(named.map(placeOf))),
  };

  async function placeOf(path: string): Promise<Place> {
    const absolutePath = resolve(paths[0] ?? '', path);
    const realPath = await realpath(absolutePath).catch(() => undefined);
    const root = innermostFirst.find((root) =>
      realPath === undefined ? isInside(absolutePath, root.absolutePath) : isInside(realPath, root.realPath),
    );
    if (root === undefined) throw errors.folderNotOffered(path);
    const info = await stat(absolutePath).catch(() => undefined);
    if (realPath === undefined || info?.isDirectory() !== true) throw errors.workspaceNotFound(path);
    const inside = relative(root.realPath, realPath);
    return { rootPath: root.absolutePath, path: inside === '' ? '' : `${inside.split(sep).join('/')}/` };
  }
}

/**
 * Finds what lies in the places, where the offered folders are walked as a whole: what they leave out stays left out,
 * also when it is named.
 */
export function findFilesIn(places: readonly Place[]): typeof findFiles {
  return async (folders, options) => {
    const rootPaths = new Map(folders.map(({ name, rootPath }) => [name, rootPath]));
    const isAsked = ({ workspace, path }: { workspace: string; path: string }) =>
      places.some(
        (place) =>
          place.rootPath === rootPaths.get(workspace) &&
          // A folder that is left out as a whole may lie around the place.
          (path.startsWith(place.path) || (path.endsWith('/') && place.path.startsWith(path))),
      );
    const { files, skipped } = await findFiles(folders, options);
    return { files: files.filter(isAsked), skipped: skipped.filter(isAsked) };
  };
}
