/**
 * Walks the workspace and says of each file whether it is read or why not. Only names, sizes and ignore files are
 * looked at here; what needs the text is decided when the file is read.
 */
import { isUtf8 } from 'node:buffer';
import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../errors.ts';
import type { SkippedFile, SkipReason } from '../protocol/nouns.ts';
import { rulesOfFolder, type FolderRules } from './folderRules.ts';
import { defaultFolderDetail, isDefaultFolderName, isGeneratedName, isLockFileName } from './generated.ts';
import { mayIncludeBelow, verdictOf } from './ignoreRules.ts';
import * as limits from './limits.ts';
import { isInside, resolveRoots, type Root, type WorkspaceFolder } from './roots.ts';
import { isSecretName } from './secrets.ts';
import { skippedList } from './skippedList.ts';
import { systemMessage } from './systemMessage.ts';

export type { WorkspaceFolder } from './roots.ts';

/** A file that is worth reading, as far as its name and size tell. */
export interface FoundFile {
  /** Name of the workspace folder. */
  readonly workspace: string;
  /** Path inside that folder, with forward slashes. */
  readonly path: string;
  readonly absolutePath: string;
  /** Size on the disk. */
  readonly bytes: number;
  /** Time of the last change, milliseconds since 1970. */
  readonly modifiedMs: number;
  /** True when a line of an .askcodebaseignore asks for this very file: it is read even if generated. */
  readonly askedFor?: true;
}

export interface FindFilesOptions {
  readonly signal: AbortSignal;
  /** Called after each folder. */
  readonly onProgress?: (filesFound: number) => void;
  /** Whether an editor holds unsaved text of a file, whose size on the disk then says nothing. */
  readonly isUnsaved?: (absolutePath: string) => boolean;
  /** At most this many files; `limits.maxFiles` by default. */
  readonly maxFiles?: number;
}

/**
 * Finds the files of all workspace folders, folder by folder in the order given, sorted by path within each. A folder
 * inside another one is walked once, as itself. Symbolic links are never followed: what they point to is read in its
 * own place or not at all.
 *
 * @throws AskError workspaceNotFound, or cancelled when the signal aborts
 */
export async function findFiles(
  folders: readonly WorkspaceFolder[],
  options: FindFilesOptions,
): Promise<{ files: FoundFile[]; skipped: SkippedFile[] }> {
  const roots = await resolveRoots(folders);
  const skipped = skippedList(limits.maxSkippedListed);
  const files: FoundFile[] = [];
  for (const root of roots) {
    const start = files.length;
    const add = (file: FoundFile) => void files.push(file);
    await walkRoot({ root, roots, options, skip: skipped.add, add, filesFound: () => files.length });
    const sorted = files.slice(start).sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const [index, file] of sorted.entries()) files[start + index] = file;
  }
  return { files, skipped: skipped.entries() };
}

interface Walk {
  readonly root: Root;
  readonly roots: readonly Root[];
  readonly options: FindFilesOptions;
  readonly add: (file: FoundFile) => void;
  readonly skip: (skipped: SkippedFile) => void;
  readonly filesFound: () => number;
}

interface Folder {
  /** Inside the root: '' or ending in a slash. */
  readonly path: string;
  readonly rules: FolderRules;
  /** The folder is left out, and walked only for files that an .askcodebaseignore asks for. */
  readonly leftOut?: LeftOut;
}

interface LeftOut {
  /** Only negations with this folder name in them count. */
  readonly mustName: string | undefined;
}

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly dirent: Dirent<Buffer>;
  readonly askedFor: boolean;
}

interface Reason {
  readonly reason: SkipReason;
  readonly detail?: string;
}

async function walkRoot(walk: Walk): Promise<void> {
  const { root, options } = walk;
  const pending: Folder[] = [{ path: '', rules: root.rulesAbove }];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    throwIfAborted(options.signal);
    if (isFull(walk)) {
      skip(walk, folder.path === '' ? './' : folder.path, tooManyFiles(walk));
      continue;
    }
    const subfolders = await walkFolder(walk, folder);
    pending.push(...subfolders.reverse());
    options.onProgress?.(walk.filesFound());
  }
}

