/** The engine's end of the wire: the version first, one queue, and every failure as an error of the catalogue. */
import type { Readable, Writable } from 'node:stream';
import { basename } from 'node:path';
import {
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type CancellationToken,
} from 'vscode-jsonrpc/node.js';
import { AskError, errors } from '../errors.ts';
import {
  protocolVersion,
  type BackgroundParams,
  type EngineErrorData,
  type EngineNotifications,
  type EngineProgress,
  type EngineRequests,
  type HelloParams,
  type QueueEntry,
} from '../protocol/engine.ts';
import { createWorkQueue } from './queue.ts';

type Method = keyof EngineRequests;
type Params<M extends Method> = EngineRequests[M]['params'];
type Result<M extends Method> = EngineRequests[M]['result'];

/** What a question may say while it is being answered; the request's id is added on the way. */
export interface AskStream {
  /** Aborted when the client cancels or the engine ends; `signal.reason` is the error to throw. */
  readonly signal: AbortSignal;
  readonly progress: (progress: Omit<EngineProgress, 'requestId'>) => void;
  readonly text: (text: string) => void;
}

/** The work behind the wire. `status` and `dispose` are called at any time; the rest one at a time. */
export interface EngineHandlers {
  devices(params: Params<'devices'>, signal: AbortSignal): Promise<Result<'devices'>>;
  load(params: Params<'load'>, signal: AbortSignal): Promise<Result<'load'>>;
  countTokens(params: Params<'countTokens'>, signal: AbortSignal): Promise<Result<'countTokens'>>;
  findReading(params: Params<'findReading'>, signal: AbortSignal): Promise<Result<'findReading'>>;
  findHeads(params: Params<'findHeads'>, signal: AbortSignal): Promise<Result<'findHeads'>>;
  findIndexed(params: Params<'findIndexed'>, signal: AbortSignal): Promise<Result<'findIndexed'>>;
  index(params: Params<'index'>, signal: AbortSignal): Promise<Result<'index'>>;
  rank(params: Params<'rank'>, signal: AbortSignal): Promise<Result<'rank'>>;
  ask(params: Params<'ask'>, stream: AskStream): Promise<Result<'ask'>>;
  status(): Omit<Result<'status'>, 'queue'>;
  /** Called once, after the running work has ended. */
  dispose(): Promise<void>;
}

/**
 * Serves one client and resolves when the conversation is over: after `shutdown`, after a `hello` of another version,
 * or when the pipe closes or carries something that is not a message. Running work is aborted and the handlers are
 * disposed of before that.
 * @param onHello called once the version is agreed on
 */
