import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { errors } from '../errors.ts';
import { ruleSet } from './ignoreRules.ts';
import { noRules, rulesOfFolder, type FolderRules } from './folderRules.ts';

export interface WorkspaceFolder {
  readonly name: string;
  readonly rootPath: string;
  /**
   * Patterns as in a .gitignore at its top. They leave out more than git does and bring nothing back that git leaves
   * out; a .askcodebaseignore has the last word over both.
   */
  readonly exclude?: readonly string[];
}

/** A workspace folder that is going to be walked. */
export interface Root {
  readonly name: string;
  readonly absolutePath: string;
  /** Without symbolic links, to tell whether two paths are the same place. */
  readonly realPath: string;
  /** The root in the coordinates of the rules, whose origin may lie above it: '' or ending in a slash. */
  readonly rulesPath: string;
  /** Rules of the folders above. */
  readonly rulesAbove: FolderRules;
}

/**
 * Finds the folders and the rules that hold in them from above. A folder that is given twice is walked once.
 *
 * @throws AskError workspaceNotFound when one does not exist or is not a folder
 */
export async function resolveRoots(folders: readonly WorkspaceFolder[]): Promise<Root[]> {
  const places = await Promise.all(folders.map(placeOf));
  const unique = places.filter(
    (place, index) => places.findIndex(({ realPath }) => realPath === place.realPath) === index,
  );
  const realPaths = unique.map(({ realPath }) => realPath);
  return Promise.all(
    unique.map(async ({ exclude, ...place }) => {
      const { rulesPath, rulesAbove } = await rulesFromAbove(place.realPath, realPaths);
      const excluded = [ruleSet(rulesPath, exclude.join('\n'), rulesAbove.ignoreCase)];
      return { ...place, rulesPath, rulesAbove: { ...rulesAbove, excluded } };
    }),
  );
}

/** Whether `path` is `folder` or lies inside it; both without symbolic links. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

async function placeOf({ name, rootPath, exclude = [] }: WorkspaceFolder) {
  const absolutePath = resolve(rootPath);
  const info = await stat(absolutePath).catch(() => undefined);
  if (info?.isDirectory() !== true) throw errors.workspaceNotFound(rootPath);
  return { name, absolutePath, realPath: await realpath(absolutePath), exclude };
}

/** Rules count from the top of the git repository, or of another workspace folder around this one, downwards. */
async function rulesFromAbove(realPath: string, allRoots: readonly string[]) {
  const above = ancestors(realPath);
  const isRepository = await Promise.all([...above, realPath].map(hasGit));
  const repositoryTop = [...above, realPath].findLast((_, index) => isRepository[index]);
  const tops = [realPath, repositoryTop ?? realPath, ...allRoots.filter((root) => isInside(realPath, root))];
  const origin = tops.reduce((shortest, path) => (path.length < shortest.length ? path : shortest));

  let rulesAbove = noRules;
  for (const folder of above.filter((path) => isInside(path, origin))) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    rulesAbove = await rulesOfFolder(
      rulesAbove,
      slashedPath(origin, folder),
      folder,
      entries.map((entry) => ({ name: entry.name, isFile: entry.isFile() })),
    );
  }
  return { rulesPath: slashedPath(origin, realPath), rulesAbove };
}

/** The folders above a path, outermost first. */
function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [...ancestors(above), above];
}

async function hasGit(folder: string): Promise<boolean> {
  return (await lstat(join(folder, '.git')).catch(() => undefined)) !== undefined;
}

function slashedPath(from: string, folder: string): string {
  const path = relative(from, folder);
  return path === '' ? '' : `${path.split(sep).join('/')}/`;
}
