/** What the commands about folders share: their signals, their engine, their exit codes and the pace of their progress. */
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../engineClient/engineClient.ts';
import type { AskParts } from '../ask.ts';
import { AskError, badInputReasons, errors } from '../errors.ts';
import { askParts, startWhereTheUserIs } from './askRequest.ts';
import { parseFolderArguments, type FolderArguments } from './folderArguments.ts';
import { failureText } from './printer.ts';

const exitCodes = { done: 0, badInput: 2, engineFailure: 3, cancelled: 130 } as const;
const progressEveryMs = 1_000;

export interface FolderCommand {
  /** As npm runs it. */
  readonly name: string;
  readonly helpText: string;
  /**
   * @param tell of the progress: at most one line a second is printed, but each that comes only once
   * @returns what is printed at the end
   */
  readonly run: (
    options: FolderArguments,
    parts: AskParts,
    tell: (line: string, comesOnce?: boolean) => void,
    signal: AbortSignal,
  ) => Promise<string>;
}

/** Runs a command with the process's arguments, and sets its exit code. */
export async function runFolderCommand({ name, helpText, run }: FolderCommand): Promise<void> {
  const cancellation = new AbortController();
  let engine: Promise<EngineClient> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (cancellation.signal.aborted) process.exit(exitCodes.cancelled);
      cancellation.abort();
    });
  }
  startWhereTheUserIs(name);
  try {
    const options = parseFolderArguments(process.argv.slice(2));
    const parts = askParts(() => (engine ??= startEngine(bundledEngine())));
    const tell = paced((text) => process.stderr.write(`${text}\n`));
    const said = options === 'help' ? helpText : `${await run(options, parts, tell, cancellation.signal)}\n`;
    process.stdout.write(said);
    process.exitCode = exitCodes.done;
  } catch (error) {
    process.exitCode = report(error);
  }
  await (await engine?.catch(() => undefined))?.dispose();
}

/** Tells a user of a failure. @returns the exit code */
function report(error: unknown): number {
  const known =
    error instanceof AskError
      ? error
      : errors.internal(error instanceof Error ? error.message : String(error), error);
  process.stderr.write(`${failureText(known)}\n`);
  if (known.reason === 'cancelled') return exitCodes.cancelled;
  return badInputReasons.has(known.reason) ? exitCodes.badInput : exitCodes.engineFailure;
}

/** At most one call a second goes through, and those that come only once. */
function paced(write: (text: string) => void): (text: string, comesOnce?: boolean) => void {
  let nextAt = -Infinity;
  return (text, comesOnce = false) => {
    if (performance.now() < nextAt && !comesOnce) return;
    nextAt = performance.now() + progressEveryMs;
    write(text);
  };
}
