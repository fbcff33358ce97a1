import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startEngine, type EngineClient } from '../../../extension/engineClient/engineClient.ts';
import { IdleEngine, type EngineCondition } from '../../../extension/engineClient/idleEngine.ts';
import { enterRunningEngine, othersInMemory } from '../../../extension/engineClient/runningEngines.ts';
import { errors } from '../../../extension/errors.ts';
import { isAlive } from '../../../extension/isAlive.ts';
import { questionOf } from '../engine/faultyHandlers.ts';

const program = fileURLToPath(new URL('../../brokenEngines/loads.mjs', import.meta.url));
/** 60 ms, which no question here takes. */
const soon = 0.001;
const patient = { timeout: 10_000 };

let registryFolder: string;
let conditions: EngineCondition[];
let clients: EngineClient[];
let engines: IdleEngine[];
beforeEach(async () => {
  registryFolder = join(await mkdtemp(join(tmpdir(), 'engines-')), 'running');
  conditions = [];
  clients = [];
  engines = [];
});
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.dispose()));
  await rm(join(registryFolder, '..'), { recursive: true });
});

describe('the engine of a window', () => {
  test('starts when asked for, loads, and is one for all', async () => {
    const idle = make(0);
    expect(clients).toEqual([]);
    await load(idle, 'a.gguf');
    await load(idle, 'a.gguf');
    expect(clients).toHaveLength(1);
    expect(states()).toEqual(['loading', 'ready']);
    expect(idle.condition).toMatchObject({ state: 'ready', loaded: { modelName: 'a.gguf' } });
    await load(idle, 'b.gguf');
    expect(states()).toEqual(['loading', 'ready', 'loading', 'ready']);
  });

  test('is ended when nobody uses it, and started anew', async () => {
    const idle = make(soon);
    await load(idle, 'a.gguf');
    await vi.waitFor(() => expect(states()).toEqual(['loading', 'ready', 'stopped']), patient);
    expect(isAlive(clients[0]!.pid)).toBe(false);
    // More often than an engine that crashes would be started.
    for (let times = 0; times < 4; times++) {
      await load(idle, 'a.gguf');
      await idle.stop();
    }
    expect(clients).toHaveLength(5);
  });

  test('stays while it is used, however long that takes', async () => {
    const idle = make(soon);
    await idle.use(async () => {
      await load(idle, 'a.gguf');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(idle.condition.state).toBe('ready');
    });
    await vi.waitFor(() => expect(idle.condition.state).toBe('stopped'), patient);
  });

  test('stays as long as the setting says, also when it changes', async () => {
    const idle = make(0);
    await load(idle, 'a.gguf');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(idle.condition.state).toBe('ready');
    idle.setIdleMinutes(1_000_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(idle.condition.state).toBe('ready');
    idle.setIdleMinutes(soon);
    await vi.waitFor(() => expect(idle.condition.state).toBe('stopped'), patient);
  });

  test('that is outdated ends once nothing uses it, and the next one stays', async () => {
    const idle = make(0);
    await idle.use(async () => {
      await load(idle, 'a.gguf');
      idle.stopWhenUnused();
      await load(idle, 'a.gguf');
      expect(clients).toHaveLength(1);
    });
    await vi.waitFor(() => expect(idle.condition.state).toBe('stopped'), patient);
    // Of one that does not run there is nothing to end.
    idle.stopWhenUnused();
    await load(idle, 'a.gguf');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(states()).toEqual(['loading', 'ready', 'stopped', 'loading', 'ready']);
  });

  test('one that is asked for while it is being ended is a new one, once the old one is gone', async () => {
    const idle = make(0);
    await load(idle, 'a.gguf');
    const [old] = clients;
    const stopping = idle.stop();
    await load(idle, 'a.gguf');
    expect(isAlive(old!.pid)).toBe(false);
    await stopping;
    expect(idle.condition.state).toBe('ready');
  });

  test('that crashes is a failure, and the next one is ready again', async () => {
    const idle = make(0);
    await load(idle, 'a.gguf');
    const engine = await idle.engine();
    await expect(engine.request('ask', questionOf('exit'))).rejects.toMatchObject({
      reason: 'engineStopped',
    });
    await vi.waitFor(
      () =>
        expect(idle.condition).toMatchObject({
          state: 'failed',
          error: { reason: 'engineStopped', args: ['exit code 3'] },
        }),
      patient,
    );
    await load(idle, 'a.gguf');
    expect(states()).toEqual(['loading', 'ready', 'failed', 'loading', 'ready']);
  });

  test('a model that cannot be loaded is a failure', async () => {
    const idle = make(0);
    await expect(load(idle, 'absent.gguf')).rejects.toMatchObject({
      reason: 'modelNotFound',
      args: ['absent.gguf'],
    });
    expect(idle.condition).toMatchObject({ state: 'failed', error: { reason: 'modelNotFound' } });
  });

  test('an engine that does not start is a failure', async () => {
    const idle = make(0, () => Promise.reject(errors.engineNotStarted('no')));
    await expect(idle.engine()).rejects.toMatchObject({ reason: 'engineNotStarted' });
    expect(states()).toEqual(['loading', 'failed']);
  });

  test('a load that is cancelled is no failure', async () => {
    const idle = make(0);
    const engine = await idle.engine();
    const loading = engine.request('load', { modelPath: 'a.gguf', device: 'cpu' }, AbortSignal.timeout(5));
    await expect(loading).rejects.toMatchObject({ reason: 'cancelled' });
    expect(states()).toEqual(['loading', 'stopped']);
  });

  test('disposing ends it for good', async () => {
    const idle = make(0);
    await load(idle, 'a.gguf');
    await idle.dispose();
    expect(isAlive(clients[0]!.pid)).toBe(false);
    expect(idle.condition.state).toBe('stopped');
    expect(await readdir(registryFolder)).toEqual([]);
    await expect(idle.engine()).rejects.toMatchObject({ reason: 'cancelled' });
  });
});

describe('the engines of other windows', () => {
  const entry = { model: 'Small', bytes: 5, startedAt: 1 };

  test('one knows of the other, as long as it runs', async () => {
    const idle = make(0);
    expect(await othersInMemory(registryFolder, 1)).toEqual([]);
    await load(idle, 'a.gguf');
    expect(await othersInMemory(registryFolder, 1)).toEqual([{ model: 'a.gguf', bytes: 123_000_000 }]);
    expect(await idle.othersInMemory()).toEqual([]);
    await idle.stop();
    expect(await othersInMemory(registryFolder, 1)).toEqual([]);
  });

  test('the earliest comes first', async () => {
    for (const [pid, startedAt] of [
      [process.pid, 9],
      [process.ppid, 4],
    ] as const)
      await enterRunningEngine(registryFolder, {
        ...entry,
        pid,
        hostPid: process.ppid,
        bytes: startedAt,
        startedAt,
      });
    expect((await othersInMemory(registryFolder)).map(({ bytes }) => bytes)).toEqual([4, 9]);
  });

  test.each<[what: string, text: () => string]>([
    ['a process that is gone', () => JSON.stringify({ ...entry, pid: gone, hostPid: process.ppid })],
    ['a window that is gone', () => JSON.stringify({ ...entry, pid: process.pid, hostPid: gone })],
    ['half of an entry', () => '{"pid": 1'],
    ['no entry', () => '{"pid": "1", "hostPid": 1, "model": "a", "bytes": 1, "startedAt": 1}'],
    ['a process group', () => JSON.stringify({ ...entry, pid: 0, hostPid: -1 })],
  ])('what is left of %s is ignored and removed', async (_, text) => {
    await enterRunningEngine(registryFolder, { ...entry, pid: process.pid, hostPid: process.ppid });
    await writeFile(join(registryFolder, '77.json'), text());
    expect(await othersInMemory(registryFolder)).toEqual([{ model: 'Small', bytes: 5 }]);
    expect(await readdir(registryFolder)).toEqual([`${process.pid}.json`]);
  });

  test('a folder that cannot be written does not keep an engine from working', async () => {
    await writeFile(registryFolder, 'a file');
    const idle = make(0);
    await load(idle, 'a.gguf');
    expect(idle.condition.state).toBe('ready');
    expect(await idle.othersInMemory()).toEqual([]);
  });
});

/** No process has it: Linux gives out at most 2 ** 22. */
const gone = 2 ** 30;

function make(idleMinutes: number, start = startLoader): IdleEngine {
  const onChange = (condition: EngineCondition) => void conditions.push(condition);
  const idle = new IdleEngine({ start, idleMinutes, onChange, registryFolder });
  engines.push(idle);
  return idle;
}

async function startLoader(): Promise<EngineClient> {
  const client = await startEngine({ command: process.execPath, args: [program] });
  clients.push(client);
  return client;
}

function load(idle: IdleEngine, modelPath: string) {
  return idle.use(async () => (await idle.engine()).request('load', { modelPath, device: 'cpu' }));
}

function states(): string[] {
  return conditions.map(({ state }) => state);
}
