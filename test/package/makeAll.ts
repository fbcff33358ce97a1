/** Before the tests of this folder: the VSIX files of all targets, made once by the command that a release is made by. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  execFileSync('npm', ['run', '--silent', 'package'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}
