import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rotate } from '../../reference/rotation.ts';
import { writeTinyModel, type TinyModelOptions } from '../../reference/tinyModel.ts';
import {
  decode,
  keepCells,
  newKvCache,
  questionScores,
  truncate,
  type TwinKvCache,
} from '../../reference/twin.ts';
import { loadTwin, type Twin } from '../../reference/twinModel.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const folder = temporaryFolder();
const small: TinyModelOptions = {
  architecture: 'llama',
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  embedding: 64,
  feedForward: 96,
  contextLength: 512,
  weightType: 'f32',
  seed: 7,
};

/**
 * The next logits of tokens 97 to 101 after `chunk`, as llama.cpp computes them on the CPU with an f32 KV cache and
 * without flash attention.
 */
const models = {
  llama: { changes: {}, logits: [0.96089, -1.3937, 0.57677, -0.47372, 1.5958] },
  qwen2: { changes: { architecture: 'qwen2' }, logits: [0.70042, -0.45875, -0.11536, -0.5498, 0.88709] },
  'qwen3, tied, wide heads': {
    changes: { architecture: 'qwen3', headDim: 32, tiedEmbeddings: true },
    logits: [0.49638, -11.45146, 14.91435, -3.20871, -4.78684],
  },
  'llama, frequency factors': {
    changes: { ropeFactors: true },
    logits: [1.04058, -0.21591, -0.49399, -0.09672, 0.90185],
  },
  'qwen2, YaRN': {
    changes: { architecture: 'qwen2', yarn: { factor: 4, originalContext: 64 } },
    logits: [0.44785, 0.27509, -0.73096, -0.16169, 0.47911],
  },
  'llama, YaRN': {
    changes: { ropeBase: 1e5, yarn: { factor: 8, originalContext: 256 } },
    logits: [0.57777, -0.75277, 0.07522, -0.42958, 1.63667],
  },
} as const satisfies Record<string, { changes: Partial<TinyModelOptions>; logits: readonly number[] }>;

const cases = Object.entries(models).map(([name, { changes, logits }]) => {
  const path = join(folder, `${name}.gguf`);
  writeTinyModel(path, { ...small, ...changes });
  return { name, twin: loadTwin(path), logits };
});
const chunk = Array.from({ length: 40 }, (_, i) => 3 + ((i * 7919) % 390));
const question = [11, 200, 300, 45, 60];

function read(twin: Twin, tokens: readonly number[]): TwinKvCache {
  const kvCache = newKvCache(twin);
  decode(twin, kvCache, tokens, 0);
  return kvCache;
}

/** The logits after the question, which is forgotten again. */
function ask(twin: Twin, kvCache: TwinKvCache, position = kvCache.positions.length): Float64Array {
  return decode(twin, structuredClone(kvCache), question, position).logits;
}

function everywhere(twin: Twin, cells: readonly number[]): number[][][] {
  return twin.layers.map(() => Array.from({ length: twin.kvHeads }, () => [...cells]));
}

/** Every third cell, beginning elsewhere in each layer and head. */
function scattered(twin: Twin): number[][][] {
  return twin.layers.map((_, layer) =>
    Array.from({ length: twin.kvHeads }, (_, kvHead) =>
      Array.from({ length: 13 }, (_, t) => 3 * t + ((2 * layer + kvHead) % 3)),
    ),
  );
}

function relativeDistance(actual: Float64Array, expected: Float64Array): number {
  const squares = (x: Float64Array) => x.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(actual.map((value, i) => value - expected[i]!)) / squares(expected));
}

test.each(cases)("$name: the logits are llama.cpp's", ({ twin, logits }) => {
  const { logits: actual } = decode(twin, newKvCache(twin), chunk, 0);
  logits.forEach((logit, i) => expect(actual[97 + i]).toBeCloseTo(logit, 4));
});

test.each(cases)('$name: token by token or all at once is the same', ({ twin }) => {
  const stepwise = newKvCache(twin);
  chunk.forEach((token, position) => decode(twin, stepwise, [token], position));
  expect(relativeDistance(ask(twin, stepwise), ask(twin, read(twin, chunk)))).toBeLessThan(1e-12);
});

test.each(cases)('$name: attention rows sum to 1 and see nothing later', ({ twin }) => {
  const kvCache = read(twin, chunk);
  const { attention, queries } = decode(twin, kvCache, question, chunk.length);
  expect([attention.length, queries.length]).toEqual([twin.layers.length, twin.layers.length]);
  for (const rows of attention.flat())
    rows.forEach((weights, i) => {
      expect(weights.length).toBe(chunk.length + question.length);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(weights.findLastIndex((weight) => weight > 0)).toBe(chunk.length + i);
    });
});

