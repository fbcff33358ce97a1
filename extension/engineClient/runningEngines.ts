/**
 * The engines of all windows, so that a second model is not put into the memory without a word: a folder with one JSON
 * file per engine, named by its process. What processes that are gone have left there is removed when it is met.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../isAlive.ts';

export interface RunningEngine {
  readonly pid: number;
  /** The process that the engine works for: a window's extension host. */
  readonly hostPid: number;
  /** For people. */
  readonly model: string;
  /** Memory that was estimated before loading. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export type EngineInMemory = Pick<RunningEngine, 'model' | 'bytes'>;

/** Enters an engine, in place of what was known of the same process. @throws what the file system throws */
export async function enterRunningEngine(folder: string, engine: RunningEngine): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = fileOf(folder, engine.pid);
  // Renamed, so that nobody reads half of it.
  await writeFile(`${path}.new`, JSON.stringify(engine));
  await rename(`${path}.new`, path);
}

/** Does nothing when it is not there. @throws what the file system throws */
export async function removeRunningEngine(folder: string, pid: number): Promise<void> {
  await rm(fileOf(folder, pid), { force: true });
}

/** Engines that work for other processes than `hostPid`, the earliest first. None when the folder cannot be read. */
export async function othersInMemory(
  folder: string,
  hostPid: number = process.pid,
): Promise<readonly EngineInMemory[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.filter((name) => /^\d+\.json$/.test(name)).map((name) => readEntry(join(folder, name))),
  );
  return found
    .filter((engine) => engine !== undefined)
    .filter((engine) => engine.hostPid !== hostPid)
    .sort((a, b) => a.startedAt - b.startedAt)
    .map(({ model, bytes }) => ({ model, bytes }));
}

async function readEntry(path: string): Promise<RunningEngine | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const engine = parse(text);
  // Process ids come round again, so the one it works for must be there as well.
  if (engine !== undefined && isAlive(engine.pid) && isAlive(engine.hostPid)) return engine;
  await rm(path, { force: true }).catch(() => undefined);
  return undefined;
}

function parse(text: string): RunningEngine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRunningEngine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRunningEngine(value: unknown): value is RunningEngine {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const isPid = (id: unknown): boolean => Number.isSafeInteger(id) && Number(id) > 0;
  return (
    isPid(fields.get('pid')) &&
    isPid(fields.get('hostPid')) &&
    typeof fields.get('model') === 'string' &&
    typeof fields.get('bytes') === 'number' &&
    typeof fields.get('startedAt') === 'number'
  );
}

function fileOf(folder: string, pid: number): string {
  return join(folder, `${pid}.json`);
}
