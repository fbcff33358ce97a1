import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { errors } from './errors.ts';

export interface RunOptions {
  /** Its working and temporary folder: never one of the user's, where Python and npm look for what they then run. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Beside this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** It is a script that starts others, as npm is: it runs in a shell on Windows, and all of them end with it. */
  readonly isScript?: boolean;
}

export interface RunResult {
  /** -1 when the program could not be started or was ended by a signal. */
  readonly exitCode: number;
  /** The last that it wrote. */
  readonly output: string;
}

const KEPT_CHARACTERS = 3_000;
/** Of what a program says when it fails, the last so many characters reach the user. */
const SHOWN_CHARACTERS = 300;

/**
 * Runs a program to its end. Ends it when cancelled, and throws errors.cancelled only after it is gone.
 * Throws what the system says where a program that is there cannot be started.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { folder, signal, env = {}, isScript = false }: RunOptions,
): Promise<RunResult> {
  if (signal.aborted) throw errors.cancelled();
  const isWindows = process.platform === 'win32';
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env, TMPDIR: folder, TEMP: folder, TMP: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    shell: isScript && isWindows,
    detached: isScript && !isWindows,
  });
  const kill = () => end(child, isScript);
  signal.addEventListener('abort', kill, { once: true });
  let output = '';
  const collect = (text: string) => {
    output = (output + text).slice(-KEPT_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      child.on('error', (error) => {
        if ('code' in error && error.code === 'ENOENT') resolve({ exitCode: -1, output: error.message });
        else reject(error);
      });
      child.on('close', (exitCode) => {
        if (signal.aborted) reject(errors.cancelled());
        else resolve({ exitCode: exitCode ?? -1, output });
      });
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** In one line, as much as a message has room for. */
export function lastWords(output: string): string {
  return output.trim().slice(-SHOWN_CHARACTERS).replaceAll(/\s+/g, ' ');
}

function end(child: ChildProcess, withAll: boolean): void {
  if (!withAll || child.pid === undefined) child.kill('SIGKILL');
  else if (process.platform === 'win32') execFile('taskkill', ['/pid', String(child.pid), '/t', '/f']);
  else endGroup(child.pid);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
