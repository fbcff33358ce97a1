/** The real entry of the engine process, bundled with handlers that need no model. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startEngine, type EngineClient } from '../../../extension/engineClient/engineClient.ts';
import { protocolVersion } from '../../../extension/protocol/engine.ts';
import { questionOf } from './faultyHandlers.ts';

const parentGoneTimeoutMs = 5_000;

let folder: string;
let enginePath: string;
let orphanMakerPath: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-main-'));
  enginePath = await bundle('../../../extension/engine/main.ts', 'engine.mjs');
  orphanMakerPath = await bundle('./orphanMaker.ts', 'orphanMaker.mjs');
});
afterAll(() => rm(folder, { recursive: true }));

const children: ChildProcess[] = [];
const clients: EngineClient[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(clients.splice(0).map((client) => client.dispose()));
});

test('a question is answered, and the process ends when it is told to', async () => {
  const { client, lines } = await start();
  await expect(client.request('ask', questionOf('say yes.'))).resolves.toMatchObject({ text: 'yes.' });
  await client.dispose();
  expect(await client.exited).toMatchObject({ how: 'exit code 0' });
  expect(lines).toEqual(['disposed']);
});

test('the editor comes first', async () => {
  const { client } = await start();
  expect(getPriority(client.pid)).toBe(Math.max(10, getPriority()));
});

test('what is printed goes to the log and not on the wire', async () => {
  const { client, lines } = await start();
  await expect(client.request('ask', questionOf('print hello'))).resolves.toMatchObject({ text: 'printed' });
  await expect.poll(() => lines).toEqual(['hello', 'hello']);
});

test('errors keep their reason and remedy through both ends', async () => {
  const { client } = await start();
  await expect(client.request('ask', questionOf('refuse'))).rejects.toMatchObject({
    name: 'AskError',
    reason: 'questionTooLong',
    template: "The question has {0} tokens, and {1} fit the model's window beside the kept cache",
    args: [600, 512],
    remedy: 'Shorten the question, lower the token budget or choose a model with a larger window.',
  });
});

test('a running question is cancelled in time', async () => {
  const { client } = await start();
  const began = performance.now();
  await expect(client.request('ask', questionOf('wait'), AbortSignal.timeout(100))).rejects.toMatchObject({
    reason: 'cancelled',
  });
  expect(performance.now() - began).toBeLessThan(1_000);
  await expect(client.request('ask', questionOf('say more'))).resolves.toMatchObject({ text: 'more' });
});

test('an uncaught exception ends it with one line and code 70', async () => {
  const { client, lines } = await start();
  await expect(client.request('ask', questionOf('throwLater out of nowhere'))).rejects.toMatchObject({
    reason: 'engineStopped',
    message: 'The engine process stopped (exit code 70)',
    cause: { message: expect.stringMatching(/^uncaught Error: out of nowhere \| at /) as unknown },
  });
  expect(lines).toHaveLength(1);
});

test('Ctrl-C is left to the terminal', async () => {
  const { client } = await start();
  process.kill(client.pid, 'SIGINT');
  await expect(client.request('ask', questionOf('say still here'))).resolves.toMatchObject({
    text: 'stillhere',
  });
});

test('a program that is done with its engines ends by itself: no timer, pipe or process is left', async () => {
  const program = run(await bundle('./leavesNothing.ts', 'leavesNothing.mjs'), [enginePath]);
  const exited = once(program, 'exit');
  expect(await firstLine(program)).toBe('done');
  const began = performance.now();
  await exited;
  expect(program.exitCode).toBe(0);
  // The shortest timer of the client is a second long.
  expect(performance.now() - began).toBeLessThan(900);
});

describe('an orphan exits', () => {
  test('when its parent is killed in the middle of a question', async () => {
    const parent = run(orphanMakerPath, [enginePath]);
    const pid = Number(await firstLine(parent));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: parentGoneTimeoutMs });
  });

  test('when its parent is gone and something else holds the pipe open', async () => {
    const parent = run('-e', ['setInterval(() => undefined, 1000)']);
    const engine = run(enginePath, []);
    const hello = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'hello',
      params: { protocolVersion, parentPid: parent.pid },
    });
    engine.stdin.write(`Content-Length: ${hello.length}\r\n\r\n${hello}`);
    await firstLine(engine);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await vi.waitFor(() => expect(engine.exitCode).toBe(0), { timeout: parentGoneTimeoutMs });
  });

  test('when the pipe is closed before the first request', async () => {
    const engine = run(enginePath, []);
    engine.stdin.end();
    await once(engine, 'exit');
    expect(engine.exitCode).toBe(0);
  });
});

test('another version of the client is refused with both versions, and the process ends', async () => {
  const engine = run(enginePath, []);
  const hello = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'hello',
    params: { protocolVersion: 99, parentPid: process.pid },
  });
  let written = '';
  engine.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
  engine.stdin.write(`Content-Length: ${hello.length}\r\n\r\n${hello}`);
  await once(engine, 'close');
  expect(written).toContain(`protocol version ${protocolVersion} and this program version 99`);
  expect(engine.exitCode).toBe(0);
});

async function start() {
  const lines: string[] = [];
  const client = await startEngine({
    command: process.execPath,
    args: [enginePath],
    onStderrLine: (line) => lines.push(line),
  });
  clients.push(client);
  return { client, lines };
}

function run(path: string, args: readonly string[]) {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function firstLine({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error('it ended without a line');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function bundle(entry: string, name: string): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const handlersWithoutModel: Plugin = {
    name: 'handlers-without-model',
    setup: (bundler) =>
      bundler.onResolve({ filter: /^\.\/handlers\.ts$/ }, () => ({ path: join(here, 'faultyHandlers.ts') })),
  };
  const outfile = join(folder, name);
  await build({
    entryPoints: [join(here, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [handlersWithoutModel],
  });
  return outfile;
}
