/** A device that computes wrongly is told by name: a right one, with one of its operations broken. */
import { describe, expect, test } from 'vitest';
import { createTestedDevices } from '../../extension/engine/devices.ts';
import { keepsEverything } from '../../extension/engine/keepCheck.ts';
import { testDevice } from '../../extension/engine/llama/deviceTest.ts';
import type { Functions } from '../../extension/engine/llama/functions.ts';
import { loadLibrary } from '../../extension/engine/llama/library.ts';
import { temporaryFolder } from '../unit/reference/temporaryFolder.ts';
import { openTinyEngine } from '../tinyEngine.ts';

const library = loadLibrary('cpu');
const { functions, devices } = library;
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

describe('the GPUs in use', () => {
  const gpu = (name: string, isIntegrated = false) => ({
    ...cpu,
    name,
    isIntegrated,
    isGpu: true,
    isCpu: false,
  });
  const all = { ...library, devices: [gpu('A'), gpu('B'), gpu('C', true), cpu] };
  const names = (faulty: readonly string[]): [used: string[], leftOut: string[], tests: number] => {
    let tests = 0;
    const tested = createTestedDevices(
      (_, { name }) => (tests++, faulty.includes(name) ? 'it is wrong' : null),
    );
    tested.gpus(all);
    const used = tested.gpus(all).map(({ name }) => name);
    const leftOut = tested.leftOut().map((notice) => ('device' in notice ? notice.device : ''));
    return [used, leftOut, tests];
  };
  test.each([
    { faulty: [], used: ['A', 'B'] },
    { faulty: ['A'], used: ['B'] },
    { faulty: ['A', 'B'], used: ['C'] },
    { faulty: ['A', 'B', 'C'], used: [] },
  ])('without $faulty: $used, each tested once', ({ faulty, used }) => {
    expect(names(faulty)).toEqual([used, faulty, 3]);
  });

  test('one that fails when the model is loaded is not used again', () => {
    const tested = createTestedDevices(() => null);
    tested.leaveOut(all.devices[0]!, 'keeping every token changed the logits');
    expect(tested.gpus(all).map(({ name }) => name)).toEqual(['B']);
    expect(tested.leftOut()).toMatchObject([{ device: 'A', why: 'keeping every token changed the logits' }]);
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
