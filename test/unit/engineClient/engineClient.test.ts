import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { isAskError } from '../../../extension/errors.ts';
import { protocolVersion, type AskParams } from '../../../extension/protocol/engine.ts';
import {
  startEngine,
  type EngineClient,
  type EngineOptions,
} from '../../../extension/engineClient/engineClient.ts';

const clients: EngineClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()));
});

describe('an engine that does not come up is reported and gone', () => {
  const cases: [program: string, reason: string, message: RegExp][] = [
    ['crashOnStart', 'engineNotStarted', /exit code 3: Error: libllama\.so: cannot open/],
    ['hangOnHello', 'engineNotStarted', /no answer to the first request within 0\.5 s/],
    [
      'otherVersion',
      'engineVersion',
      new RegExp(`version ${protocolVersion + 41} .* version ${protocolVersion}$`),
    ],
    ['garbageOnStart', 'engineNotStarted', /not the protocol/],
    ['doesNotExist', 'engineNotStarted', /exit code 1: .*Cannot find module/],
  ];
  test.each(cases)('%s', async (program, reason, message) => {
    const before = openHandles();
    await expect(
      start(program, { helloTimeoutMs: program === 'hangOnHello' ? 500 : 10_000 }),
    ).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(message) as unknown,
    });
    expect(openHandles()).toEqual(before);
  });

  test('a program that cannot even be tried', async () => {
    await expect(startEngine({ command: 'node\0', args: [] })).rejects.toMatchObject({
      reason: 'engineNotStarted',
      message: expect.stringContaining('null bytes') as unknown,
    });
  });

  test('a program that does not exist', async () => {
    await expect(startEngine({ command: '/nowhere/node', args: [] })).rejects.toMatchObject({
      reason: 'engineNotStarted',
      message: expect.stringContaining('ENOENT') as unknown,
    });
  });
});

describe('an engine that breaks fails everything that waits and is gone', () => {
  const cases: [program: string, reason: string, message: RegExp][] = [
    ['crashWhileAnswering', 'engineStopped', /\(signal SIGABRT\)/],
    ['diesMidText', 'engineStopped', /\(signal SIGKILL\)/],
    ['closesPipe', 'engineStopped', /\(it closed its end of the pipe\)/],
    ['hang', 'engineHung', /no sign of life for 1 s/],
  ];
  test.each(cases)('%s', async (program, reason, message) => {
    const before = openHandles();
    const client = await start(program, program === 'hang' ? { hangTimeoutMs: 1_000 } : {});
    const { pid } = client;
    const expected = { reason, message: expect.stringMatching(message) as unknown };
    await Promise.all([
      expect(client.request('ask', question('what?'))).rejects.toMatchObject(expected),
      expect(client.request('countTokens', { texts: ['a'] })).rejects.toBeDefined(),
      expect(client.request('ask', question('and what?'))).rejects.toMatchObject(expected),
    ]);
    await client.exited;
    expect(isAlive(pid)).toBe(false);
    await expect(client.request('status', {})).rejects.toMatchObject({ reason });
    await client.dispose();
    expect(openHandles()).toEqual(before);
  });

  test('garbage on the wire', async () => {
    const client = await start('garbage');
    const { pid } = client;
    await expect(client.request('countTokens', { texts: ['a'] })).rejects.toMatchObject({
      reason: 'engineStopped',
      message: expect.stringContaining('not the protocol') as unknown,
    });
    await client.exited;
    expect(isAlive(pid)).toBe(false);
  });

  test('the last lines of standard error are the cause', async () => {
    const lines: string[] = [];
    const client = await start('crashWhileAnswering', { onStderrLine: (line) => lines.push(line) });
    const error: unknown = await client.request('ask', question('what?')).catch((reason: unknown) => reason);
    expect(lines).toContain('ggml.c:1: GGML_ASSERT(false) failed');
    expect(isAskError(error) && error.cause).toMatchObject({
      message: expect.stringContaining('GGML_ASSERT(false) failed') as unknown,
    });
  });

  test('the text that was streamed before the end has arrived', async () => {
    const client = await start('diesMidText');
    const texts: string[] = [];
    client.onText(({ text }) => texts.push(text));
    await expect(client.request('ask', question('what?'))).rejects.toMatchObject({ reason: 'engineStopped' });
    expect(texts).toEqual(['The first half']);
  });
});

test('requests into the pipe of a process that is gone fail as its exit says', async () => {
  const client = await start('slowCancel');
  process.kill(client.pid, 'SIGKILL');
  // The exit is noticed in a later turn of the event loop; until then each of these is written, or refused by the pipe.
  for (let i = 0; i < 100 && isAlive(client.pid); i++) await new Promise((resolve) => setTimeout(resolve, 1));
  const requests = Array.from({ length: 20 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i));
    return client.request('countTokens', { texts: ['x'.repeat(100_000)] });
  });
  for (const result of await Promise.allSettled(requests)) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { reason: 'engineStopped', message: 'The engine process stopped (signal SIGKILL)' },
    });
  }
});

