import { describe, expect, it } from 'vitest';
import { catalogue } from '../../../extension/models/catalogueEntries.ts';
import {
  machineOf,
  ownMemoryGpu,
  readMachine,
  type GpuFacts,
  type LoadedPlacement,
  type MachineFacts,
} from '../../../extension/models/machine.ts';
import type { DeviceReport } from '../../../extension/protocol/engine.ts';
import { recommend } from '../../../extension/models/recommend.ts';

const GIB = 2 ** 30;
const smallest = 'SmolLM2-135M-Instruct';

function machine(cores: number, free: number, gpu: GpuFacts | null = null): MachineFacts {
  return { cores, totalBytes: 2 * free * GIB, freeBytes: free * GIB, gpu };
}
function card(total: number, free: number): GpuFacts {
  return { name: 'card', unified: false, totalBytes: total * GIB, freeBytes: free * GIB };
}
function unified(total: number, free: number): GpuFacts {
  return { ...card(total, free), unified: true };
}

describe('recommend', () => {
  /** Free memory in GiB; the choices without "-Instruct", fastest first, with a star at the one that is offered first. */
  const cases: readonly (readonly [what: string, machine: MachineFacts, choices: string])[] = [
    [
      'a laptop of 8 GB with 2 cores and no GPU',
      machine(2, 5),
      'SmolLM2-135M, Qwen2.5-Coder-0.5B*, Qwen2.5-Coder-1.5B',
    ],
    [
      'a container of 4 GB with 2 cores',
      machine(2, 3.5),
      'SmolLM2-135M, Qwen2.5-Coder-0.5B*, Qwen2.5-Coder-1.5B',
    ],
    ['a container of 1 GB with one core', machine(1, 0.8), 'SmolLM2-135M*'],
    [
      'a workstation of 16 cores and no GPU',
      machine(16, 50),
      'Qwen2.5-Coder-1.5B, Qwen2.5-Coder-7B*, Qwen2.5-Coder-14B',
    ],
    [
      'an M2 of 8 GB',
      machine(8, 4, unified(5.3, 4)),
      'Qwen2.5-Coder-0.5B, Qwen2.5-Coder-1.5B*, Qwen3-4B-2507',
    ],
    [
      'an M2 of 16 GB',
      machine(8, 9, unified(10.6, 9)),
      'Qwen2.5-Coder-1.5B, Qwen3-4B-2507*, Qwen2.5-Coder-7B',
    ],
    ['an RTX 4090', machine(32, 50, card(24, 22)), 'Qwen2.5-Coder-7B, Qwen2.5-Coder-14B*, Qwen2.5-Coder-32B'],
    ['an H100', machine(16, 120, card(80, 79)), 'Qwen2.5-Coder-7B, Qwen2.5-Coder-14B, Qwen2.5-Coder-32B*'],
    [
      'an integrated GPU, as fast as its 8 cores',
      machine(8, 9, { ...card(16, 9), integrated: true }),
      'Qwen2.5-Coder-0.5B, Qwen3-4B-2507*, Qwen2.5-Coder-7B',
    ],
    [
      'a card of 4 GB, so that what is larger runs on the processor',
      machine(8, 10, card(4, 3)),
      'Qwen2.5-Coder-1.5B, Qwen3-4B-2507*, Qwen2.5-Coder-7B',
    ],
  ];
  it.each(cases)('%s', (_, facts, expected) => {
    const { choices, first } = recommend(facts, catalogue);
    const names = choices.map(
      (one) => `${one.entry.name.replace('-Instruct', '')}${one === first ? '*' : ''}`,
    );
    expect(names.join(', ')).toBe(expected);
    expect(choices.map(({ choice }) => choice)).toEqual(
      (['fast', 'balanced', 'best'] as const).slice(3 - choices.length),
    );
    for (const { fits, neededBytes, freeBytes } of choices) {
      expect(fits).toBe(true);
      expect(neededBytes).toBeLessThan(freeBytes);
    }
  });

  it('says where nothing fits, and names the smallest', () => {
    const { choices, first } = recommend(machine(2, 0.1), catalogue);
    expect(choices).toEqual([first]);
    expect(first).toMatchObject({ entry: { name: smallest }, fits: false, onGpu: false });
  });

  it('reads 135 million parameters on two cores as fast as was measured', () => {
    const { choices } = recommend(machine(2, 5), catalogue);
    expect(10_000 / choices[0]!.seconds).toBeCloseTo(450, 0);
  });

  it('never says more for less memory or fewer cores', () => {
    const parametersOf = (facts: MachineFacts) =>
      recommend(facts, catalogue).choices.at(-1)!.entry.parameters;
    for (let cores = 1; cores <= 32; cores *= 2) {
      for (let free = 0.5; free <= 64; free *= 2) {
        expect(parametersOf(machine(cores, free))).toBeLessThanOrEqual(
          parametersOf(machine(2 * cores, free)),
        );
        expect(parametersOf(machine(cores, free))).toBeLessThanOrEqual(
          parametersOf(machine(cores, 2 * free)),
        );
      }
    }
  });
});

