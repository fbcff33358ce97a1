/**
 * The `ask` command: one question in a terminal. It owns the engine process and the ways in which the command ends:
 * an answer, an error, a signal, or a reader of standard output that went away.
 */
import { ask } from '../ask.ts';
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { engineDevices } from '../engineClient/engineDevices.ts';
import { startEngine, type EngineClient } from '../engineClient/engineClient.ts';
import { AskError, badInputReasons, errors } from '../errors.ts';
import { helpText, parseArguments, wantsJson } from './arguments.ts';
import { askParts, askRequest, startWhereTheUserIs } from './askRequest.ts';
import { readMachine } from '../models/machine.ts';
import { modelFolder } from '../models/modelFolder.ts';
import { listModels } from '../models/modelList.ts';
import { jsonPrinter } from './jsonPrinter.ts';
import { modelTable } from './modelTable.ts';
import { textPrinter, type Printer } from './printer.ts';

const exitCodes = { answered: 0, badInput: 2, engineFailure: 3, cancelled: 130 } as const;

/** Milliseconds that the engine has to end by itself after Ctrl-C: with them, Stop stays under a second. */
const cancelPatienceMs = 400;

const cancellation = new AbortController();
let readerIsGone = false;
let engine: Promise<EngineClient> | undefined;
let printer = printerFor(wantsJson(process.argv.slice(2)), false);

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // Asked twice, it ends at once; the engine goes when its pipe closes.
    if (cancellation.signal.aborted) process.exit(exitCodes.cancelled);
    cancellation.abort();
  });
}
for (const stream of [process.stdout, process.stderr]) {
  // As with `ask ... | head -1`: nobody reads the rest, so it is not worked out.
  stream.on('error', () => {
    readerIsGone = true;
    cancellation.abort();
  });
}
// Nothing else is asked of this engine, so it need not finish the batch that it is at.
cancellation.signal.addEventListener('abort', () => void endEngine(cancelPatienceMs));
process.on('uncaughtException', (error) => {
  process.exit(report(error));
});

startWhereTheUserIs('ask');
const code = await run(process.argv.slice(2)).catch(report);
await endEngine();
await Promise.all([process.stdout, process.stderr].map(written));
process.exit(code);

/** @returns the exit code */
async function run(commandLine: readonly string[]): Promise<number> {
  const options = parseArguments(commandLine);
  if (options === 'help') {
    process.stdout.write(helpText);
    return exitCodes.answered;
  }
  if (options === 'listModels') {
    process.stdout.write(
      modelTable(await listModels(modelFolder(), await readMachine(() => engineDevices('auto')))),
    );
    return exitCodes.answered;
  }
  const request = askRequest(options);
  printer = printerFor(options.json, request.folders.length > 1);
  const parts = askParts(() => (engine ??= startEngine(bundledEngine())));
  for await (const event of ask(request, parts, cancellation.signal)) printer.print(event);
  return exitCodes.answered;
}

/** Tells the user of a failure. @returns the exit code */
function report(error: unknown): number {
  const known =
    error instanceof AskError
      ? error
      : errors.internal(error instanceof Error ? error.message : String(error), error);
  if (!readerIsGone) printer.printError(known);
  if (known.reason === 'cancelled') return exitCodes.cancelled;
  return badInputReasons.has(known.reason) ? exitCodes.badInput : exitCodes.engineFailure;
}

function printerFor(json: boolean, severalFolders: boolean): Printer {
  if (json) return jsonPrinter(process.stdout, severalFolders);
  return textPrinter({
    output: process.stdout,
    progress: process.stderr,
    colours: (process.env['NO_COLOR'] ?? '') === '',
    severalFolders,
    now: () => performance.now(),
  });
}

async function endEngine(patienceMs?: number): Promise<void> {
  const client = await engine?.catch(() => undefined);
  await client?.dispose(patienceMs);
}

/** Resolves when all that was written has left this process, or cannot any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => {
    stream.write('', () => done());
  });
}