test.each(cases)('$name: a question scores the cells before it', ({ twin }) => {
  const apart = decode(twin, read(twin, chunk), question, chunk.length);
  const together = decode(twin, newKvCache(twin), [...chunk, ...question], 0);
  const scores = questionScores(apart, question.length);
  questionScores(together, question.length).forEach((heads, layer) =>
    heads.forEach((cells, head) => {
      expect(cells.length).toBe(chunk.length);
      expect(relativeDistance(scores[layer]![head]!, cells)).toBeLessThan(1e-12);
      // What the rows do not give to earlier cells, they give to the question's own.
      const own = apart.attention[layer]![head]!.flatMap((row) => [...row.slice(chunk.length)]);
      const total = [...cells, ...own].reduce((sum, weight) => sum + weight, 0);
      expect(total).toBeCloseTo(question.length, 12);
    }),
  );
});

test.each(cases)('$name: keeping everything changes nothing', ({ twin }) => {
  const kvCache = read(twin, chunk);
  const before = ask(twin, kvCache);
  keepCells(twin, kvCache, everywhere(twin, [...chunk.keys()]));
  expect(relativeDistance(ask(twin, kvCache), before)).toBeLessThan(1e-12);
});

test.each(cases)('$name: a kept key is the original key at its new position', ({ twin }) => {
  const original = read(twin, chunk);
  const keep = scattered(twin);
  const kept = structuredClone(original);
  keepCells(twin, kept, keep);
  expect(kept.positions).toEqual([...Array(13).keys()]);
  const built: TwinKvCache = {
    positions: [...Array(13).keys()],
    cells: keep.map((heads, layer) =>
      heads.map((cells, kvHead) =>
        cells.map((cell, t) => {
          const from = original.cells[layer]![kvHead]![cell]!;
          return { ...from, key: rotate(twin.layers[layer]!.rotation, from.unrotatedKey, t) };
        }),
      ),
    ),
  };
  expect(relativeDistance(ask(twin, kept), ask(twin, built))).toBe(0);
  expect(relativeDistance(ask(twin, kept), ask(twin, original))).toBeGreaterThan(1e-3);
});

test.each(cases)('$name: moving all kept cells alike is moving the question', ({ twin }) => {
  const kvCache = read(twin, chunk);
  const left = 10;
  // The same cells, left where they were, and the question where it would have been.
  const unmoved: TwinKvCache = {
    positions: kvCache.positions.slice(left),
    cells: kvCache.cells.map((heads) => heads.map((cells) => cells.slice(left))),
  };
  const expected = ask(twin, unmoved, chunk.length);
  keepCells(twin, kvCache, everywhere(twin, [...chunk.keys()].slice(left)));
  expect(relativeDistance(ask(twin, kvCache), expected)).toBeLessThan(1e-12);
});

test.each(cases)('$name: keeping in two steps is keeping at once', ({ twin }) => {
  const twice = read(twin, chunk);
  keepCells(twin, twice, scattered(twin));
  keepCells(twin, twice, everywhere(twin, [0, 4, 5, 12]));
  const once = read(twin, chunk);
  keepCells(
    twin,
    once,
    scattered(twin).map((heads) => heads.map((cells) => [0, 4, 5, 12].map((t) => cells[t]!))),
  );
  expect(relativeDistance(ask(twin, twice), ask(twin, once))).toBe(0);
});

test.each(cases)('$name: what is truncated is forgotten', ({ twin }) => {
  const kvCache = read(twin, chunk);
  const before = ask(twin, kvCache);
  decode(twin, kvCache, question, chunk.length);
  truncate(kvCache, chunk.length);
  expect(relativeDistance(ask(twin, kvCache), before)).toBe(0);
});

test.each([
  ['descending', [[[2, 1]]]],
  ['twice the same', [[[1, 1]]]],
  ['beyond the last cell', [[[1, 40]]]],
  ['below the first cell', [[[-1, 1]]]],
  ['fewer in one head', [[[1, 2], [1]]]],
])('cells to keep that are %s are refused', (_, keep) => {
  const { twin } = cases[0]!;
  expect(() => keepCells(twin, read(twin, chunk), keep)).toThrow(
    /layer 0, KV head [01]: pass [12] ascending/,
  );
});

test('a position that is taken, a token that is none and an empty batch are refused', () => {
  const { twin } = cases[0]!;
  expect(() => decode(twin, read(twin, chunk), question, 39)).toThrow(/position 39 is taken: start after 39/);
  expect(() => decode(twin, newKvCache(twin), [100_000], 0)).toThrow(/token 100000 is not one/);
  expect(() => decode(twin, newKvCache(twin), [], 0)).toThrow(/no tokens to decode/);
});
