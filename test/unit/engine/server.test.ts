import { PassThrough } from 'node:stream';
import {
  CancellationTokenSource,
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node.js';
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { serveEngine } from '../../../extension/engine/server.ts';
import { protocolVersion, type QueueState } from '../../../extension/protocol/engine.ts';
import { createEngineHandlers, questionOf } from './faultyHandlers.ts';

let errorLog: MockInstance;
beforeEach(() => {
  vi.spyOn(console, 'log').mockReturnValue();
  errorLog = vi.spyOn(console, 'error').mockReturnValue();
});
afterEach(() => vi.restoreAllMocks);

describe('the version comes first', () => {
  const before = ['load', 'countTokens', 'ask', 'status', 'shutdown'] as const;
  test.each(before)('%s before hello is refused', async (method) => {
    const { connection } = serve();
    await expect(connection.sendRequest(method, {})).rejects.toMatchObject({
      message: `Something unexpected failed: the first request must be "hello", not "${method}"`,
      data: { reason: 'internal' },
    });
  });

  test('another version is refused with both, and the conversation is over', async () => {
    const { connection, ended, disposals } = serve();
    await expect(
      connection.sendRequest('hello', { protocolVersion: protocolVersion + 1, parentPid: 1 }),
    ).rejects.toMatchObject({
      message: `The engine speaks protocol version ${protocolVersion} and this program version ${protocolVersion + 1}`,
      data: { reason: 'engineVersion', remedy: expect.stringContaining('npm run build') as unknown },
    });
    await ended;
    expect(disposals()).toBe(1);
  });

  test('the same version is answered, and the parent made known', async () => {
    const { connection, hellos } = serve();
    await expect(connection.sendRequest('hello', { protocolVersion, parentPid: 42 })).resolves.toEqual({
      protocolVersion,
      pid: process.pid,
    });
    expect(hellos).toEqual([42]);
  });
});

describe('errors on the wire', () => {
  const cases: [question: string, reason: string, message: RegExp, logged: boolean][] = [
    ['refuse', 'questionTooLong', /^The question has 600 tokens, and 512 fit/, false],
    ['throw no tensor', 'internal', /^Something unexpected failed: no tensor$/, true],
    ['throwString bad alloc', 'internal', /^Something unexpected failed: bad alloc$/, true],
  ];
  test.each(cases)('%s', async (question, reason, message, logged) => {
    const { connection } = await serveGreeted();
    const error: unknown = await connection.sendRequest('ask', questionOf(question)).catch((e: unknown) => e);
    expect(error).toMatchObject({
      message: expect.stringMatching(message) as unknown,
      data: { reason, remedy: expect.stringMatching(/\.$/) as unknown },
    });
    // No stack on the wire; the log has it.
    expect(JSON.stringify(error)).not.toMatch(/\bat .*\.ts/);
    expect(errorLog).toHaveBeenCalledTimes(logged ? 1 : 0);
  });

  test('of load', async () => {
    const { connection } = await serveGreeted();
    await expect(
      connection.sendRequest('load', { modelPath: '/m/none.gguf', device: 'cpu' }),
    ).rejects.toMatchObject({ data: { reason: 'modelNotFound' } });
  });
});

describe('text', () => {
  test('of one turn is one message, of several as many, and all of it comes before the answer', async () => {
    const { connection, texts } = await serveGreeted();
    const answer = await connection.sendRequest('ask', questionOf('say a b c. d e. f'));
    expect(texts).toEqual(['abc.', 'de.', 'f']);
    expect(answer).toMatchObject({ text: 'abc.de.f' });
  });

  test('that was written before a failure comes before its error', async () => {
    const { connection, texts } = await serveGreeted();
    const textsAtError = connection
      .sendRequest('ask', questionOf('sayAndThrow half'))
      .catch(() => [...texts]);
    expect(await textsAtError).toEqual(['half']);
  });

  test('and progress keep their order', async () => {
    const { connection, events } = await serveGreeted();
    await connection.sendRequest('ask', questionOf('report', 'q7'));
    expect(events.filter((event) => event[0] !== 'queue')).toEqual([
      ['text', { requestId: 'q7', text: 'before' }],
      [
        'progress',
        { requestId: 'q7', stage: 'reading', done: 1, total: 2, tokensPerSecond: 3, secondsLeft: 4 },
      ],
      ['text', { requestId: 'q7', text: 'after' }],
    ]);
  });
});

describe('cancelling', () => {
  test.each(['wait', 'waitAsNodeDoes'])('a running question: %s', async (deed) => {
    const { ask } = await serveGreeted();
    const { answer, cancel } = ask(deed);
    cancel();
    await expect(answer).rejects.toMatchObject({ data: { reason: 'cancelled' } });
  });

  test('a waiting question, at once', async () => {
    const { ask, lastQueue } = await serveGreeted();
    const running = ask('wait');
    const waiting = ask('say nothing');
    waiting.cancel();
    await expect(waiting.answer).rejects.toMatchObject({ data: { reason: 'cancelled' } });
    expect(lastQueue()).toMatchObject({ running: { label: 'wait' }, waiting: [] });
    running.cancel();
    await expect(running.answer).rejects.toBeDefined();
  });
});

test('the queue is visible, and the status is answered out of it', async () => {
  const { connection, ask, lastQueue } = await serveGreeted();
  const running = ask('wait');
  const long = ask(`say   ${'word '.repeat(20)}`);
  const counted = connection.sendRequest('countTokens', { texts: ['four', ''], background: true });
  const status = await connection.sendRequest('status', {});
  expect(status).toEqual({ loadedModel: null, queue: lastQueue() });
  expect(lastQueue()).toMatchObject({
    running: { kind: 'question', label: 'wait' },
    waiting: [
      { kind: 'question', label: `say${' word'.repeat(11)}…` },
      { kind: 'background', label: 'counting tokens' },
    ],
  });
  running.cancel();
  await expect(running.answer).rejects.toBeDefined();
  await long.answer;
  await expect(counted).resolves.toEqual({ counts: [4, 0] });
  await connection.sendRequest('status', {});
  expect(lastQueue()).toEqual({ running: null, waiting: [] });
});

describe('the end', () => {
  const ways: [name: string, end: (served: Served) => unknown][] = [
    ['shutdown', ({ connection }) => connection.sendRequest('shutdown', {})],
    ['a closed pipe', ({ toEngine }) => toEngine.end()],
    ['garbage', ({ toEngine }) => toEngine.write('what?\r\n\r\n')],
  ];
  test.each(ways)('by %s aborts what runs and what waits, and disposes once', async (_name, end) => {
    const served = await serveGreeted();
    const running = expect(served.ask('wait').answer).rejects.toMatchObject({
      data: { reason: 'cancelled' },
    });
    const waiting = expect(served.ask('wait').answer).rejects.toMatchObject({
      data: { reason: 'cancelled' },
    });
    await served.connection.sendRequest('status', {});
    const ending = end(served);
    await Promise.all([running, waiting, served.ended, ending]);
    expect(served.disposals()).toBe(1);
  });

  test('by shutdown with handlers that cannot be disposed of is told to both ends', async () => {
    const { connection, ended, failDispose } = await serveGreeted();
    failDispose();
    const rejected = expect(ended).rejects.toThrow('no dispose');
    await expect(connection.sendRequest('shutdown', {})).rejects.toMatchObject({
      data: { reason: 'internal' },
    });
    await rejected;
  });

  test('by shutdown is answered first, and a request after it is cancelled', async () => {
    const { connection, ended } = await serveGreeted();
    const answers = [connection.sendRequest('shutdown', {}), connection.sendRequest('status', {})];
    await expect(answers[0]).resolves.toEqual({});
    await expect(answers[1]).rejects.toMatchObject({ data: { reason: 'cancelled' } });
    await ended;
  });
});

type Served = Awaited<ReturnType<typeof serveGreeted>>;

/** A server over two streams in this process, and the plain connection of a client. */
function serve() {
  const toEngine = new PassThrough();
  const fromEngine = new PassThrough();
  const connection = createMessageConnection(
    new StreamMessageReader(fromEngine),
    new StreamMessageWriter(toEngine),
  );
  const events: [name: string, params: unknown][] = [];
  const texts: string[] = [];
  const queues: QueueState[] = [];
  connection.onNotification((name, params) => events.push([name, params]));
  connection.onNotification('text', (params: { text: string }) => {
    events.push(['text', params]);
    texts.push(params.text);
  });
  connection.onNotification('queue', (state: QueueState) => queues.push(state));
  connection.listen();

  const handlers = createEngineHandlers();
  const dispose = vi.spyOn(handlers, 'dispose');
  const hellos: number[] = [];
  const ended = serveEngine(handlers, toEngine, fromEngine, ({ parentPid }) => hellos.push(parentPid));
  return {
    connection,
    toEngine,
    ended,
    hellos,
    events,
    texts,
    lastQueue: () => queues.at(-1),
    failDispose: () => dispose.mockRejectedValue(new Error('no dispose')),
    disposals: () => dispose.mock.calls.length,
    ask: (text: string) => {
      const source = new CancellationTokenSource();
      return {
        answer: connection.sendRequest('ask', questionOf(text), source.token),
        cancel: () => source.cancel(),
      };
    },
  };
}

async function serveGreeted() {
  const served = serve();
  await served.connection.sendRequest('hello', { protocolVersion, parentPid: process.pid });
  return served;
}
