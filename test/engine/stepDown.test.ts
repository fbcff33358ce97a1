/** A question for whose context the memory is not enough: shorter chunks, or the numbers. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer } from '../../extension/engine/answer.ts';
import { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import { errors } from '../../extension/errors.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import { modelSize } from '../../extension/models/memoryEstimate.ts';
import type { AskParams } from '../../extension/protocol/engine.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import { tinyOptions } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { ownSource } from './engineProcess.ts';

const modelPath = join(temporaryFolder(), 'model.gguf');
const settings = {
  ...{ contextSize: 1024, chunkTokens: 512, tokenBudget: 64, batchTokens: 512, questionTokens: 64 },
};
const params: AskParams = {
  ...{ requestId: 'q', question: 'What is a position?', history: [], answerSoFar: '' },
  passages: [ownSource('extension/engine/numbers.ts')],
  ...{ preset: 'paper', tokenBudget: 64, maxAnswerTokens: 1, temperature: 0, seed: 1 },
};
const hooks = { signal: new AbortController().signal, progress: () => undefined, text: () => undefined };
let engine: LoadedEngine;

beforeAll(() => {
  writeTinyModel(modelPath, tinyOptions);
  const size = modelSize(readGgufHeader(modelPath));
  engine = new LoadedEngine(modelPath, { device: 'cpu', memory: { size, settings } }, null);
});
afterAll(() => engine.dispose());

test('the chunk halves until the context is made, and the answer says so', async () => {
  const open = engine.open.bind(engine);
  const asked: number[] = [];
  // Memory for a little less than is asked for first.
  let room: number | undefined;
  engine.open = (cells, rows, outputs) => {
    asked.push(cells);
    room ??= rows - 20;
    if (rows > room) throw errors.memoryRanOut(cells);
    return open(cells, rows, outputs);
  };
  try {
    const result = await answer(engine, params, hooks);
    expect(result).toMatchObject({
      outcome: 'answered',
      notices: [
        {
          kind: 'shorterChunks',
          chunkTokens: engine.chunkTokens,
          why: { template: expect.stringMatching(/No memory/) as string, args: [expect.any(Number)] },
        },
      ],
    });
    expect(engine.chunkTokens).toBeLessThan(settings.chunkTokens);
    expect(asked.length).toBeGreaterThan(1);
    expect(asked).toEqual([...asked].sort((a, b) => b - a));
    // What was found out holds: the next question begins there.
    asked.length = 0;
    expect(await answer(engine, params, hooks)).not.toHaveProperty('notices');
    expect(asked).toHaveLength(1);
  } finally {
    engine.open = open;
  }
});

test('a context for which the memory is not enough is refused before it is made, with both numbers', () => {
  const shape = { ...modelSize(readGgufHeader(modelPath)).shape, kvHeads: 2 ** 24 };
  const huge = new LoadedEngine(
    modelPath,
    { device: 'cpu', memory: { size: { ...modelSize(readGgufHeader(modelPath)), shape }, settings } },
    null,
  );
  try {
    expect(() => huge.open(1024, 600)).toThrow(
      /The model needs about \d+\.\d\d GiB and this machine has \d+\.\d\d GiB free/,
    );
  } finally {
    huge.dispose();
  }
});
