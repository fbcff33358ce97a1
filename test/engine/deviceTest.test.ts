/** A device that computes wrongly is told by name: a right one, with one of its operations broken. */
import { describe, expect, test } from 'vitest';
import { keepsEverything } from '../../extension/engine/keepCheck.ts';
import { testDevice } from '../../extension/engine/llama/deviceTest.ts';
import type { Functions } from '../../extension/engine/llama/functions.ts';
import { loadLibrary } from '../../extension/engine/llama/library.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { openTinyEngine } from '../tinyEngine.ts';

const { functions, devices } = loadLibrary('cpu');
const cpu = devices.find(({ isCpu }) => isCpu)!;

describe('the test of a device', () => {
  const broken: readonly [what: string, fault: Partial<Functions>, problem: RegExp | null][] = [
    ['as it is', {}, null],
    [
      'with another scale in its softmax',
      {
        ggml_soft_max_ext: (c, a, mask, scale, bias) =>
          functions.ggml_soft_max_ext(c, a, mask, 1.1 * scale, bias),
      },
      /^its products and softmax came out wrong$/,
    ],
    [
      'with a rotation to another position',
      {
        ggml_rope_ext: (c, a, positions, factors, dims, mode, original, base, ...rest) =>
          functions.ggml_rope_ext(c, a, positions, factors, dims, mode, original, 0.9 * base, ...rest),
      },
      /^its rotation came out wrong$/,
    ],
    ['whose graph fails', { ggml_backend_graph_compute: () => -1 }, /status -1/],
    ['that does not start', { ggml_backend_dev_init: () => null }, /no CPU device/],
  ];
  test.each(broken)('%s', (_, fault, problem) => {
    const result = testDevice({ ...functions, ...fault }, cpu);
    if (problem === null) expect(result).toBeNull();
    else expect(result).toMatch(problem);
  });
});

test('keeping everything is told from keeping the wrong cells', () => {
  const { engine, context, operations } = openTinyEngine(temporaryFolder(), { device: 'cpu' });
  const { layouts } = operations;
  try {
    expect(keepsEverything(context, operations)).toBe(true);
    const wrong = {
      layouts,
      rememberKeys: operations.rememberKeys.bind(operations),
      keep: (cells: Parameters<typeof operations.keep>[0]) => {
        const first = cells.map((list) =>
          'shared' in list ? { shared: list.shared.map((cell) => cell + 1) } : list,
        );
        operations.keep(cells, first);
      },
    };
    expect(keepsEverything(context, wrong)).toBe(false);
    expect(context.length).toBe(0);
  } finally {
    engine.dispose();
  }
});
