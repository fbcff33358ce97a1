import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LoadResult } from './protocol/engine.ts';

/** A measured speed that is within this factor of the remembered one counts as the same. */
const sameSpeedFactor = 1.5;
const fileName = 'reading-speed.json';
const remembered = z.record(z.string(), z.number().positive());

/**
 * The speed by which the reading limit is chosen, tokens per second: the one that was measured first for this model and
 * device, until a measurement differs much. Otherwise the same question over unchanged files would be answered from
 * slightly more or less every time, and never from what was read before.
 * @param folder where it is remembered; undefined: nowhere
 */
export async function steadySpeed(
  { modelName, deviceName, prefillTokensPerSecond }: LoadResult,
  folder: string | undefined,
): Promise<number> {
  if (folder === undefined) return prefillTokensPerSecond;
  const path = join(folder, fileName);
  const speeds = await readSpeeds(path);
  const key = `${modelName} on ${deviceName}`;
  const earlier = speeds[key];
  if (earlier !== undefined && isSameSpeed(earlier, prefillTokensPerSecond)) return earlier;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, JSON.stringify({ ...speeds, [key]: prefillTokensPerSecond }), { mode: 0o600 });
  } catch {
    // Where it cannot be remembered, it is measured anew.
  }
  return prefillTokensPerSecond;
}

function isSameSpeed(a: number, b: number): boolean {
  return Math.max(a, b) <= sameSpeedFactor * Math.min(a, b);
}

/** A file that is missing or damaged holds nothing. */
async function readSpeeds(path: string): Promise<z.infer<typeof remembered>> {
  try {
    return remembered.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return {};
  }
}