/** Deals with the files of one folder and gives back the folders in it that are to be walked. */
async function walkFolder(walk: Walk, folder: Folder): Promise<Folder[]> {
  const { root, options } = walk;
  const absolutePath = join(root.absolutePath, folder.path);
  let dirents: Dirent<Buffer>[];
  try {
    dirents = await readdir(absolutePath, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    skip(walk, folder.path === '' ? './' : folder.path, {
      reason: 'unreadable',
      detail: systemMessage(error),
    });
    return [];
  }
  const named = dirents.map((dirent) => ({ dirent, name: dirent.name.toString('utf8') }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  const rules = await rulesOfFolder(
    folder.rules,
    root.rulesPath + folder.path,
    absolutePath,
    named.map(({ name, dirent }) => ({ name, isFile: dirent.isFile() })),
  );

  const subfolders: Folder[] = [];
  const candidates: Entry[] = [];
  for (const { name, dirent } of named) {
    if (isVersionControl(name)) continue;
    const path = folder.path + name + (dirent.isDirectory() ? '/' : '');
    if (!isUtf8(dirent.name)) {
      if (folder.leftOut === undefined) skip(walk, path, badName);
      continue;
    }
    if (dirent.isDirectory()) {
      const subfolder = judgeFolder(walk, { ...folder, rules }, path, name);
      if (subfolder !== undefined) subfolders.push(subfolder);
      continue;
    }
    const verdict = judgeFile(rules, folder.leftOut, root.rulesPath + path, path);
    if (verdict === 'read' || verdict === 'askedFor') {
      candidates.push({ path, name, dirent, askedFor: verdict === 'askedFor' });
    } else if (verdict !== 'hidden') {
      skip(walk, path, verdict);
    }
  }
  for (let start = 0; start < candidates.length; start += limits.statConcurrency) {
    throwIfAborted(options.signal);
    const batch = candidates.slice(start, start + limits.statConcurrency);
    const found = await Promise.all(batch.map((entry) => examine(walk, entry)));
    for (const [index, result] of found.entries()) {
      if ('reason' in result) skip(walk, batch[index]!.path, result);
      else if (isFull(walk)) skip(walk, result.path, tooManyFiles(walk));
      else walk.add(result);
    }
  }
  return subfolders;
}

function judgeFolder(walk: Walk, parent: Folder, path: string, name: string): Folder | undefined {
  const { rules, leftOut } = parent;
  if (isOtherRoot(walk, path)) return undefined;
  const rulesPath = walk.root.rulesPath + path;
  const own = verdictOf(rules.own, rulesPath);
  if (own === 'included') return { path, rules };

  const reason: Reason | undefined =
    own === 'ignored'
      ? { reason: 'askcodebaseignore' }
      : verdictOf(rules.git, rulesPath) === 'ignored'
        ? { reason: 'gitignore' }
        : verdictOf(rules.excluded, rulesPath) === 'ignored'
          ? { reason: 'excludeSetting' }
          : isDefaultFolderName(name)
            ? { reason: 'generated', detail: defaultFolderDetail }
            : undefined;
  if (reason === undefined && leftOut === undefined) return { path, rules };
  if (reason !== undefined && leftOut === undefined) skip(walk, path, reason);
  // As in git, what an ignore file leaves out with its folder cannot come back by the same file.
  if (own === 'ignored') return undefined;
  const mustName = leftOut?.mustName ?? (isDefaultFolderName(name) ? name : undefined);
  if (!mayIncludeBelow(rules.own, rulesPath, mustName)) return undefined;
  return { path, rules, leftOut: { mustName } };
}

/** `hidden`: the entry of the folder speaks for the file. */
function judgeFile(
  rules: FolderRules,
  leftOut: LeftOut | undefined,
  rulesPath: string,
  path: string,
): 'read' | 'askedFor' | 'hidden' | Reason {
  const own = verdictOf(rules.own, rulesPath);
  if (own === 'included') return 'askedFor';
  if (leftOut !== undefined) return 'hidden';
  if (own === 'ignored') return { reason: 'askcodebaseignore' };
  if (verdictOf(rules.git, rulesPath) === 'ignored') return { reason: 'gitignore' };
  if (verdictOf(rules.excluded, rulesPath) === 'ignored') return { reason: 'excludeSetting' };
  if (isSecretName(path)) return { reason: 'secret' };
  if (isLockFileName(path)) return { reason: 'lockFile' };
  if (isGeneratedName(path)) return { reason: 'generated' };
  return 'read';
}

/** Looks at the file itself, whose name is fine. */
async function examine(walk: Walk, { path, dirent, askedFor }: Entry): Promise<FoundFile | Reason> {
  const absolutePath = join(walk.root.absolutePath, path);
  if (dirent.isSymbolicLink()) return examineLink(walk, absolutePath);
  if (!dirent.isFile()) return { reason: 'notAFile' };
  let info: Stats;
  try {
    info = await lstat(absolutePath);
  } catch (error) {
    return { reason: 'unreadable', detail: systemMessage(error) };
  }
  if (!info.isFile()) return { reason: 'notAFile' };
  if (walk.options.isUnsaved?.(absolutePath) !== true) {
    if (info.size === 0) return { reason: 'empty' };
    if (info.size > limits.maxFileBytes) return tooLarge(info.size);
  }
  const file = {
    workspace: walk.root.name,
    path,
    absolutePath,
    bytes: info.size,
    modifiedMs: info.mtimeMs,
  };
  return askedFor ? { ...file, askedFor } : file;
}

async function examineLink(walk: Walk, absolutePath: string): Promise<Reason> {
  let target: string;
  try {
    target = await realpath(absolutePath);
  } catch (error) {
    const detail = systemMessage(error);
    return { reason: detail.startsWith('ELOOP') ? 'symlinkLoop' : 'symlink', detail };
  }
  const root = walk.roots.find(({ realPath }) => isInside(target, realPath));
  if (root === undefined) return { reason: 'symlink', detail: 'its target lies outside of the workspace' };
  const info = await lstat(target).catch(() => undefined);
  if (info?.isDirectory() === true) return { reason: 'symlinkLoop' };
  return { reason: 'symlink', detail: 'its target is inside the workspace and stands there for itself' };
}

/** The reason of a file whose size is beyond the limit. */
export function tooLarge(bytes: number): Reason {
  return {
    reason: 'tooLarge',
    detail: `${limits.formatBytes(bytes)}, limit ${limits.formatBytes(limits.maxFileBytes)}`,
  };
}

const badName: Reason = { reason: 'unreadable', detail: 'its name is not valid UTF-8' };

function tooManyFiles(walk: Walk): Reason {
  return { reason: 'tooManyFiles', detail: `limit ${fileLimit(walk)}` };
}

function isFull(walk: Walk): boolean {
  return walk.filesFound() >= fileLimit(walk);
}

function fileLimit({ options }: Walk): number {
  return options.maxFiles ?? limits.maxFiles;
}

function isOtherRoot({ root, roots }: Walk, path: string): boolean {
  return (
    roots.length > 1 && roots.some(({ realPath }) => realPath === join(root.realPath, path.slice(0, -1)))
  );
}

/** What version control keeps for itself is no part of the workspace, and not worth a word. */
function isVersionControl(name: string): boolean {
  return ['.git', '.hg', '.svn', '.jj'].includes(name);
}

function skip(walk: Walk, path: string, reason: Reason): void {
  walk.skip({ workspace: walk.root.name, path, ...reason });
}

/** @throws AskError cancelled */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw errors.cancelled();
}
