/** Model files that cannot be used, and Stop, each against the engine's own process. */
import { mkdir, mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { copyFile, readFile, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EngineClient } from '../../extension/engineClient/engineClient.ts';
import { isAskError, type AskError, type ErrorReason } from '../../extension/errors.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { uniforms } from '../reference/random.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import {
  askEngine,
  buildBundles,
  hasInferenceLibrary,
  ownSource,
  startBundledEngine,
} from './engineProcess.ts';

/** The design's bound is one second; a machine that has other work too gets more. */
const stopsWithinMs = 5_000;

let folder: string;
let smolLm2: string;
let tiny: string;
let engine: EngineClient;

beforeAll(async () => {
  buildBundles();
  smolLm2 = await smolLm2Path();
  folder = await mkdtemp(join(tmpdir(), 'ask faults '));
  tiny = join(folder, 'tiny.gguf');
  writeTinyModel(tiny, {
    ...{
      architecture: 'llama',
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 64,
      embedding: 64,
      feedForward: 96,
    },
    ...{ contextLength: 2048, weightType: 'f16', seed: 1 },
  });
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  engine = await startBundledEngine();
});
afterEach(() => engine.dispose());

/**
 * A tensor whose bytes are damaged is not among these: any bytes are weights. The checksum of the download tells such
 * a file, and the format holds none.
 */
const unusable: readonly [
  what: string,
  make: (path: string) => Promise<unknown>,
  reason: ErrorReason,
  message: RegExp,
][] = [
  ['missing', () => Promise.resolve(), 'modelNotFound', /does not exist/],
  ['a folder', (path) => mkdir(path), 'modelCorrupt', /it is a folder/],
  ['empty', (path) => writeFile(path, ''), 'modelCorrupt', /0 bytes|empty|GGUF/],
  [
    'truncated by one byte',
    (path) => cut(path, tiny, (bytes) => bytes - 1),
    'modelCorrupt',
    /bytes, at least \d+ expected/,
  ],
  [
    'truncated to half',
    (path) => cut(path, smolLm2, (bytes) => bytes / 2),
    'modelCorrupt',
    /bytes, at least \d+ expected/,
  ],
  ['truncated within the metadata', (path) => cut(path, smolLm2, () => 5_000), 'modelCorrupt', /./],
  ['with a damaged header', (path) => damage(path, 8, 200), 'modelCorrupt', /./],
  ['with damaged descriptions of the tensors', damageTensorEntries, 'modelCorrupt', /./],
  ['source code', (path) => writeFile(path, 'export const answer = 42;\n'), 'modelCorrupt', /GGUF/],
  [
    'in the format of PyTorch',
    (path) => writeFile(path, Buffer.from('PK\u0003\u0004archive/data.pkl')),
    'modelCorrupt',
    /GGUF/,
  ],
  [
    'of a family that is not served',
    (path) => renameFamily(path),
    'modelNotServed',
    /bloom marks positions by/,
  ],
];

describe('a model file is refused before its weights are loaded:', () => {
  test.each(unusable)('%s', async (what, make, reason, message) => {
    const path = join(folder, `${what}.gguf`);
    const made = await make(path);
    const modelPath = typeof made === 'string' ? made : path;
    const failure = await failureOf(engine.request('load', { modelPath, device: 'cpu' }));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(modelPath);
    expect(failure.message).toMatch(message);
    expect(hasInferenceLibrary(engine.pid)).toBe(false);

    await engine.request('load', { modelPath: tiny, device: 'cpu' });
    expect(hasInferenceLibrary(engine.pid)).toBe(true);
    const answer = await askEngine(engine, { passages: [ownSource('extension/engine/numbers.ts')] });
    expect(answer.statistics.generatedTokens).toBeGreaterThan(0);
  });

  test('and the model that was loaded before is not', async () => {
    await engine.request('load', { modelPath: tiny, device: 'cpu' });
    await failureOf(engine.request('load', { modelPath: join(folder, 'none.gguf'), device: 'cpu' }));
    const failure = await failureOf(askEngine(engine, { passages: [ownSource('extension/errors.ts')] }));
    expect(failure).toMatchObject({
      reason: 'engineNotStarted',
      message: expect.stringContaining('no model') as string,
    });
  });
});

describe('Stop', () => {
  const short = [ownSource('extension/engine/numbers.ts')];
  const long = [ownSource('extension/engineClient/engineClient.ts')];

  test.each([
    { stage: 'reading', passages: long },
    { stage: 'answering', passages: short },
  ])('while $stage acts soon, and the next question is answered', async ({ stage, passages }) => {
    await engine.request('load', { modelPath: smolLm2, device: 'cpu' });
    const controller = new AbortController();
    let stopped = Infinity;
    const stages: string[] = [];
    engine.onProgress((progress) => {
      stages.push(progress.stage);
      if (progress.stage !== stage || controller.signal.aborted) return;
      stopped = performance.now();
      controller.abort();
    });
    const question = askEngine(engine, { passages, maxAnswerTokens: 200 }, controller.signal);
    expect(await failureOf(question)).toMatchObject({ reason: 'cancelled' });
    const milliseconds = performance.now() - stopped;
    console.log(`Stop while ${stage} took ${milliseconds.toFixed(0)} ms`);
    expect(milliseconds).toBeLessThan(stopsWithinMs);
    expect(stages.at(-1)).toBe(stage);

    const answer = await askEngine(engine, { passages: short });
    expect(answer.statistics.generatedTokens).toBeGreaterThan(0);
    expect(answer.text).not.toBe('');
  });
});

async function failureOf(work: Promise<unknown>): Promise<AskError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isAskError(failure))
    throw new Error('It did not fail with an error of the catalogue', { cause: failure });
  return failure;
}

async function cut(path: string, from: string, length: (bytes: number) => number): Promise<void> {
  await copyFile(from, path);
  const { size } = await withFile(path, (file) => file.stat());
  await truncate(path, Math.floor(length(size)));
}

/** Overwrites bytes of a good file with random ones. */
async function damage(path: string, offset: number, length: number): Promise<void> {
  await copyFile(tiny, path);
  const random = uniforms(7);
  const noise = Uint8Array.from({ length }, () => 256 * random());
  await withFile(path, (file) => file.write(noise, 0, length, offset));
}

async function damageTensorEntries(path: string): Promise<void> {
  const offset = (await readFile(tiny)).indexOf('token_embd.weight');
  await damage(path, offset, 100);
}

/** The good file under the name of a family whose positions are marked in another way. */
async function renameFamily(path: string): Promise<void> {
  const bytes = await readFile(tiny, 'latin1');
  await writeFile(path, bytes.replaceAll('llama', 'bloom'), 'latin1');
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r+');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
