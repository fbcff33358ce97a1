/** The server for agents as it is built, asked by the official client, with a tiny model. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Progress } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { isAlive } from '../../extension/isAlive.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { enginesLeft, enginesMarked, markVariable } from './askCommand.ts';
import { buildBundles } from './engineProcess.ts';
import { resultSchema, textOf } from './mcpResult.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const bundle = join(repository, 'dist/mcp.mjs');
const endsWithinMs = 5_000; // on a machine that has other work too
const stopsWithinMs = 1_000;

/** Answers at once. */
const short = {
  question: 'What is five?',
  folders: ['src'],
  readingLimit: 1500,
  tokenBudget: 128,
  maxAnswerTokens: 8,
};
/** Reads until it is stopped. */
const long = { question: 'What is everything?', readingLimit: 'all', folders: ['long'], tokenBudget: 128 };

let top: string;
let workspace: string;
let model: string;
let server: Server | undefined;

beforeAll(async () => {
  buildBundles();
  top = await mkdtemp(join(tmpdir(), 'ask エージェント '));
  workspace = join(top, 'work');
  model = join(top, 'tiny.gguf');
  writeTinyModel(model, tinyOptions);
  const lines = (count: number, name: string) =>
    Array.from({ length: count }, (_, n) => `export const ${name}${n} = ${n};\n`).join('');
  const files = {
    'work/src/five.ts': lines(20, 'five'),
    'work/src/six.ts': lines(20, 'six'),
    'work/.env': 'TOKEN=abc\n',
    'work/ignored/eight.ts': lines(10, 'eight'),
    'work/ignored/deep/nine.ts': lines(10, 'nine'),
    'work/.gitignore': 'ignored/\n',
    'other/seven.ts': lines(10, 'seven'),
    'outside/secret.ts': lines(10, 'secret'),
    ...Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`work/long/part${n}.ts`, lines(300, `part${n}x`)]),
    ),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(top, path, '..'), { recursive: true });
    await writeFile(join(top, path), text);
  }
  await symlink(join(top, 'outside'), join(workspace, 'link'));
});
afterEach(async () => {
  await server?.client.close();
  server = undefined;
});
afterAll(() => rm(top, { recursive: true }));

describe('the tool', () => {
  test('is listed with a schema that tells ranges, defaults and the folders allowed', async () => {
    const { client } = await start();
    const { tools } = await client.listTools();
    expect(tools).toHaveLength(1);
    expect(tools[0]).toMatchObject({
      name: 'ask_codebase',
      annotations: { readOnlyHint: true },
      inputSchema: {
        type: 'object',
        required: ['question'],
        additionalProperties: false,
        properties: {
          question: { type: 'string', minLength: 1, maxLength: 100_000 },
          folders: { type: 'array', items: { type: 'string' }, minItems: 1 },
          readingLimit: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'all' }] },
          tokenBudget: { type: 'integer', minimum: 64, maximum: 100_000_000, default: 1024 },
          maxAnswerTokens: { type: 'integer', minimum: 1, default: 400 },
        },
      },
      outputSchema: { type: 'object', required: ['answer', 'citations', 'littleFound', 'coverage'] },
    });
    const described = z.record(z.string(), z.object({ description: z.string().min(1) }));
    const properties = described.parse(tools[0]?.inputSchema.properties);
    expect(properties['folders']?.description).toContain(workspace);
    expect(client.getServerVersion()).toEqual({ name: 'ask-codebase', version: await manifestVersion() });
  });

  test('answers with citations of lines that exist, coverage and rising progress', async () => {
    const seen: Progress[] = [];
    const running = await start();
    const result = await call(
      running,
      { ...short, folders: undefined },
      { onprogress: (progress) => seen.push(progress) },
    );
    expect(result.isError ?? false).toBe(false);
    const { answer, citations, coverage } = resultSchema.parse(result.structuredContent);
    expect(answer).not.toBe('');
    expect(citations.length).toBeGreaterThan(0);
    for (const { folder, path, startLine, endLine } of citations) {
      expect(folder).toBe(workspace);
      const lines = (await readFile(join(folder, path), 'utf8')).trimEnd().split('\n').length;
      expect([1 <= startLine, startLine <= endLine, endLine <= lines]).toEqual([true, true, true]);
    }
    expect(coverage.filesFound).toBe(106);
    expect(coverage.filesRead).toBeGreaterThan(0);
    expect(coverage.notRead).toEqual(
      expect.arrayContaining([
        { reason: 'left out by .gitignore', files: 1, examples: ['ignored/'] },
        expect.objectContaining({ files: 1, examples: ['.env'] }),
      ]),
    );
    const text = textOf(result);
    const { path, startLine } = citations[0]!;
    for (const part of [
      `\nCitations\n  ${path}:${startLine}`,
      `\nFolder\n  ${workspace}\n`,
      '\nCoverage\n  Read ',
    ])
      expect(text).toContain(part);

    const values = seen.map(({ progress }) => progress);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    expect(seen.every(({ total }) => total === 100)).toBe(true);
    const stages = new Set(seen.map(({ message }) => message?.split(' ')[0]));
    expect([...stages]).toEqual(expect.arrayContaining(['Finding', 'Reading', 'Answering']));
    expect(running.faults).toEqual([]);
  });

  test.each<[name: string, folders: () => string[], files: number]>([
    ['a folder inside, relative to the first', () => ['src'], 2],
    ['the other one, absolute', () => [join(top, 'other')], 1],
    ['both, one of them twice', () => ['src', join(top, 'other'), './src/../src/'], 3],
  ])('reads only what is named: %s', async (_, folders, files) => {
    const running = await start(['--workspace', join(top, 'other')]);
    const result = await call(running, { ...short, folders: folders() });
    const { coverage, citations } = resultSchema.parse(result.structuredContent);
    expect(coverage).toEqual({ filesFound: files, filesRead: files, notRead: [] });
    // Paths lead on from the folders offered, whichever was named.
    for (const { folder, path } of citations)
      expect(join(folder, path)).toMatch(/\/(?:work\/src|other)\/\w+\.ts$/);
  });
});

