/** The test of a machine, and what is told of an engine that stepped down; only the engine is a stand-in. */
import { describe, expect, test } from 'vitest';
import { errors } from '../../extension/errors.ts';
import type { EngineNotice } from '../../extension/protocol/engine.ts';
import { cudaErrors } from '../../extension/cuda/cudaErrors.ts';
import { noticeSentence } from '../../extension/terminal/noticeSentence.ts';
import { testMachine, type MachineTest } from '../../extension/testMachine.ts';
import { answered, lines, makeFiles, partsWith, request, shop } from './askedQuestions.ts';
import { loaded, result, standInEngine, untilAborted, type Faults } from './standInEngine.ts';

const steppedDown: EngineNotice = {
  ...{ kind: 'steppedDown', where: 'Vulkan0', chunkTokens: 256, offloadedLayers: 12, layers: 30 },
  ...{ neededBytes: 3 * 2 ** 30, freeBytes: 2 ** 30 },
};

describe('the test of a machine', () => {
  const run = async (
    files: Readonly<Record<string, string>>,
    faults: Faults,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<MachineTest> => {
    await makeFiles(files);
    return testMachine(request(), partsWith(standInEngine(faults)), () => undefined, signal);
  };
  const statistics = {
    ...result.statistics,
    ...{
      prefillTokens: 2_000,
      prefillSeconds: 4,
      generatedTokens: 30,
      generateSeconds: 2,
      peakEngineBytes: 7e8,
    },
  };
  const measured: Faults = { ask: () => Promise.resolve({ ...result, statistics }) };

  test('gives the speeds that the engine measured, and what the workspace would take', async () => {
    // Two characters are a token of the stand-in.
    const text = lines(100, (n) => `const a${n} = ${n};`);
    const files = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`src/file${n}.ts`, text]));
    const { workspace, ...speeds } = await run(files, measured);
    expect(speeds).toMatchObject({
      ...{ readingTokensPerSecond: 500, answeringTokensPerSecond: 15, peakEngineBytes: 7e8 },
      loaded: { modelName: loaded.modelName },
    });
    expect(workspace.files).toBe(90);
    expect(workspace.tokens / ((90 * text.length) / 2)).toBeCloseTo(1, 2);
    expect(workspace.seconds).toBeCloseTo(workspace.tokens / 500);
    expect(workspace.automaticTokens).toBe(8 * request().tokenBudget);
    expect(workspace.automaticSeconds).toBeCloseTo(workspace.automaticTokens / 500);
  });

  test('of an empty workspace reads nothing of it', async () => {
    const { workspace } = await run({ 'a.png': '' }, measured);
    expect(workspace).toMatchObject({ tokens: 0, automaticTokens: 0, seconds: 0 });
  });

  test('is cancelled', async () => {
    const stop = new AbortController();
    const ask: Faults['ask'] = (params, tell, signal) => {
      setTimeout(() => stop.abort(), 1);
      return untilAborted(params, tell, signal);
    };
    await expect(run(shop, { ask }, stop.signal)).rejects.toMatchObject({ reason: 'cancelled' });
  });

  test('ends with the failure of the engine', async () => {
    const load: Faults['load'] = () => Promise.reject(errors.notEnoughMemory(2, 1, 'this machine'));
    await expect(run(shop, { load })).rejects.toMatchObject({ reason: 'notEnoughMemory' });
  });
});

test('a question tells what the engine says of its memory and devices', async () => {
  const shorter: EngineNotice = {
    kind: 'shorterChunks',
    chunkTokens: 128,
    why: { template: 'it is full', args: [] },
  };
  const { events } = await answered(shop, {
    load: () => ({ ...loaded, notices: [steppedDown] }),
    ask: () => Promise.resolve({ ...result, notices: [shorter] }),
  });
  expect(events.flatMap((event) => (event.event === 'notice' ? [event.notice] : []))).toEqual([
    steppedDown,
    shorter,
  ]);
});

test.each([
  [
    steppedDown,
    'The model runs with less memory than usual (12 of 30 layers on a GPU, chunks of 256 tokens): 3.00 GiB would be needed and Vulkan0 has 1.00 GiB free.',
  ],
  [
    { kind: 'cudaLeftOut', instead: 'Vulkan0', why: cudaErrors.noToolkit(['blas.so.13'], ['blas.so.12']) },
    'CUDA cannot run here: neither blas.so.13 (CUDA 13) nor blas.so.12 (CUDA 12) is found. Vulkan0 is used instead. Install what is missing, or name the device vulkan or cpu.',
  ],
  [
    { kind: 'deviceLeftOut', device: 'Vulkan0', why: 'its rotation came out wrong' },
    'The device Vulkan0 is not used: its rotation came out wrong.',
  ],
  [
    { kind: 'shorterChunks', chunkTokens: 128, why: { template: '{0} ran out', args: ['the memory'] } },
    'It is read in chunks of 128 tokens: the memory ran out.',
  ],
] satisfies [EngineNotice, string][])('%o is told in one sentence', (notice, sentence) => {
  expect(noticeSentence(notice)).toBe(sentence);
});
