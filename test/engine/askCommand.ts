/** Runs the `ask` command as a user does, and finds every process that it started, orphans included. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const askBundle = fileURLToPath(new URL('../../dist/ask.mjs', import.meta.url));
const engineBundle = fileURLToPath(new URL('../../dist/engine.mjs', import.meta.url));

export interface AskRun {
  readonly pid: number;
  /** Exit code and output, once the command has ended. */
  readonly ended: Promise<AskEnd>;
  /** Engine processes that this run has started and that are alive. */
  readonly engines: () => Promise<number[]>;
  /** To the whole process group, as Ctrl-C in a terminal does. */
  readonly signalGroup: (name: NodeJS.Signals) => void;
}

export interface AskEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AskOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program before `node`: `unshare -rn`, for instance. */
  readonly under?: readonly string[];
  /** Called with each whole line of standard output. */
  readonly onLine?: (line: string, run: AskRun) => void;
}

export function runAsk(commandLine: readonly string[], options: AskOptions): AskRun {
  return runCommand([...(options.under ?? []), process.execPath, askBundle, ...commandLine], options);
}

/** Runs any command that somewhere starts `ask`. */
export function runCommand([program, ...args]: readonly string[], options: AskOptions): AskRun {
  const mark = randomUUID();
  const child = spawn(program ?? '', args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env, [markVariable]: mark },
    // A group of its own, like a job of a shell.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const ended = new Promise<AskEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, ...output });
    });
  });
  const run: AskRun = {
    pid,
    ended,
    engines: () => enginesMarked(mark),
    signalGroup: (name) => {
      // Once the leader is gone there is no group to signal.
      if (child.exitCode === null && child.signalCode === null) process.kill(-pid, name);
    },
  };
  createInterface({ input: child.stdout }).on('line', (line) => options.onLine?.(line, run));
  return run;
}

/** Waits until a run has no engine any more. @returns those that are left after the time, which should be none */
export async function enginesLeft(run: Pick<AskRun, 'engines'>, milliseconds: number): Promise<number[]> {
  const until = Date.now() + milliseconds;
  for (;;) {
    const engines = await run.engines();
    if (engines.length === 0 || Date.now() > until) return engines;
    await sleep(50);
  }
}

/** Every process inherits it, so that an orphan is found as well. */
export const markVariable = 'ASK_TEST_RUN';

/** Those alive whose environment has the mark. */
export async function enginesMarked(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const engines = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all([
        processFile(pid, 'cmdline'),
        processFile(pid, 'environ'),
      ]);
      const isEngine = command.split('\0').includes(engineBundle);
      return isEngine && environment.split('\0').includes(`${markVariable}=${mark}`);
    }),
  );
  return pids.filter((_, index) => engines[index]).map(Number);
}

/** Empty for a process that is gone, is a zombie or belongs to someone else. */
async function processFile(pid: string, name: 'cmdline' | 'environ'): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
}