test('what cannot be asked is refused with what is wrong', async () => {
  const running = await start();
  const refused: [args: Record<string, unknown>, message: RegExp][] = [
    [{}, /question/],
    [{ ...short, question: '' }, /question/],
    [{ ...short, question: ' ' }, /^The question is missing\.\nAsk something\.$/],
    [{ ...short, tokenBudget: 63 }, /tokenBudget/],
    [{ ...short, maxAnswerTokens: 1.5 }, /maxAnswerTokens/],
    [{ ...short, readingLimit: 'some' }, /readingLimit/],
    [{ ...short, model: model }, /model/],
    [{ ...short, folders: [] }, /folders/],
    ...['..', '/', join(top, 'outside'), join(top, 'nowhere'), 'link', 'src/../../outside'].map(
      (folder): [Record<string, unknown>, RegExp] => [
        { ...short, folders: ['src', folder] },
        /^The folder .* is none of those that may be read here, and lies in none of them\.\nName one of the folders/,
      ],
    ),
    ...['ignored', 'ignored/deep', join(workspace, 'ignored/deep/')].map(
      (folder): [Record<string, unknown>, RegExp] => [
        { ...short, folders: [folder] },
        /^There is nothing to read: 1 files found, 1 left out\./,
      ],
    ),
    [{ ...short, folders: ['nowhere'] }, /^The workspace folder nowhere does not exist\./],
    [{ ...short, folders: ['src/five.ts'] }, /^The workspace folder .*five\.ts does not exist\./],
  ];
  for (const [args, message] of refused) {
    const result = await call(running, args);
    expect([args, result.isError, textOf(result)]).toEqual([args, true, expect.stringMatching(message)]);
  }
});

test('a model that is not there is an error with a remedy', async () => {
  const running = await start(['--model', join(top, 'nothing.gguf')]);
  const result = await call(running, short);
  expect(result.isError).toBe(true);
  expect(textOf(result)).toMatch(/^The model file .*nothing\.gguf does not exist\.\nCheck the path/);
});