describe('what the engine reports', () => {
  const report = (
    kind: DeviceReport['kind'],
    gib: number,
    more: Partial<DeviceReport> = {},
  ): DeviceReport => ({
    ...{ name: 'Vulkan0', description: kind, kind, freeBytes: gib * GIB, totalBytes: 2 * gib * GIB, ...more },
  });
  const memory = { cores: 4, totalBytes: 16 * GIB, freeBytes: 6 * GIB };
  const card = (freeGib: number, totalGib: number): GpuFacts => ({
    ...{ name: 'gpu', unified: false, totalBytes: totalGib * GIB, freeBytes: freeGib * GIB },
  });
  const integrated = (freeGib: number): GpuFacts => ({
    ...{ name: 'integratedGpu', unified: false, integrated: true },
    ...{ totalBytes: 16 * GIB, freeBytes: freeGib * GIB },
  });
  it.each<[string, DeviceReport[], GpuFacts | null]>([
    ['the processor alone', [report('cpu', 8)], null],
    [
      'an integrated GPU, which has no more than main memory',
      [report('cpu', 8), report('integratedGpu', 8)],
      integrated(6),
    ],
    [
      'an integrated GPU whose driver gives less',
      [report('integratedGpu', 8, { freeBytes: 3 * GIB })],
      integrated(3),
    ],
    ['an integrated one beside a card', [report('integratedGpu', 8), report('gpu', 8)], card(8, 16)],
    ['an integrated one that failed its test', [report('integratedGpu', 8, { leftOut: 'was wrong' })], null],
    ['one that failed its test', [report('gpu', 8, { leftOut: 'was wrong' })], null],
    ['two that share the layers', [report('gpu', 8), report('cpu', 8), report('gpu', 4)], card(12, 24)],
  ])('%s', (_, devices, expected) => {
    expect(machineOf(memory, devices, [], false)).toEqual({ ...memory, gpu: expected });
  });

  it.each<[string, DeviceReport[], LoadedPlacement, boolean, mainGib: number, gpuGib: number | null]>([
    ['nothing is loaded', [report('gpu', 8)], [], false, 6, 8],
    ['on the processor', [report('cpu', 8)], [at('CPU', 2)], false, 8, null],
    [
      'on a card, with its part in main memory',
      [report('gpu', 8)],
      [at('CPU', 1), at('Vulkan0', 4)],
      false,
      7,
      12,
    ],
    [
      'on an integrated GPU, to both',
      [report('integratedGpu', 8)],
      [at('CPU', 1), at('Vulkan0', 2)],
      false,
      9,
      9,
    ],
    ['on Metal, to both', [report('gpu', 8, { name: 'Metal' })], [at('CPU', 1), at('Metal', 2)], true, 9, 10],
    ['no more than there is', [report('gpu', 8)], [at('CPU', 20), at('Vulkan0', 20)], false, 16, 16],
    [
      'a device that is not asked for now',
      [report('cpu', 8)],
      [at('CPU', 1), at('CUDA0', 4)],
      false,
      7,
      null,
    ],
  ])('what the loaded model holds is given back: %s', (_, devices, loaded, unified, mainGib, gpuGib) => {
    const { freeBytes, gpu } = machineOf(memory, devices, loaded, unified);
    expect([freeBytes / GIB, gpu && gpu.freeBytes / GIB]).toEqual([mainGib, gpuGib]);
  });
  function at(device: string, gib: number): LoadedPlacement[number] {
    return { device, estimatedBytes: gib * GIB };
  }

  it('counts, and where the engine cannot be asked, the system does', async () => {
    const machine = await readMachine(() => Promise.resolve([report('gpu', 8)]));
    expect(machine.gpu?.freeBytes).toBe(8 * GIB);
    const { cores, totalBytes, freeBytes } = await readMachine(() => Promise.reject(new Error('no engine')));
    expect([cores, totalBytes, freeBytes].every((fact) => fact > 0)).toBe(true);
    expect(freeBytes).toBeLessThanOrEqual(totalBytes);
  });
});

describe('ownMemoryGpu', () => {
  const nvidia = { vendor: 'NVIDIA', model: 'RTX 4090', vram: 24_564 };
  it.each([
    ['none', [], null],
    ['an adapter for a screen', [{ vendor: 'ASPEED', model: 'ASPEED', vram: 16 }], null],
    ['an integrated one', [{ vendor: 'Intel', model: 'Iris', vram: 8_192, vramDynamic: true }], null],
    ['one that tells nothing of its memory', [{ vendor: 'AMD', model: 'Radeon', vram: null }], null],
    [
      'a card whose driver tells what is free',
      [{ ...nvidia, memoryTotal: 24_564, memoryFree: 20_000 }],
      { name: 'RTX 4090', unified: false, totalBytes: 24_564 * 2 ** 20, freeBytes: 20_000 * 2 ** 20 },
    ],
    [
      'the larger of two',
      [{ vendor: 'AMD', model: 'small', vram: 4_096 }, nvidia],
      { name: 'RTX 4090', unified: false, totalBytes: 24_564 * 2 ** 20, freeBytes: 24_564 * 2 ** 20 * 0.85 },
    ],
  ])('%s', (_, controllers, expected) => {
    expect(ownMemoryGpu(controllers)).toEqual(expected);
  });
});
