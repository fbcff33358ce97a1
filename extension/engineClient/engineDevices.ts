/** What the engine can run a model on, asked of a process that is gone afterwards: no model is loaded for it. */
import type { DeviceName, DeviceReport } from '../protocol/engine.ts';
import { bundledEngine, type BundledEngineOptions } from './bundledEngine.ts';
import { startEngine } from './engineClient.ts';

/** @throws AskError what starting throws, and `deviceNotFound` */
export async function engineDevices(
  device: DeviceName,
  options: BundledEngineOptions = {},
): Promise<readonly DeviceReport[]> {
  const client = await startEngine(bundledEngine(options));
  try {
    return (await client.request('devices', { device })).devices;
  } finally {
    await client.dispose();
  }
}
