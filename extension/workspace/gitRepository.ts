/** What git keeps outside the working tree about ignoring: the excludes of the repository and of the user. */
import { lstat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Repository {
  /** Texts of the exclude files, the weakest first. Their patterns are anchored at the top of the working tree. */
  readonly excludes: readonly string[];
  /** git's core.ignoreCase. */
  readonly ignoreCase: boolean;
}

/** Reads the repository whose working tree has its top at `folder`, or gives undefined when there is none. */
export async function readRepository(folder: string): Promise<Repository | undefined> {
  const gitFolder = await gitFolderOf(folder);
  if (gitFolder === undefined) return undefined;
  // A linked working tree shares the excludes and the settings of the main one.
  const shared = await readIfThere(join(gitFolder, 'commondir'));
  const commonFolder = shared === undefined ? gitFolder : resolve(gitFolder, shared.trim());

  const userFolder = join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'git');
  const configs = await Promise.all(
    [join(userFolder, 'config'), join(homedir(), '.gitconfig'), join(commonFolder, 'config')].map(
      readIfThere,
    ),
  );
  const core = coreSettings(configs.map((text) => text ?? '').join('\n'));
  const excludesFile = core.get('excludesfile');
  const excludes = await Promise.all([
    readIfThere(
      excludesFile === undefined ? join(userFolder, 'ignore') : resolve(folder, inHome(excludesFile)),
    ),
    readIfThere(join(commonFolder, 'info', 'exclude')),
  ]);
  return {
    excludes: excludes.filter((text) => text !== undefined),
    ignoreCase: /^(?:true|yes|on|1|)$/i.test(core.get('ignorecase') ?? 'false'),
  };
}

/** The text of a file, or undefined when it cannot be read. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function gitFolderOf(folder: string): Promise<string | undefined> {
  const path = join(folder, '.git');
  const stat = await lstat(path).catch(() => undefined);
  if (stat?.isFile() === true) {
    const target = /^gitdir: (.+)$/m.exec((await readIfThere(path)) ?? '')?.[1];
    return target === undefined ? undefined : resolve(folder, target.trim());
  }
  return (await readIfThere(join(path, 'HEAD'))) === undefined ? undefined : path;
}

/** Keys of the [core] sections in lower case; a later one wins. */
function coreSettings(config: string): Map<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  for (const line of config.split(/\r?\n/)) {
    const [, header, rest = ''] = /^\s*(?:\[([^\]]*)\])?(.*)$/.exec(line) ?? [];
    if (header !== undefined) section = header.trim().toLowerCase();
    const entry = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?))?\s*$/.exec(rest);
    if (section !== 'core' || entry === null) continue;
    const value = (entry[2] ?? '').replace(/\s*[#;].*$/, '');
    settings.set(entry[1]!.toLowerCase(), value.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1'));
  }
  return settings;
}

function inHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
