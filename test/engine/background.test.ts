/** A question that finds an explanation being made: who is served first by the engine's own process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EngineClient } from '../../extension/engineClient/engineClient.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { askEngine, buildBundles, ownSource, startBundledEngine } from './engineProcess.ts';

const short = [ownSource('extension/engine/numbers.ts')];
const long = [ownSource('extension/engine/server.ts'), ownSource('extension/engine/answer.ts')];

let folder: string;
let engine: EngineClient;

beforeAll(async () => {
  buildBundles();
  folder = await mkdtemp(join(tmpdir(), 'ask background '));
  const modelPath = join(folder, 'tiny.gguf');
  writeTinyModel(modelPath, tinyOptions);
  engine = await startBundledEngine();
  await engine.request('load', { modelPath, device: 'cpu' });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

test('a question goes before the explanation that is being read for, which is made afterwards', async () => {
  /** Whose progress was told, in its order, each change once. */
  const served: string[] = [];
  const isRead = new Promise<void>((resolve) => {
    engine.onProgress(({ requestId, stage }) => {
      if (served.at(-1) !== requestId) served.push(requestId);
      if (requestId === 'explanation' && stage === 'reading') resolve();
    });
  });
  const texts: string[] = [];
  engine.onText(({ requestId }) => texts.push(requestId));
  const waiting: string[][] = [];
  engine.onQueue((queue) => waiting.push(queue.waiting.map(({ kind }) => kind)));
  const answered: string[] = [];
  const ask = async (requestId: string, params: Parameters<typeof askEngine>[1]): Promise<string> => {
    const { text } = await askEngine(engine, { requestId, ...params });
    answered.push(requestId);
    return text;
  };

  const states = { path: join(folder, 'states'), capBytes: 1e9 };
  const explanation = ask('explanation', { passages: long, background: true, states });
  await isRead;
  const behind = ask('another explanation', { passages: short, background: true });
  const question = ask('question', { passages: short });
  expect(await question).not.toBe('');
  expect(await explanation).not.toBe('');
  await behind;

  expect(answered).toEqual(['question', 'explanation', 'another explanation']);
  expect(served).toEqual(['explanation', 'question', 'explanation', 'another explanation']);
  expect(waiting).toContainEqual(['background', 'background']);
  // What is made in the background says nothing before it is whole.
  expect(new Set(texts)).toEqual(new Set(['question']));
});
