import { expect, it } from 'vitest';
import type { ModelProgress } from '../../../extension/models/modelFile.ts';
import { pacedProgress } from '../../../extension/models/transferSpeed.ts';

const from = { source: 'hub', resumable: true, total: 100 };

/** What is reported of steps: milliseconds, bytes, stage. */
function reports(
  steps: readonly (readonly [at: number, done: number, stage?: ModelProgress['stage']])[],
): readonly (readonly (number | undefined)[])[] {
  const reported: ModelProgress[] = [];
  let now = 0;
  const report = pacedProgress(
    (progress) => void reported.push(progress),
    () => now,
  );
  for (const [at, done, stage = 'downloading'] of steps) {
    now = at;
    report({ ...from, stage, done });
  }
  return reported.map(({ done, bytesPerSecond, secondsLeft }) =>
    bytesPerSecond === undefined ? [done] : [done, bytesPerSecond, secondsLeft],
  );
}

it.each<[string, Parameters<typeof reports>[0], ReturnType<typeof reports>]>([
  [
    'ten times a second, and the end',
    [
      [0, 0],
      [50, 1],
      [99, 2],
      [100, 3],
      [150, 4],
      [160, 100],
    ],
    [[0], [3], [100]],
  ],
  [
    'the speed once a second has passed',
    [
      [0, 0],
      [500, 5],
      [1000, 10],
    ],
    [[0], [5], [10, 10, 9]],
  ],
  [
    'not what was there before',
    [
      [0, 40],
      [1000, 50],
    ],
    [[40], [50, 10, 5]],
  ],
  [
    'the last seconds and not the whole',
    [
      [0, 0],
      [1000, 50],
      [2000, 52],
      [7000, 62],
      [8000, 64],
    ],
    [[0], [50, 50, 1], [52, 26, (100 - 52) / 26], [62, 2, 19], [64, 2, 18]],
  ],
  [
    'a standstill',
    [
      [0, 0],
      [1000, 10],
      [11_000, 10],
    ],
    [[0], [10, 10, 9], [10]],
  ],
  [
    'each stage for itself',
    [
      [0, 90],
      [1000, 100],
      [1001, 0, 'verifying'],
    ],
    [[90], [100, 10, 0], [0]],
  ],
  [
    'a new beginning',
    [
      [0, 50],
      [1000, 60],
      [1010, 0],
      [2010, 10],
    ],
    [[50], [60, 10, 4], [0], [10, 10, 9]],
  ],
])('reports %s', (_, steps, expected) => {
  expect(reports(steps)).toEqual(expected);
});
