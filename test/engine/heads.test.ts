/** The heads of a model without an entry: found once, kept, and found on where the search was stopped. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CalibrationFunction } from '../../extension/engine/heads/calibrationFunctions.ts';
import { createEngineHandlers } from '../../extension/engine/handlers.ts';
import { createHeadFinder, type HeadFinder } from '../../extension/engine/heads/findHeads.ts';
import { writeHeads } from '../../extension/engine/heads/headsFile.ts';
import { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import { writeTinyModel, type TinyModelOptions } from '../reference/tinyModel.ts';
import { steadyPace, tinyModels, tinyOptions } from '../tinyEngine.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const found = {
  evidence: [{ layer: 1, head: 2 }],
  ranking: [
    { layer: 0, head: 3 },
    { layer: 1, head: 0 },
  ],
  focus: 0.02,
};
/** Two documents of nine. */
const functions = Array.from({ length: 18 }, (_, i): CalibrationFunction => {
  const text = `function part${i}() {\n  return ${i * 37};\n}\n`;
  return {
    passage: { workspace: '', path: `part${i}.ts`, startLine: 1, endLine: 3, text },
    description: `Gives ${i * 37}`,
  };
});
const { signal } = new AbortController();
const temporary = temporaryFolder();

describe('the heads of a model', () => {
  const folder = temporaryFolder();
  const engines: LoadedEngine[] = [];
  afterAll(() => engines.forEach((engine) => engine.dispose()));
  const logged: string[] = [];

  /** A model of its own for each name. */
  function load(
    name: string,
    heads: string,
    changes: Partial<TinyModelOptions> = {},
  ): { engine: LoadedEngine; finder: HeadFinder; kept: () => string[]; folder: string } {
    const path = join(folder, `${name}.gguf`);
    writeTinyModel(path, { ...tinyOptions, ...changes, seed: name.length });
    const engine = new LoadedEngine(path, { device: 'cpu' }, null);
    Object.assign(engine, { pace: steadyPace() });
    engines.push(engine);
    const headsFolder = join(folder, heads);
    const finder = createHeadFinder(engine, headsFolder, (line) => logged.push(line), functions);
    return { engine, finder, folder: headsFolder, kept: () => readdirSync(headsFolder) };
  }

  /** Batches that go through the model while it is looked for. @param onBatch told of their number so far */
  async function batchesOf(
    { engine, finder }: Pick<ReturnType<typeof load>, 'engine' | 'finder'>,
    onBatch: (batches: number) => void = () => undefined,
    signal = new AbortController().signal,
  ): Promise<number> {
    let batches = 0;
    const speed = { configurable: true, get: () => 100_000, set: () => onBatch(++batches) };
    Object.defineProperty(engine.pace, 'tokensPerSecond', speed);
    await finder.find(signal);
    return batches;
  }

  test.each<[name: string, changes: Partial<TinyModelOptions>]>([
    ['with windows', tinyModels.gemma3],
    ['without rotation in some layers', tinyModels.smollm3],
  ])('are looked for once, and that a random model has none is kept: %s', async (name, changes) => {
    const first = load(name, name, changes);
    await first.finder.restore();
    expect(first.engine.knowsHeads).toBe(false);
    expect(await batchesOf(first)).toBeGreaterThan(0);
    expect(first.engine).toMatchObject({ knowsHeads: true, evidenceHeads: null, index: null });
    expect(first.kept()).toEqual([first.engine.fingerprint]);

    const second = load(name, name, changes);
    expect(await batchesOf(second)).toBe(0);
    expect(second.engine).toMatchObject({ knowsHeads: true, evidenceHeads: null });
  });

  test('are used when they are there, and are those of one model alone', async () => {
    const { engine, finder, folder: heads } = load('has heads', 'there');
    await writeHeads(heads, engine.fingerprint, found, (line) => logged.push(line));
    await finder.restore();
    expect(engine.evidenceHeads).toEqual(found.evidence);
    expect(engine.index).not.toBeNull();

    const other = load('is another model', 'there');
    await other.finder.restore();
    expect(other.engine.knowsHeads).toBe(false);
    writeFileSync(join(heads, other.engine.fingerprint), readFileSync(join(heads, engine.fingerprint)));
    await other.finder.restore();
    expect(other.engine.knowsHeads).toBe(false);
  });

  test.each<[name: string, damage: (bytes: Buffer) => Buffer]>([
    ['cut off', (bytes) => bytes.subarray(0, 30)],
    ['damaged', (bytes) => bytes.fill(7, 40, 44)],
    ['foreign', () => Buffer.from('heads that somebody wrote')],
  ])('are looked for again when what is kept is %s', async (name, damage) => {
    const { engine, finder, folder: heads } = load(name, name);
    await writeHeads(heads, engine.fingerprint, found, (line) => logged.push(line));
    const path = join(heads, engine.fingerprint);
    writeFileSync(path, damage(readFileSync(path)));
    await finder.restore();
    expect(engine.knowsHeads).toBe(false);
    expect(logged.at(-1)).toContain('is not used');
    await finder.find(signal);
    expect(engine).toMatchObject({ knowsHeads: true, evidenceHeads: null });
    await load(name, name).finder.restore();
  });

  test('are looked for on, where that was stopped', async () => {
    const whole = await batchesOf(load('whole', 'whole'));
    const { engine, finder, folder: heads } = load('stopped', 'stopped');
    const stop = new AbortController();
    const stopAt = (batches: number): void => (batches >= 0.75 * whole ? stop.abort() : undefined);
    await expect(batchesOf({ engine, finder }, stopAt, stop.signal)).rejects.toMatchObject({
      reason: 'cancelled',
    });
    expect(engine.knowsHeads).toBe(false);
    expect(() => readdirSync(heads)).toThrow('ENOENT');
    expect(await batchesOf({ engine, finder })).toBeLessThan(0.6 * whole);
    expect(engine.knowsHeads).toBe(true);
  });
});

test('the engine finds them when it is asked to, keeps them, and knows them the next time', async () => {
  const modelPath = join(temporary, 'tiny.gguf');
  // Its window has no room for the functions, so that it has none, which is known at once.
  writeTinyModel(modelPath, tinyOptions);
  const headsFolder = join(temporary, 'heads');
  const states = { path: join(temporary, 'states'), capBytes: 1e9 };
  for (const knowsHeads of [false, true]) {
    const handlers = createEngineHandlers({ headsFolder });
    try {
      await handlers.load({ modelPath, device: 'cpu' }, signal);
      const indexed = await handlers.findIndexed({ states, files: [] }, signal);
      expect(indexed).toEqual({ served: false, knowsHeads, indexed: [] });
      await handlers.findHeads({ background: true }, signal);
      expect(await handlers.findIndexed({ states, files: [] }, signal)).toMatchObject({ knowsHeads: true });
      expect(readdirSync(headsFolder)).toHaveLength(1);
    } finally {
      await handlers.dispose();
    }
  }
});
