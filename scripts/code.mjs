// Opens a developer's own VS Code with this extension in it: `npm run code [-- FOLDER]`, this repository by default.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const windows = process.platform === 'win32';
const repository = path.dirname(import.meta.dirname);
const program = ['code', 'code-insiders', 'codium'].find(onPath);

if (program === undefined) {
  console.error(
    'VS Code is not on the PATH: neither code, code-insiders nor codium. Install it; on macOS, run "Shell Command: Install \'code\' command in PATH" in its palette.',
  );
  process.exitCode = 1;
} else {
  const folder = path.resolve(process.argv[2] ?? repository);
  const args = ['--new-window', `--extensionDevelopmentPath=${repository}`, folder];
  // On Windows it is a batch file, which only a shell runs.
  const { status, error } = spawnSync(program, windows ? args.map((text) => `"${text}"`) : args, {
    stdio: 'inherit',
    shell: windows,
  });
  if (error !== undefined) console.error(`${program} could not be started: ${error.message}`);
  process.exitCode = status ?? 1;
}

function onPath(name) {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .some((folder) => existsSync(path.join(folder, windows ? `${name}.cmd` : name)));
}