export function serveEngine(
  handlers: EngineHandlers,
  input: Readable,
  output: Writable,
  onHello: (params: HelloParams) => void = () => undefined,
): Promise<void> {
  const connection = createMessageConnection(new StreamMessageReader(input), new StreamMessageWriter(output));
  const controllers = new Set<AbortController>();
  const queue = createWorkQueue((state) => void notify('queue', state));
  let greeted = false;
  let stopping: Promise<void> | undefined;

  async function notify<N extends keyof EngineNotifications>(
    name: N,
    params: EngineNotifications[N],
  ): Promise<void> {
    try {
      await connection.sendNotification(name, params);
    } catch {
      // The client is gone. The closed pipe ends the conversation; a notification has nobody to tell.
    }
  }

  function answer<M extends Method>(
    method: M,
    run: (params: Params<M>, signal: AbortSignal) => Promise<Result<M>>,
  ): void {
    connection.onRequest(method, async (params: Params<M>, token: CancellationToken) => {
      const controller = new AbortController();
      const cancel = () => controller.abort(errors.cancelled());
      controllers.add(controller);
      const subscription = token.onCancellationRequested(cancel);
      if (token.isCancellationRequested) cancel();
      try {
        if (!greeted && method !== 'hello') {
          throw errors.internal(`the first request must be "hello", not "${method}"`, undefined);
        }
        if (stopping !== undefined && method !== 'shutdown') throw errors.cancelled();
        return await run(params, controller.signal);
      } catch (error) {
        throw responseError(error, controller.signal);
      } finally {
        subscription.dispose();
        controllers.delete(controller);
      }
    });
  }

  function stop(): Promise<void> {
    stopping ??= (async () => {
      for (const controller of controllers) controller.abort(errors.cancelled());
      await queue.idle();
      await handlers.dispose();
    })();
    return stopping;
  }

  return new Promise((resolve, reject) => {
    const endNow = () => {
      stop().then(resolve, reject);
    };
    // Messages are written in order, so once this notification is out, so is the answer before it.
    const endAfterAnswer = () =>
      setImmediate(() => {
        notify('queue', queue.state).then(endNow, reject);
      });

    answer('hello', async (params) => {
      if (params.protocolVersion !== protocolVersion) {
        endAfterAnswer();
        throw errors.engineVersion(params.protocolVersion, protocolVersion);
      }
      greeted = true;
      onHello(params);
      return Promise.resolve({ protocolVersion, pid: process.pid });
    });
    answer('devices', (params, signal) =>
      queue.run('load', 'devices', signal, (signal) => handlers.devices(params, signal)),
    );
    answer('load', (params, signal) =>
      queue.run('load', basename(params.modelPath), signal, (signal) => handlers.load(params, signal)),
    );
    answer('countTokens', (params, signal) =>
      queue.run(kindOf(params), 'counting tokens', signal, (signal) => handlers.countTokens(params, signal)),
    );
    answer('findReading', (params, signal) =>
      queue.run(kindOf(params), 'finding an earlier reading', signal, (signal) =>
        handlers.findReading(params, signal),
      ),
    );
    answer('findHeads', (params, signal) =>
      queue.run(kindOf(params), 'finding the heads', signal, (signal) => handlers.findHeads(params, signal)),
    );
    answer('findIndexed', (params, signal) =>
      queue.run(kindOf(params), 'finding the index', signal, (signal) =>
        handlers.findIndexed(params, signal),
      ),
    );
    answer('index', (params, signal) =>
      queue.run(kindOf(params), 'indexing', signal, (signal) => handlers.index(params, signal)),
    );
    answer('rank', (params, signal) =>
      queue.run(kindOf(params), 'ranking', signal, (signal) => handlers.rank(params, signal)),
    );
    answer('ask', (params, signal) =>
      queue.run(kindOf(params), firstWords(params.question), signal, async (signal) => {
        const text = textInTurns((text) => {
          if (params.background !== true) void notify('text', { requestId: params.requestId, text });
        });
        try {
          return await handlers.ask(params, {
            signal,
            progress: (progress) => {
              text.flush();
              void notify('progress', { ...progress, requestId: params.requestId });
            },
            text: text.add,
          });
        } finally {
          text.flush();
        }
      }),
    );
    answer('status', () => Promise.resolve({ ...handlers.status(), queue: queue.state }));
    answer('shutdown', async () => {
      try {
        await stop();
        return {};
      } finally {
        endAfterAnswer();
      }
    });
    connection.onClose(endNow);
    connection.onError(endNow);
    connection.listen();
  });
}

function kindOf({ background }: BackgroundParams): QueueEntry['kind'] {
  return background === true ? 'background' : 'question';
}

/** Longest label of a question in the queue, characters. */
const labelLength = 60;

function firstWords(question: string): string {
  const line = question.trim().replace(/\s+/g, ' ');
  return line.length <= labelLength ? line : `${line.slice(0, labelLength - 1).trimEnd()}…`;
}

/** Joins the texts of one turn of the event loop, so that a fast device does not send a message per token. */
function textInTurns(send: (text: string) => void): { add: (text: string) => void; flush: () => void } {
  let unsent = '';
  const flush = () => {
    if (unsent === '') return;
    const text = unsent;
    unsent = '';
    send(text);
  };
  return {
    add: (text) => {
      if (unsent === '') setImmediate(flush);
      unsent += text;
    },
    flush,
  };
}

/** From the range that JSON-RPC leaves to servers. Clients decide by the reason in `data`. */
const errorCode = -32000;

function responseError(error: unknown, signal: AbortSignal): ResponseError<EngineErrorData> {
  const { message, reason, template, args, remedy } = knownError(error, signal);
  return new ResponseError(errorCode, message, { reason, template, args, remedy });
}

function knownError(error: unknown, signal: AbortSignal): AskError {
  if (error instanceof AskError) return error;
  if (signal.aborted && error instanceof Error && error.name === 'AbortError') return errors.cancelled();
  // The stack is for the log; the wire carries what a user can read.
  console.error(error);
  return errors.internal(error instanceof Error ? error.message : String(error), error);
}
