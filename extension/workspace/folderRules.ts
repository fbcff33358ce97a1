/** The rules that hold in one folder: git's, a setting's and our own, gathered on the way down. */
import { join } from 'node:path';
import { enterFolder, ruleSet, type RuleSet } from './ignoreRules.ts';
import { readIfThere, readRepository } from './gitRepository.ts';

export interface FolderRules {
  /** From .gitignore files and git's excludes, the weakest first. */
  readonly git: readonly RuleSet[];
  /** From the setting of the workspace folder. */
  readonly excluded: readonly RuleSet[];
  /** From .askcodebaseignore files, the weakest first. */
  readonly own: readonly RuleSet[];
  readonly ignoreCase: boolean;
}

/** Where nothing is ignored yet. File names on macOS and Windows match in either case, as git's default there is. */
export const noRules: FolderRules = {
  git: [],
  excluded: [],
  own: [],
  ignoreCase: process.platform === 'darwin' || process.platform === 'win32',
};

/** What of a folder's entries matters to the rules. */
export interface FolderEntry {
  readonly name: string;
  readonly isFile: boolean;
}

/**
 * Adds the rules of one folder to those of the folder above.
 *
 * @param path the folder in the coordinates of the rules: '' or ending in a slash
 * @param absolutePath the same folder on the disk
 */
export async function rulesOfFolder(
  above: FolderRules,
  path: string,
  absolutePath: string,
  entries: readonly FolderEntry[],
): Promise<FolderRules> {
  // A repository inside another one is ruled by its own files alone; our own files know no repositories.
  const repository = entries.some(({ name }) => name === '.git')
    ? await readRepository(absolutePath)
    : undefined;
  const ignoreCase = repository?.ignoreCase ?? above.ignoreCase;
  const git =
    repository === undefined
      ? enterFolder(above.git, path)
      : repository.excludes.map((text) => ruleSet(path, text, ignoreCase));
  const own = enterFolder(above.own, path);

  // Like git, a symbolic link is not taken for an ignore file: its target may lie outside of the workspace.
  const readRules = async (name: string): Promise<RuleSet[]> => {
    if (!entries.some((entry) => entry.name === name && entry.isFile)) return [];
    const text = await readIfThere(join(absolutePath, name));
    return text === undefined ? [] : [ruleSet(path, text, ignoreCase)];
  };
  return {
    git: [...git, ...(await readRules('.gitignore'))],
    excluded: enterFolder(above.excluded, path),
    own: [...own, ...(await readRules('.askcodebaseignore'))],
    ignoreCase,
  };
}
