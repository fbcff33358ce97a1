import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startEngine } from '../../../extension/engineClient/engineClient.ts';
import { EngineSupervisor } from '../../../extension/engineClient/supervisedEngine.ts';

const supervisors: EngineSupervisor[] = [];
afterEach(async () => {
  await Promise.all(supervisors.splice(0).map((supervisor) => supervisor.dispose()));
});

test('one engine serves all who ask for it, and is started when the first does', async () => {
  const { supervisor, starts } = supervise('slowCancel');
  expect(starts()).toBe(0);
  const [first, second] = await Promise.all([supervisor.engine(), supervisor.engine()]);
  expect(second).toBe(first);
  expect(await supervisor.engine()).toBe(first);
  expect(starts()).toBe(1);
});

test('an engine that was killed is started anew upon the next request, and after three times no more', async () => {
  const { supervisor, starts } = supervise('slowCancel');
  const pids = new Set<number>();
  for (let i = 0; i < 3; i++) {
    const client = await supervisor.engine();
    pids.add(client.pid);
    process.kill(client.pid, 'SIGKILL');
    await client.exited;
  }
  expect(pids.size).toBe(3);
  await expect(supervisor.engine()).rejects.toMatchObject({
    reason: 'engineGaveUp',
    message: expect.stringMatching(/stopped 3 times within 3 minutes; .* in 1\d\d s$/) as unknown,
  });
  expect(starts()).toBe(3);
});

test('a start that failed is tried again', async () => {
  const { supervisor, starts } = supervise('crashOnStart');
  await expect(supervisor.engine()).rejects.toMatchObject({ reason: 'engineNotStarted' });
  await expect(supervisor.engine()).rejects.toMatchObject({ reason: 'engineNotStarted' });
  expect(starts()).toBe(2);
});

test('disposing ends an engine that is just starting, and there is none afterwards', async () => {
  const { supervisor, starts } = supervise('slowCancel');
  const starting = supervisor.engine();
  await expect.poll(starts).toBe(1);
  await supervisor.dispose();
  const client = await starting;
  expect(await client.exited).toMatchObject({ code: 0 });
  await expect(supervisor.engine()).rejects.toMatchObject({ reason: 'cancelled' });
});

function supervise(program: string): { supervisor: EngineSupervisor; starts: () => number } {
  const path = fileURLToPath(new URL(`../../brokenEngines/${program}.mjs`, import.meta.url));
  let starts = 0;
  const supervisor = new EngineSupervisor(() => {
    starts++;
    return startEngine({ command: process.execPath, args: [path] });
  });
  supervisors.push(supervisor);
  return { supervisor, starts: () => starts };
}
