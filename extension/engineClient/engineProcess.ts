/** The operating system's side of an engine: its pipes, its last words and its end. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export interface EngineCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** This process's environment when absent. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** "signal SIGKILL", "exit code 3", or why there never was a process. */
  readonly how: string;
}

/** Lines of standard error that are kept for the report of a failure. */
const keptLines = 20;
/** A grandchild that inherited the pipes can keep them open; what the engine itself wrote has long arrived by then. */
const drainTimeoutMs = 500;

export class EngineProcess {
  /** Resolves when the process is gone and what it wrote has been read, or when it could not be started. Never rejects. */
  readonly exited: Promise<EngineExit>;
  readonly input: Writable;
  readonly output: Readable;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lastLines: string[] = [];

  constructor({ command, args, env }: EngineCommand, onStderrLine: (line: string) => void) {
    this.#child = spawn(command, args, {
      env: env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.input = this.#child.stdin;
    this.output = this.#child.stdout;
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      if (line.trim() === '') return;
      this.#lastLines.push(line);
      if (this.#lastLines.length > keptLines) this.#lastLines.shift();
      onStderrLine(line);
    });
    this.exited = exitOf(this.#child);
  }

  /** Does nothing when the process is gone. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The last lines of standard error as the cause of an error; undefined when there are none. */
  lastWords(): Error | undefined {
    return this.#lastLines.length === 0 ? undefined : new Error(this.#lastLines.join('\n'));
  }

  /** The one line of the last words that most likely says what went wrong. */
  tellingLine(): string | undefined {
    return this.#lastLines.findLast((line) => /error|fail|uncaught/i.test(line)) ?? this.#lastLines.at(-1);
  }
}

function exitOf(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<EngineExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      // Also raised when a signal could not be sent, which ends nothing.
      if (child.pid === undefined) resolve({ code: null, signal: null, how: error.message });
    });
    child.once('exit', (code, signal) => {
      const exit = {
        code,
        signal,
        how: signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`,
      };
      const end = () => {
        clearTimeout(timer);
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
        resolve(exit);
      };
      const timer = setTimeout(end, drainTimeoutMs);
      child.once('close', end);
    });
  });
}
