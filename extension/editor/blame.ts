/** Which commits wrote some lines, from git. */
import { execFile } from 'node:child_process';

export interface BlamedCommit {
  /** The first line of its message. */
  readonly subject: string;
  /** Of the author, `YYYY-MM-DD`. */
  readonly day: string;
  readonly lines: number;
}

export interface BlamedLines {
  /** Of the file's folder tree, where git runs. */
  readonly rootPath: string;
  /** Inside it. */
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  /** What the editor holds, when that is not what the disk does. */
  readonly unsaved?: string;
}

const patienceMs = 5_000;
const mostOutputBytes = 10_000_000;

/** Those with the most lines first; none without git, without a repository, or for lines that are not committed. */
export async function blame(lines: BlamedLines): Promise<BlamedCommit[]> {
  const { rootPath, path, startLine, endLine, unsaved } = lines;
  const options = {
    cwd: rootPath,
    timeout: patienceMs,
    maxBuffer: mostOutputBytes,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
  };
  const contents = unsaved === undefined ? [] : ['--contents', '-'];
  // No program that a repository names is started: neither a monitor of files nor a converter of texts.
  const config = ['-c', 'core.fsmonitor=false'];
  const args = [
    ...config,
    'blame',
    '--porcelain',
    '--no-textconv',
    ...contents,
    '-L',
    `${startLine},${endLine}`,
  ];
  return new Promise((resolve) => {
    const git = execFile('git', [...args, '--', path], options, (error, output) =>
      resolve(error === null ? parseBlame(output) : []),
    );
    // git may end before it has read all.
    git.stdin?.on('error', () => undefined);
    git.stdin?.end(unsaved ?? '');
  });
}

/** Of the porcelain format: a commit's lines stand only where it comes first. */
export function parseBlame(output: string): BlamedCommit[] {
  const commits = new Map<string, { subject: string; day: string; lines: number }>();
  let commit: { subject: string; day: string; lines: number } | undefined;
  for (const line of output.split('\n')) {
    const [, hash] = /^([0-9a-f]{40,64}) \d+ \d+(?: \d+)?$/u.exec(line) ?? [];
    if (hash !== undefined) {
      commit = commits.get(hash) ?? { subject: '', day: '', lines: 0 };
      commit.lines++;
      commits.set(hash, commit);
    } else if (commit !== undefined && !line.startsWith('\t')) {
      const [, key, value = ''] = /^(\S+) (.*)$/u.exec(line) ?? [];
      if (key === 'summary') commit.subject = value;
      if (key === 'author-time') commit.day = dayOf(Number(value));
    }
  }
  return [...commits]
    .filter(([hash]) => !/^0+$/u.test(hash))
    .map(([, commit]) => commit)
    .sort((a, b) => b.lines - a.lines);
}

function dayOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}
