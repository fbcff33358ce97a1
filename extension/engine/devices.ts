/** The devices of this machine, and which of them compute what they should. */
import { totalmem } from 'node:os';
import { freeMemoryBytes } from '../models/freeMemory.ts';
import type { DeviceReport, EngineNotice } from '../protocol/engine.ts';
import type { testDevice } from './llama/deviceTest.ts';
import { deviceMemory, type Device, type LlamaLibrary } from './llama/library.ts';
import { usableGpus } from './llama/llamaModel.ts';

export interface TestedDevices {
  /** Those that passed, in the order in which layers are given to them. Each is tested once. */
  gpus(library: LlamaLibrary): Device[];
  /** From now on it is not used. */
  leaveOut(device: Device, why: string): void;
  leftOut(): EngineNotice[];
  report(library: LlamaLibrary): DeviceReport[];
}

export function createTestedDevices(test: typeof testDevice): TestedDevices {
  /** By name; null: passed. */
  const problems = new Map<string, string | null>();
  const problemOf = (library: LlamaLibrary, device: Device): string | null => {
    const known = problems.get(device.name);
    if (known !== undefined) return known;
    const problem = test(library.functions, device);
    problems.set(device.name, problem);
    return problem;
  };
  return {
    gpus: (library) =>
      usableGpus(library.devices.filter((device) => device.isGpu && problemOf(library, device) === null)),
    leaveOut: (device, why) => void problems.set(device.name, why),
    leftOut: () =>
      [...problems].flatMap(([device, why]) =>
        why === null ? [] : [{ kind: 'deviceLeftOut', device, why }],
      ),
    report: (library) =>
      library.devices.map((device) => {
        const why = device.isGpu ? problemOf(library, device) : null;
        const main = { freeBytes: freeMemoryBytes(), totalBytes: totalmem() };
        return {
          name: device.name,
          kind: device.isIntegrated ? 'integratedGpu' : device.isGpu ? 'gpu' : 'cpu',
          description: device.description,
          ...((device.isCpu ? null : deviceMemory(library, device)) ?? main),
          ...(why === null ? {} : { leftOut: why }),
        };
      }),
  };
}
