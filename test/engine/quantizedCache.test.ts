/** The KV cache in q8_0: what is done to its rows is what is done to rows of f16, but for q8_0's rounding. */
import { expect, test, vi } from 'vitest';
import { CacheOperations } from '../../extension/engine/llama/cacheOperations.ts';
import { LlamaContext } from '../../extension/engine/llama/llamaContext.ts';
import { createTestedDevices } from '../../extension/engine/devices.ts';
import { loadFitting } from '../../extension/engine/loadFitting.ts';
import { compressSuite } from '../compressSuite.ts';
import { familySuite } from '../familySuite.ts';
import { numericsSuite } from '../numericsSuite.ts';
import { readingSuite } from '../readingSuite.ts';
import { hadamard } from '../reference/hadamard.ts';
import { mostQ8Error } from '../reference/q8.ts';
import { writeTinyModel } from '../reference/tinyModel.ts';
import {
  ofLayers,
  openTinyEngine,
  randomCells,
  randomTokens,
  readKeys,
  tinyModels,
  tinyOptions,
  type TinyModelName,
} from '../tinyEngine.ts';
import { decode, keepCells, newKvCache } from '../reference/twin.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';

const placement = { device: 'cpu', kvCacheType: 'q8_0' } as const;
const folder = temporaryFolder();
const chunk = randomTokens(120, 1);

// Heads of 64 values are multiplied by a Walsh-Hadamard matrix, those of 32 are not.
numericsSuite(placement, [false, false, false], ['llama', 'llama, YaRN', 'mistral']);
familySuite(placement, [
  'llama, frequency factors',
  'llama, long heads',
  'qwen3',
  'smollm3',
  'phi3, partial rotary, long context',
  'gemma3',
]);
// A line of 20 tokens is a third of the budget: where two have nearly the same score, rounding decides.
compressSuite(placement, 5e-2, 'llama', undefined, 0.15);
compressSuite(placement, 5e-2, 'mistral', undefined, 0.15);
readingSuite(placement, ['llama', 'mistral', 'gemma3']);

/** Of those by which rounding the scale to f16 and the graph's f32 may move a value as well. */
const slack = 1.01;

// Those of the first layer alone are what the model makes of the tokens, and nothing that was rounded before.
test.each<TinyModelName>(['llama', 'llama, YaRN', 'llama, long heads', 'mistral'])(
  '%s: each key of the first layer is off by two roundings at most, kept once or ten times',
  (name) => {
    const tiny = openTinyEngine(folder, placement, tinyModels[name]);
    const { engine, context, operations, twin } = tiny;
    const side = context.layouts()[0]!.hadamard;
    const stored = (key: Float64Array): Float64Array => (side === null ? key : hadamard(key, side));
    const read = newKvCache(twin);
    decode(twin, read, chunk, 0);
    context.decode(chunk, { logits: 'none' });
    operations.rememberKeys(0, chunk.length);
    let first = Array.from({ length: twin.kvHeads }, () => Int32Array.from(chunk.keys()));
    const shares = [1, 10].map((times) => {
      // The first keys stay what they are, so going on from them is keeping once more.
      for (let time = 0; time < times; time++) {
        const kept = first.map((list, kvHead) =>
          randomCells(list.length, list.length - 6, 100 * time + kvHead),
        );
        const next = kept.map((cells, kvHead) => cells.map((cell) => first[kvHead]![cell]!));
        operations.keep(
          ofLayers(twin, () => kept),
          ofLayers(twin, () => next),
        );
        first = next;
      }
      const expected = structuredClone(read);
      keepCells(
        twin,
        expected,
        twin.layers.map(() => first),
      );
      const keys = readKeys(tiny, context.length)[0]!;
      return Math.max(
        ...keys.flatMap((ofHead, kvHead) =>
          Array.from(first[kvHead]!, (cell, position) => {
            const { key } = expected.cells[0]![kvHead]![position]!;
            const actual = ofHead.subarray(position * key.length, (position + 1) * key.length);
            const written = read.cells[0]![kvHead]![cell]!.key;
            const allowed = mostQ8Error(stored(written)) + mostQ8Error(stored(key));
            return Math.hypot(...actual.map((value, i) => value - key[i]!)) / allowed;
          }),
        ),
      );
    });
    engine.dispose();
    console.log(
      `${name}: largest share of two roundings ${shares.map((share) => share.toFixed(3)).join(', ')}`,
    );
    for (const share of shares) expect(share).toBeLessThan(slack);
    expect(shares[1]! / shares[0]!).toBeLessThan(1.2);
  },
);

test.each<[name: TinyModelName, side: number | null]>([
  ['llama', 64],
  // The largest power of two that 192 is a multiple of.
  ['llama, long heads', 64],
  ['mistral', null],
])('the keys of %s are multiplied by a matrix of side %s', (name, side) => {
  const { engine, context } = openTinyEngine(folder, placement, tinyModels[name]);
  expect(context.layouts().map(({ hadamard }) => hadamard)).toEqual([side, side, side]);
  engine.dispose();
});

test('it takes 17 of 32 bytes', () => {
  const [f16, q8] = ([{ device: 'cpu' }, placement] as const).map((where) => {
    const { engine, context, operations } = openTinyEngine(folder, where);
    const bytes = { cell: context.cellBytes, firstKeys: operations.firstKeysBytes };
    engine.dispose();
    return bytes;
  });
  expect(q8!.cell / f16!.cell).toBe(17 / 32);
  expect(q8!.firstKeys / f16!.firstKeys).toBeCloseTo(17 / 32, 3);
});

test('a device that lacks an operation on such rows is refused by name, and takes f16', () => {
  const { engine } = openTinyEngine(folder, { device: 'cpu' });
  const { functions } = engine.library;
  const asked = vi.spyOn(functions, 'ggml_backend_dev_supports_op').mockReturnValue(false);
  const open = (cacheType: 'f16' | 'q8_0'): void => {
    const context = new LlamaContext(engine.model, { contextSize: 256, cacheType });
    try {
      new CacheOperations(context, 64).dispose();
    } finally {
      context.dispose();
    }
  };
  try {
    expect(() => open('q8_0')).toThrow(
      'A KV cache of type q8_0 cannot be used with CPU: it has no operation GET_ROWS for such rows',
    );
    expect(() => open('f16')).not.toThrow();
  } finally {
    asked.mockRestore();
    engine.dispose();
  }
});

test('a model whose heads are no whole blocks is refused before it is loaded', async () => {
  const modelPath = `${folder}/short.gguf`;
  writeTinyModel(modelPath, { ...tinyOptions, headDim: 48 });
  const loading = loadFitting(
    { modelPath, device: 'cpu', kvCacheType: 'q8_0' },
    createTestedDevices(() => null),
    console.error,
  );
  await expect(loading).rejects.toThrow(
    /of type q8_0 cannot be used with .*short\.gguf: each of its heads has 48 values/,
  );
});

test('the index of a model does not depend on the type', () => {
  const ranking = [{ layer: 0, head: 1 }];
  const [f16, q8] = ([{ device: 'cpu' }, placement] as const).map((where) => {
    const { engine } = openTinyEngine(folder, where);
    engine.useHeads({ evidence: null, ranking, focus: null });
    const { identity, index } = engine;
    engine.dispose();
    return { identity, served: index !== null };
  });
  expect(q8).toEqual(f16);
  expect(q8!.served).toBe(true);
});
