/** The `index` command: the index of a workspace, built in a terminal. What is there already is not built again. */
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../engineClient/engineClient.ts';
import { AskError, badInputReasons, errors } from '../errors.ts';
import { indexWorkspace, type IndexProgress } from '../indexWorkspace.ts';
import { askParts, foldersOf, startWhereTheUserIs, stateFolderOf } from './askRequest.ts';
import { indexHelpText, parseFolderArguments } from './folderArguments.ts';
import { count, percent, plural, seconds } from './numbers.ts';
import { failureText, progressText } from './printer.ts';

const exitCodes = { indexed: 0, badInput: 2, engineFailure: 3, cancelled: 130 } as const;
const progressEveryMs = 1_000;

const cancellation = new AbortController();
let engine: Promise<EngineClient> | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (cancellation.signal.aborted) process.exit(exitCodes.cancelled);
    cancellation.abort();
  });
}

startWhereTheUserIs('index');
const code = await run(process.argv.slice(2)).catch(report);
await (await engine?.catch(() => undefined))?.dispose();
process.exitCode = code;

/** @returns the exit code */
async function run(commandLine: readonly string[]): Promise<number> {
  const options = parseFolderArguments(commandLine);
  if (options === 'help') {
    process.stdout.write(indexHelpText);
    return exitCodes.indexed;
  }
  const { workspaces, ...chosen } = options;
  const folders = foldersOf(workspaces);
  const parts = askParts(() => (engine ??= startEngine(bundledEngine())));
  const request = { ...chosen, folders, states: stateFolderOf(folders) };
  const line = paced((text) => process.stderr.write(`${text}\n`));
  const events = indexWorkspace(request, parts, (event) => line(progressText(event)), cancellation.signal);
  let last: IndexProgress | undefined;
  for await (const progress of events) {
    last = progress;
    line(
      `indexing ${percent(progress.filesDone / Math.max(1, progress.filesTotal))}, ${count(progress.filesDone)} of ` +
        `${plural(progress.filesTotal, 'file')}, ${count(progress.tokens)} tokens`,
    );
  }
  if (last !== undefined) process.stdout.write(`${summary(last)}\n`);
  return exitCodes.indexed;
}

function summary({ readable, indexed, tokens, seconds: time, served }: IndexProgress): string {
  if (!served) return 'For this model no index is made: it is not known which of its heads rank.';
  const now =
    tokens === 0
      ? 'nothing was read anew'
      : `read ${count(tokens)} tokens anew in ${seconds(time)} (${count(Math.round(tokens / time))} tokens/s)`;
  const whole = `${count(indexed)} of ${plural(readable, 'file')} in the index, ${now}.`;
  return indexed === readable
    ? whole
    : `${whole} The rest does not fit what may be kept, and is ranked by words.`;
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

/** At most one call a second goes through. */
function paced(write: (text: string) => void): (text: string) => void {
  let nextAt = -Infinity;
  return (text) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + progressEveryMs;
    write(text);
  };
}
