/**
 * The server for agents outside VS Code: MCP over standard input and output, which therefore carry nothing else. It owns
 * the engine process, which stays between questions and is ended when none has come for a while, and with the input.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { ask } from '../ask.ts';
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { startEngine } from '../engineClient/engineClient.ts';
import { IdleEngine } from '../engineClient/idleEngine.ts';
import { AskError, badInputReasons, errors } from '../errors.ts';
import { cacheFolder } from '../models/modelFolder.ts';
import type { CompletedAnswer } from '../protocol/answerEvents.ts';
import { askParts, askRequest, startWhereTheUserIs } from './askRequest.ts';
import { mcpHelpText, parseFolderArguments, type FolderArguments } from './folderArguments.ts';
import {
  answerResult,
  failureResult,
  overallProgress,
  toolConfiguration,
  toolName,
  waitingProgress,
  type OverallProgress,
  type ToolInput,
} from './mcpTool.ts';
import { findFilesIn, offerFolders, type OfferedFolders } from './offeredFolders.ts';
import { oneAtATime } from './oneAtATime.ts';
import { failureText } from './printer.ts';

const exitCodes = { ended: 0, badInput: 2, failure: 3 } as const;

/** Minutes without a question after which the model leaves the memory. */
const idleMinutes = 10;

/** Milliseconds that the engine has to end by itself once the client is gone; after them its closed pipe ends it. */
const endPatienceMs = 1_000;

const engine = new IdleEngine({
  start: () => startEngine(bundledEngine()),
  idleMinutes,
  onChange: () => undefined,
  registryFolder: join(cacheFolder(), 'engines'),
});
const parts = askParts(() => engine.engine());
const inTurn = oneAtATime();

startWhereTheUserIs('mcp');
await run(process.argv.slice(2)).catch((error: unknown) => {
  const known = asAskError(error);
  process.stderr.write(`${failureText(known)}\n`);
  process.exitCode = badInputReasons.has(known.reason) ? exitCodes.badInput : exitCodes.failure;
});

async function run(commandLine: readonly string[]): Promise<void> {
  const options = parseFolderArguments(commandLine);
  if (options === 'help') {
    process.stdout.write(mcpHelpText);
    return;
  }
  const folders = await offerFolders(options.workspaces);
  const server = new McpServer({ name: 'ask-codebase', version: ownVersion() });
  server.registerTool(toolName, toolConfiguration(folders.paths), async (input, { signal, ...call }) => {
    const progressToken = call._meta?.progressToken;
    const tell = (progress: OverallProgress | undefined) => {
      if (progressToken === undefined || progress === undefined || signal.aborted) return;
      const params = { progressToken, ...progress };
      // A client that is gone is met at the end of the input.
      call.sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
    };
    const answering = () => answer(input, options, folders, tell, signal);
    return inTurn(answering, signal, () => tell(waitingProgress)).catch((error: unknown) =>
      failureResult(asAskError(error)),
    );
  });
  endWithTheClient(server);
  await server.connect(new StdioServerTransport());
}

/** @throws AskError */
async function answer(
  input: ToolInput,
  options: FolderArguments,
  offered: OfferedFolders,
  tell: (progress: OverallProgress | undefined) => void,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const { folders: named, readingLimit, ...asked } = input;
  const places = await offered.choose(named);
  const limit = readingLimit === undefined ? {} : { readingLimit };
  const request = askRequest({
    ...options,
    ...asked,
    ...limit,
    workspaces: places.map(({ rootPath }) => rootPath),
    preset: 'default',
    reuse: 'auto',
  });
  const progress = overallProgress();
  let last: CompletedAnswer | undefined;
  await engine.use(async () => {
    for await (const event of ask(request, { ...parts, findFiles: findFilesIn(places) }, signal)) {
      if (event.event === 'progress') tell(progress(event));
      if (event.event === 'answer') last = event;
    }
  });
  if (last === undefined) throw errors.internal('the question ended without an answer', undefined);
  return answerResult(last, request.folders);
}

/** A client says goodbye by closing the pipe or, to a server that does not hear it, by a signal. */
function endWithTheClient(server: McpServer): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    setTimeout(exit, endPatienceMs);
    // This aborts what is being answered.
    void server
      .close()
      .then(() => engine.dispose())
      .finally(exit);
  };
  process.stdin.on('end', end).on('close', end).on('error', end);
  process.stdout.on('error', end);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, end);
}

function exit(): never {
  process.exit(exitCodes.ended);
}

function asAskError(error: unknown): AskError {
  if (error instanceof AskError) return error;
  return errors.internal(error instanceof Error ? error.message : String(error), error);
}

/** Of package.json, which lies beside the folder of the bundle. */
function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}
