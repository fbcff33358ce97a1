/** The `test-machine` command: how fast this machine is, and how long its workspace would take. */
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../engineClient/engineClient.ts';
import { AskError, badInputReasons, errors } from '../errors.ts';
import { testMachine, type MachineTest } from '../testMachine.ts';
import { defaultTokenBudget } from './arguments.ts';
import { askParts, foldersOf, startWhereTheUserIs } from './askRequest.ts';
import { parseFolderArguments, testMachineHelpText } from './folderArguments.ts';
import { count, mebibytes, plural, seconds } from './numbers.ts';
import { deviceSentence, noticeSentence } from './noticeSentence.ts';
import { failureText, progressText } from './printer.ts';
import { safeText } from './safeText.ts';

const exitCodes = { tested: 0, badInput: 2, engineFailure: 3, cancelled: 130 } as const;
const progressEveryMs = 1_000;

const cancellation = new AbortController();
let engine: Promise<EngineClient> | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (cancellation.signal.aborted) process.exit(exitCodes.cancelled);
    cancellation.abort();
  });
}

startWhereTheUserIs('test-machine');
const code = await run(process.argv.slice(2)).catch(fail);
await (await engine?.catch(() => undefined))?.dispose();
process.exitCode = code;

/** @returns the exit code */
async function run(commandLine: readonly string[]): Promise<number> {
  const options = parseFolderArguments(commandLine);
  if (options === 'help') {
    process.stdout.write(testMachineHelpText);
    return exitCodes.tested;
  }
  const { workspaces, ...chosen } = options;
  const folders = foldersOf(workspaces);
  const parts = askParts(() => (engine ??= startEngine(bundledEngine())));
  const request = { ...chosen, folders, preset: 'default', tokenBudget: defaultTokenBudget } as const;
  const line = paced((text) => process.stderr.write(`${text}\n`));
  const test = await testMachine(request, parts, (event) => line(progressText(event)), cancellation.signal);
  process.stdout.write(`${report(test)}\n`);
  return exitCodes.tested;
}

function report({ loaded, devices, workspace, ...speeds }: MachineTest): string {
  const left = devices.map(({ name, description, freeBytes, totalBytes, leftOut }) => {
    const state = leftOut === undefined ? '' : `, not used: ${leftOut}`;
    return `  ${safeText(name)} (${safeText(description)}): ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} free${state}`;
  });
  return [
    `Model      ${safeText(loaded.modelName)}`,
    `Device     ${deviceSentence(loaded)}`,
    `Reading    ${count(speeds.readingTokensPerSecond)} tokens/s`,
    `Answering  ${count(speeds.answeringTokensPerSecond)} tokens/s`,
    `Memory     ${mebibytes(loaded.estimatedBytes)} estimated, engine at its largest ${mebibytes(speeds.peakEngineBytes)}`,
    `Workspace  ${plural(workspace.files, 'file')}, about ${plural(workspace.tokens, 'token')}: ${seconds(workspace.seconds)} to read all`,
    `Question   reads ${plural(workspace.automaticTokens, 'token')} by default, in about ${seconds(workspace.automaticSeconds)}`,
    'Devices',
    ...left,
    ...loaded.notices.map(noticeSentence),
  ].join('\n');
}

/** Tells a user of a failure. @returns the exit code */
function fail(error: unknown): number {
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
