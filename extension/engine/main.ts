/** The engine process. Standard output is the wire, so nothing else may be written there. */
import { writeSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { isAlive } from '../isAlive.ts';
import { createEngineHandlers } from './handlers.ts';
import { serveEngine } from './server.ts';

/** As in sysexits.h: an internal software error. */
const uncaughtExitCode = 70;
/** 10 on the scale of nice: the editor comes first. */
const lowPriority = 10;
const parentPollMs = 1_000;

console.log = console.info = console.debug = console.error;
process.on('uncaughtException', exitWithOneLine);
// Ctrl-C reaches the whole process group. What it means is decided by the terminal that started the engine.
process.on('SIGINT', () => undefined);
const { values } = parseArgs({ options: { cuda: { type: 'string' } } });
try {
  setPriority(Math.max(lowPriority, getPriority()));
} catch {
  // Some containers forbid it; the engine then competes on equal terms.
}
// The parent is gone when its end of the pipe is. Nobody waits for what still runs, so it is not waited for either.
process.stdin.once('end', exit).once('close', exit);

await serveEngine(
  createEngineHandlers({ cudaFolder: values.cuda }),
  process.stdin,
  process.stdout,
  ({ parentPid }) => {
    // A process that inherited the pipe can hold it open after the parent is gone.
    setInterval(() => {
      if (!isAlive(parentPid)) exit();
    }, parentPollMs);
  },
);
exit();

function exit(): never {
  process.exit(0);
}

function exitWithOneLine(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const line = text.replace(/\s*\n\s*/g, ' | ');
  writeSync(process.stderr.fd, `uncaught ${line}\n`);
  process.exit(uncaughtExitCode);
}
