/** A model of the hub in a terminal: its size first, Ctrl-C pauses, and the next call goes on and answers. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { hubFile, startFaultyServer, stopAt, type Answer } from '../unit/models/faultyServer.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { runAsk, type AskRun } from './askCommand.ts';
import { buildBundles } from './engineProcess.ts';

const folder = temporaryFolder();
const workspace = join(folder, 'workspace');
const cache = join(folder, 'cache');
const partPath = join(cache, 'models/huggingface/owner/tiny/main/tiny.gguf.part');
writeTinyModel(join(folder, 'tiny.gguf'), tinyOptions);
const content = readFileSync(join(folder, 'tiny.gguf'));
const half = Math.floor(content.length / 2);

/** The first time it sends half, and then nothing until Ctrl-C is pressed. */
let first: AskRun | undefined;
const answer: Answer = (request, response) => {
  const isFirst = request.url === '/cdn' && first === undefined;
  if (!isFirst) return hubFile(content, '/owner/tiny/resolve/main/tiny.gguf')(request, response);
  first = run;
  return stopAt(content, half, partPath, () => first?.signalGroup('SIGINT'))(request, response);
};
const hub = await startFaultyServer(answer);
let run: AskRun;
const ask = (): AskRun => {
  const options = ['--device', 'cpu', '--reading-limit', '500', '--max-answer-tokens', '2'];
  const model = ['--model', 'hf:owner/tiny/tiny.gguf'];
  run = runAsk([...options, ...model, 'What does a ticket cost?'], {
    cwd: workspace,
    env: { ASK_CODEBASE_CACHE: cache, HF_ENDPOINT: new URL(hub.url).origin, NO_COLOR: '1' },
  });
  return run;
};

beforeAll(() => {
  buildBundles();
  mkdirSync(workspace);
  writeFileSync(join(workspace, 'tickets.md'), 'A ticket costs 7.\n');
});
afterAll(() => hub.close());

test('Ctrl-C pauses a download, and the next call goes on from there', async () => {
  const paused = await ask().ended;
  expect(paused.code).toBe(130);
  expect(paused.stderr).toMatch(
    /^Downloading the model: \d+ MB, .*from 127\.0\.0\.1.*\. Ctrl-C pauses: the next call/m,
  );
  expect(paused.stderr).toContain('of the model are kept: the next call goes on from there.');
  expect(statSync(partPath).size).toBe(half);

  const answered = await ask().ended;
  expect(answered.stderr).toMatch(/^Downloading the model: \d+ MB, of which \d+ MB are here, from/m);
  expect(answered).toMatchObject({ code: 0, signal: null });
  expect(hub.ranges.at(-1)).toBe(`bytes=${half}-`);
});