test('a cancelled question makes room for the next one within a second', async () => {
  const running = await start();
  await call(running, short);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const cancellation = new AbortController();
    const stopped = call(running, long, {
      signal: cancellation.signal,
      onprogress: ({ message }) => {
        if (message?.startsWith('Reading') === true) cancellation.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    const since = performance.now();
    let begins = Infinity;
    const result = await call(running, short, {
      onprogress: ({ progress }) => {
        if (progress > 0) begins = Math.min(begins, performance.now() - since);
      },
    });
    expect(result.isError ?? false).toBe(false);
    waits.push(begins);
  }
  // The least of them, since other work of the machine lengthens the rest.
  expect(Math.min(...waits)).toBeLessThan(stopsWithinMs);
  console.log(`the next question began ${waits.map(Math.round).join(', ')} ms after the abort`);
});

test('a second question waits for the first one, and can be cancelled while it waits', async () => {
  const running = await start();
  const cancellations = [new AbortController(), new AbortController()] as const;
  const messages: (string | undefined)[] = [];
  const onprogress = ({ message }: Progress) => messages.push(message);
  const first = call(running, long, { signal: cancellations[0].signal });
  const second = call(running, short, { signal: cancellations[1].signal, onprogress });
  const third = call(running, short, { onprogress });
  const refused = [first, second].map((question) => expect(question).rejects.toThrow());

  await expect.poll(() => messages.length).toBe(2);
  cancellations[1].abort();
  await refused[1];
  await sleep(500);
  expect(messages).toEqual(Array(2).fill('Waiting for the question before'));

  cancellations[0].abort();
  await refused[0];
  expect((await third).isError ?? false).toBe(false);
  expect(messages.length).toBeGreaterThan(3);
});

test('an engine that is killed is an error, and the next question has another engine', async () => {
  const running = await start();
  const killed: number[] = [];
  const result = await call(running, long, {
    onprogress: ({ message }) => {
      if (message?.startsWith('Reading') !== true || killed.length > 0) return;
      killed.push(0);
      void running.engines().then((pids) => {
        killed.splice(0, 1, ...pids);
        for (const pid of pids) process.kill(pid, 'SIGKILL');
      });
    },
  });
  expect(result.isError).toBe(true);
  expect(textOf(result)).toMatch(/^The engine process stopped \(signal SIGKILL\)\.\nAsk again/);
  const next = await call(running, short);
  expect(next.isError ?? false).toBe(false);
  expect(killed).toHaveLength(1);
  const engines = await running.engines();
  expect(engines).toHaveLength(1);
  expect(engines).not.toEqual(killed);
});

test.each<[name: string, args: Record<string, unknown>, at: string]>([
  ['while it reads', long, 'Reading'],
  ['with an engine that has nothing to do', short, ''],
])('the end of the input leaves no process: %s', async (_, args, at) => {
  const running = await start();
  if (at === '') await call(running, args);
  else {
    await new Promise<void>((resolve) => {
      void call(running, args, {
        onprogress: ({ message }) => {
          if (message?.startsWith(at) === true) resolve();
        },
      }).catch(() => undefined);
    });
  }
  expect(await running.engines()).toHaveLength(1);
  const pid = running.transport.pid ?? 0;
  const since = performance.now();
  await running.client.close();
  await expect.poll(() => isAlive(pid), { timeout: endsWithinMs }).toBe(false);
  console.log(`the server was gone ${(performance.now() - since).toFixed(0)} ms after its input`);
  expect(await enginesLeft(running, endsWithinMs)).toEqual([]);
});

test('through npm run, standard output carries the protocol alone, and ends with the input', async () => {
  const child = spawn('npm', ['--silent', '--prefix', repository, 'run', 'mcp', '--', '--model', model], {
    cwd: workspace,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const initialize = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  };
  const messages = [
    { id: 1, method: 'initialize', params: initialize },
    { method: 'notifications/initialized' },
    { id: 2, method: 'tools/list' },
  ];
  for (const message of messages) child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  await expect.poll(() => output.split('\n').length, { timeout: 60_000 }).toBeGreaterThan(2);
  child.stdin.end();
  expect(await closed).toBe(0);
  const answers = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(answers).toMatchObject([
    { jsonrpc: '2.0', id: 1 },
    { jsonrpc: '2.0', id: 2, result: { tools: [{ name: 'ask_codebase' }] } },
  ]);
  // Where it was typed, not where package.json lies.
  expect(output).toContain(`relative to ${workspace}.`);
});

test.each<[commandLine: string[], message: RegExp]>([
  [['--device', 'abacus'], /^--device takes one of/],
  [['--workspace', '/nowhere at all'], /^The workspace folder \/nowhere at all does not exist\.\n/],
])('the command line %j ends with 2 and nothing on standard output', (commandLine, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle, ...commandLine], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

interface Server {
  readonly client: Client;
  readonly transport: StdioClientTransport;
  /** What the client met on the wire that is no message. */
  readonly faults: Error[];
  readonly engines: () => Promise<number[]>;
}

/** With the tiny model and the workspace, unless `more` says otherwise; ended after the test. */
async function start(more: readonly string[] = []): Promise<Server> {
  const mark = randomUUID();
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bundle, '--device', 'cpu', '--model', model, '--workspace', workspace, ...more],
    env: { ...environment(), [markVariable]: mark, ASK_CODEBASE_CACHE: join(top, `cache ${mark}`) },
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '1' });
  const faults: Error[] = [];
  client.onerror = (error) => {
    // The client handles progress a turn later than an answer that came along with it, and then wonders.
    if (!error.message.startsWith('Received a progress notification for an unknown token'))
      faults.push(error);
  };
  server = { client, transport, faults, engines: () => enginesMarked(mark) };
  await client.connect(transport);
  // The client checks structured content against the schemas that it has been told.
  await client.listTools();
  return server;
}

function environment(): Record<string, string> {
  const given = Object.entries(process.env);
  return Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: Progress) => void;
}

function call({ client }: Server, args: Record<string, unknown>, options: CallOptions = {}) {
  const onprogress = { onprogress: () => undefined, resetTimeoutOnProgress: true };
  return client.callTool({ name: 'ask_codebase', arguments: args }, undefined, { ...onprogress, ...options });
}

async function manifestVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
