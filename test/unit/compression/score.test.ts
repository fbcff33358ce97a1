import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompressionOptions, presetOptions } from '../../../extension/engine/compression/options.ts';
import {
  calibrated,
  listOfHead,
  listScope,
  listScores,
  meanOfRows,
  pool,
  rowWeights,
  scoredLayers,
} from '../../../extension/engine/compression/score.ts';
import type { LayerLayout } from '../../../extension/engine/llama/attentionProbe.ts';

const own = presetOptions('perHead', 512, null);
const heads = [
  { layer: 0, head: 1 },
  { layer: 1, head: 2 },
];
const evidence: CompressionOptions = { ...own, score: { kind: 'evidenceHeads', heads, calibration: 0.5 } };

describe('pooled scores', () => {
  const cases = [
    { name: 'radius 0 changes nothing', scores: [1, 2, 4], radius: 0, expected: [1, 2, 4] },
    {
      name: 'the mean over those that are there',
      scores: [3, 6, 0, 3],
      radius: 1,
      expected: [4.5, 3, 3, 1.5],
    },
    { name: 'a radius beyond both ends', scores: [1, 2, 3], radius: 9, expected: [2, 2, 2] },
    { name: 'none', scores: [], radius: 3, expected: [] },
  ];
  test.each(cases)('$name', ({ scores, radius, expected }) => {
    expect([...pool(Float32Array.from(scores), radius)]).toEqual(expected);
  });

  test('lie between the smallest and the largest of the neighbours', () => {
    const lists = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(lists, fc.nat(6), (scores, radius) => {
        pool(Float32Array.from(scores), radius).forEach((score, cell) => {
          const near = scores.slice(Math.max(0, cell - radius), cell + radius + 1);
          expect(score).toBeGreaterThanOrEqual(Math.min(...near) - 1e-6);
          expect(score).toBeLessThanOrEqual(Math.max(...near) + 1e-6);
        });
      }),
    );
  });
});

describe('scores of each list', () => {
  // Two layers of four heads, two of them to a KV head, over two cells; head h of layer l gives 10 l + h and ten times that.
  const layouts = [0, 1].map((layer) => ({ layer, heads: 4, kvHeads: 2 }) as LayerLayout);
  const scores = new Map(
    [0, 1].map((layer) => [
      layer,
      Float32Array.from([0, 1, 2, 3].flatMap((head) => [10 * layer + head, 10 * (10 * layer + head)])),
    ]),
  );
  const cases: { name: string; options: CompressionOptions; scope: string; expected: number[][] }[] = [
    {
      name: 'each KV head sums its own heads',
      options: own,
      scope: 'kvHead',
      expected: [
        [1, 10],
        [5, 50],
        [21, 210],
        [25, 250],
      ],
    },
    {
      name: 'a layer sums all its heads',
      options: { ...own, scope: 'layer' },
      scope: 'layer',
      expected: [
        [6, 60],
        [46, 460],
      ],
    },
    { name: 'the evidence heads share one list', options: evidence, scope: 'model', expected: [[13, 130]] },
  ];
  test.each(cases)('$name', ({ options, scope, expected }) => {
    expect(listScope(options)).toBe(scope);
    expect(listScores(options, layouts, scores, 2).map((list) => [...list])).toEqual(expected);
  });

  test('only the layers whose heads decide are looked at', () => {
    expect([...scoredLayers(evidence, layouts)]).toEqual([0, 1]);
    const one: CompressionOptions = {
      ...own,
      score: { kind: 'evidenceHeads', heads: heads.slice(1), calibration: 0.5 },
    };
    expect([...scoredLayers(one, layouts)]).toEqual([1]);
    expect([...scoredLayers(own, layouts)]).toEqual([0, 1]);
  });
});

test('the list of a head is that of its KV head, of its layer, or the only one', () => {
  // Layer 1 has a window, so that it has no lists.
  const layouts = [0, 2].map((layer) => ({ layer, heads: 4, kvHeads: 2 }) as LayerLayout);
  const lists = [0, 1, 2, 3].map((entry) => ({
    entries: Int32Array.of(entry),
    firstPositions: Int32Array.of(entry),
  }));
  expect(listOfHead(lists, layouts, { layer: 0, head: 3 })).toBe(lists[1]);
  expect(listOfHead(lists, layouts, { layer: 2, head: 1 })).toBe(lists[2]);
  expect(listOfHead(lists.slice(0, 2), layouts, { layer: 2, head: 1 })).toBe(lists[1]);
  expect(listOfHead(lists.slice(0, 1), layouts, { layer: 2, head: 1 })).toBe(lists[0]);
});

test('half of what a content-free question pays is taken off, list by list', () => {
  const lists = [Float32Array.of(0.5, 0.25), Float32Array.of(1, 0)];
  const contentFree = [Float32Array.of(0.5, 0), Float32Array.of(0.25, 0.25)];
  expect(calibrated(lists, contentFree, 0.5).map((list) => [...list])).toEqual([
    [0.25, 0.25],
    [0.875, -0.125],
  ]);
});

describe('weights of the question rows', () => {
  test('take the mean of those behind the label', () => {
    expect([...meanOfRows(6, 2)]).toEqual([0, 0, 0.25, 0.25, 0.25, 0.25]);
    expect([...meanOfRows(1, 0)]).toEqual([1]);
  });

  test('are 1, or the share of the sequence that a row sees', () => {
    expect([...rowWeights(own, 6, 2)]).toEqual([1, 1]);
    expect([...rowWeights({ ...own, positionWeights: true }, 6, 2)]).toEqual([0.875, 1]);
  });
});