test('an answer that was written before the exit still counts, with all of its text', async () => {
  const client = await start('answersAndExits');
  let text = '';
  client.onText((part) => (text += part.text));
  await expect(client.request('ask', question('what?'))).resolves.toMatchObject({ text: 'x'.repeat(200) });
  expect(await client.exited).toMatchObject({ code: 0, how: 'exit code 0' });
  expect(text).toBe('x'.repeat(200));
});

test('a subscription ends when it is told to', async () => {
  const client = await start('answersAndExits');
  let count = 0;
  const stop = client.onText(() => {
    count++;
    stop();
  });
  await client.request('ask', question('what?'));
  expect(count).toBe(1);
});

describe('cancelling', () => {
  test('waits until the engine has stopped, and a late answer is no answer', async () => {
    const client = await start('slowCancel');
    const asked = askAndAbort(client, 'what?');
    await expect(asked.answer).rejects.toMatchObject({ reason: 'cancelled' });
    expect(asked.millisecondsSinceAbort()).toBeGreaterThan(250);
    expect(asked.millisecondsSinceAbort()).toBeLessThan(2_000);
    await expect(client.request('status', {})).resolves.toMatchObject({ loadedModel: null });
  });

  test('ends an engine that does not stop within 5 s', async () => {
    const client = await start('slowCancel');
    const { pid } = client;
    const other = expect(client.request('ask', question('never'))).rejects.toMatchObject({
      reason: 'engineStopped',
      message: expect.stringContaining('did not stop its work within 5 s') as unknown,
    });
    const asked = askAndAbort(client, 'never');
    await expect(asked.answer).rejects.toMatchObject({ reason: 'cancelled' });
    await other;
    expect(asked.millisecondsSinceAbort()).toBeGreaterThan(4_900);
    await client.exited;
    expect(isAlive(pid)).toBe(false);
  });

  test('before the request is sent', async () => {
    const client = await start('slowCancel');
    await expect(client.request('ask', question('never'), AbortSignal.abort())).rejects.toMatchObject({
      reason: 'cancelled',
    });
  });
});

describe('disposing', () => {
  test('of a sound engine takes its request, and rejects what waits at once', async () => {
    const before = openHandles();
    const client = await start('slowCancel');
    const { pid } = client;
    const answer = expect(client.request('ask', question('never'))).rejects.toMatchObject({
      reason: 'cancelled',
    });
    expect(openHandles()).not.toEqual(before);
    await Promise.all([client.dispose(), client.dispose(), answer]);
    expect(await client.exited).toMatchObject({ code: 0, signal: null });
    expect(isAlive(pid)).toBe(false);
    expect(openHandles()).toEqual(before);
  });

  test('of one that ignores the request and SIGTERM takes SIGKILL after 4 s', async () => {
    const client = await start('ignoresShutdown');
    const { pid } = client;
    const began = performance.now();
    await client.dispose();
    expect(performance.now() - began).toBeGreaterThan(3_900);
    expect(await client.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(isAlive(pid)).toBe(false);
  });

  test('of one that hangs in a question takes SIGTERM after 2 s', async () => {
    const client = await start('hang');
    const answer = expect(client.request('ask', question('what?'))).rejects.toMatchObject({
      reason: 'cancelled',
    });
    await client.dispose();
    await answer;
    expect(await client.exited).toMatchObject({ signal: 'SIGTERM' });
  });
});

test('an engine that is only busy is left alone, since it answers its status', async () => {
  const client = await start('slowCancel', { hangTimeoutMs: 1_000 });
  const controller = new AbortController();
  const answer = client.request('ask', question('what?'), controller.signal);
  setTimeout(() => controller.abort(), 2_500);
  await expect(answer).rejects.toMatchObject({ reason: 'cancelled' });
  await expect(client.request('status', {})).resolves.toBeDefined();
});

async function start(program: string, options: Partial<EngineOptions> = {}): Promise<EngineClient> {
  const path = fileURLToPath(new URL(`../../brokenEngines/${program}.mjs`, import.meta.url));
  const client = await startEngine({ command: process.execPath, args: [path], ...options });
  clients.push(client);
  return client;
}

function question(text: string): AskParams {
  return {
    requestId: 'q1',
    question: text,
    history: [],
    answerSoFar: '',
    passages: [],
    preset: 'default',
    tokenBudget: 512,
    maxAnswerTokens: 16,
    temperature: 0,
    seed: 1,
  };
}

function askAndAbort(client: EngineClient, text: string) {
  const controller = new AbortController();
  let abortedAt = 0;
  setTimeout(() => {
    abortedAt = performance.now();
    controller.abort();
  }, 100);
  return {
    answer: client.request('ask', question(text), controller.signal),
    millisecondsSinceAbort: () => performance.now() - abortedAt,
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Child processes and their pipes that keep this process alive. */
function openHandles(): Record<string, number> {
  const resources = process.getActiveResourcesInfo();
  return Object.fromEntries(
    ['ProcessWrap', 'PipeWrap'].map((kind) => [kind, resources.filter((name) => name === kind).length]),
  );
}
