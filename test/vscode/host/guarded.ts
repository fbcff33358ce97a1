/** Processes that never outlive the one that started them, however that one ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MILLISECONDS = 3_000;
/** Longer than any run. */
const GUARD_SECONDS = 1_000_000;

/** A process group and how to end it. */
export interface GuardedProcess {
  readonly child: ChildProcess;
  /** Ends every process of the group, those that ignore SIGTERM after three seconds by SIGKILL. */
  readonly stop: () => Promise<void>;
}

export interface GuardOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** 'inherit' shows what it prints; 'pipe' leaves it to the caller. */
  readonly output: 'inherit' | 'pipe';
  /** Removed with the group when this process is gone without having called `stop`. */
  readonly temporaryFolder?: string;
}

/**
 * Starts a program as the head of a process group of its own. A guard in that group holds the other end of a pipe
 * of this process: the kernel closes it when this process ends, even by SIGKILL, and the guard then ends the group.
 * Needs a POSIX shell.
 */
export function spawnGuarded(
  program: string,
  args: readonly string[],
  { cwd, env = process.env, output, temporaryFolder = '' }: GuardOptions,
): GuardedProcess {
  const child = spawn('/bin/sh', ['-c', guardScript, 'sh', temporaryFolder, program, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', output, output],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = (signal: NodeJS.Signals): void => {
    // The guard ignores SIGTERM, so the group exists until it is killed; without a pid nothing was started.
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    end('SIGTERM');
    await Promise.race([exited, sleep(PATIENCE_MILLISECONDS, undefined, { ref: false })]);
    end('SIGKILL');
    await exited;
  };
  return { child, stop: () => (stopped ??= stop()) };
}

/** $1 is the folder to remove; the rest is the program, which takes the shell's place and its process id. */
const guardScript = `
folder=$1
shift
exec 3<&0 </dev/null
(
  trap '' TERM INT HUP
  cat <&3 >/dev/null
  kill -TERM 0
  sleep ${PATIENCE_MILLISECONDS / 1_000}
  [ -z "$folder" ] || rm -rf -- "$folder"
  kill -KILL 0
) &
exec 3<&-
exec "$@"
`;

/** Gives a function for what a process with piped output has printed so far, on both of its streams. */
export function outputOf({ child }: GuardedProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return () => output;
}

/** Waits until a guarded process has ended by itself, ends what it left behind, and gives its exit code. */
export async function exitCodeOf({ child, stop }: GuardedProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await stop();
  return child.exitCode ?? 1;
}

/**
 * Has a folder removed, three seconds later, when this process ends without having called what is given back.
 * Windows has no such guard, and nothing is done there.
 */
export function guardFolder(temporaryFolder: string): () => Promise<void> {
  if (process.platform === 'win32') return async () => Promise.resolve();
  return spawnGuarded('sleep', [`${GUARD_SECONDS}`], { output: 'pipe', temporaryFolder }).stop;
}

const POLL_MILLISECONDS = 1_000;
let watchesParent = false;

/**
 * Ends this process when the one that started it is gone. Guarded processes end with it; a test runner that was
 * killed tells its workers nothing.
 */
export function exitWithParent(): void {
  if (watchesParent) return;
  watchesParent = true;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(130);
  }, POLL_MILLISECONDS).unref();
}
