import { execFileSync } from 'node:child_process';

/** Makes a repository of a folder, with one commit of one of its files. */
export function commitFile(folder: string, path: string, message: string): void {
  const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: folder });
  git('init', '--quiet');
  git('add', '--', path);
  git('-c', 'user.name=Kim', '-c', 'user.email=kim@example.org', 'commit', '-qm', message);
}
