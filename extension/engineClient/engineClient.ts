/**
 * The client's end of the wire. It owns the engine process: whatever happens to that process, every request that waits
 * ends with an error of the catalogue, and a process that no longer answers is ended.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  CancellationTokenSource,
  ConnectionError,
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type Message,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import { AskError, errorReasons, errors, type ErrorReason } from '../errors.ts';
import {
  protocolVersion,
  type EngineErrorData,
  type EngineNotifications,
  type EngineProgress,
  type EngineRequests,
  type QueueState,
} from '../protocol/engine.ts';
import { EngineProcess, type EngineCommand, type EngineExit } from './engineProcess.ts';

export interface EngineOptions extends EngineCommand {
  /** Every line that the engine writes to standard error, for the log. */
  readonly onStderrLine?: (line: string) => void;
  /** The process and its libraries have to be up by then; 20 s when absent. */
  readonly helloTimeoutMs?: number;
  /** Longest silence of an engine that has work, `load` excepted; 30 s when absent. */
  readonly hangTimeoutMs?: number;
}

const defaultHelloTimeoutMs = 20_000;
/** A decode call blocks the engine for up to 0.4 s, and on a machine that swaps for much longer. */
const defaultHangTimeoutMs = 30_000;
/** Reading the weights can be one call into the library; from a slow disk it takes minutes. */
const loadHangTimeoutMs = 300_000;
/** How many times a silent engine is looked at within the hang timeout. */
const beatsPerHangTimeout = 5;
const cancelTimeoutMs = 5_000;
const closedPipeTimeoutMs = 1_000;
const shutdownTimeoutMs = 2_000;
const terminateTimeoutMs = 2_000;

/**
 * Starts an engine and agrees with it on the protocol version. On failure no process is left behind.
 * @throws AskError `engineNotStarted` or `engineVersion`
 */
export async function startEngine(options: EngineOptions): Promise<EngineClient> {
  const client = launch(options);
  await client.greet(options.helloTimeoutMs ?? defaultHelloTimeoutMs);
  return client;
}

/** Most failures of a start are told by the process's events; some, such as too many open files, are thrown. */
function launch(options: EngineOptions): EngineClient {
  try {
    return new EngineClient(options);
  } catch (error) {
    throw errors.engineNotStarted(error instanceof Error ? error.message : String(error), error);
  }
}

type Method = keyof EngineRequests;
type Listeners<T> = Set<(value: T) => void>;

interface WaitingRequest {
  readonly method: Method;
  readonly fail: (error: AskError) => void;
}

/** Made by `startEngine`. */
class EngineClient {
  /** Resolves when the process is gone and everything that waited has ended. Never rejects. */
  readonly exited: Promise<EngineExit>;
  readonly #process: EngineProcess;
  readonly #connection: MessageConnection;
  readonly #waiting = new Set<WaitingRequest>();
  readonly #progressListeners: Listeners<EngineProgress> = new Set();
  readonly #textListeners: Listeners<EngineNotifications['text']> = new Set();
  readonly #queueListeners: Listeners<QueueState> = new Set();
  readonly #hangTimeoutMs: number;
  /** Known once the engine has answered the first request. */
  #pid: number | undefined;
  /** Why the engine cannot be used any more. */
  #failure: AskError | undefined;
  #disposing: Promise<void> | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** Beats since the last message. Counted rather than timed, since a machine that slept has missed none. */
  #silentBeats = 0;
  #messages = 0;

  constructor(options: EngineOptions) {
    const logLine = options.onStderrLine ?? (() => undefined);
    this.#hangTimeoutMs = options.hangTimeoutMs ?? defaultHangTimeoutMs;
    this.#process = new EngineProcess(options, logLine);
    const reader = new StreamMessageReader(this.#process.output);
    this.#connection = createMessageConnection(
      reader,
      new ForgivingWriter(this.#process.input),
      { error: logLine, warn: logLine, info: logLine, log: logLine },
      {
        messageStrategy: {
          handleMessage: (message, handle) => {
            this.#messages++;
            this.#silentBeats = 0;
            handle(message);
          },
        },
      },
    );
    reader.onError((error) =>
      this.#end(this.#stopped(`what it wrote is not the protocol: ${error.message}`)),
    );
    this.#connection.onClose(() => this.#endSoon());
    this.#connection.onNotification('progress', tellEach(this.#progressListeners));
    this.#connection.onNotification('text', tellEach(this.#textListeners));
    this.#connection.onNotification('queue', tellEach(this.#queueListeners));
    this.#connection.listen();
    this.exited = this.#process.exited.then(async (exit) => {
      await this.#drain();
      this.#failWith(this.#stopped(exit.how));
      this.#connection.dispose();
      return exit;
    });
  }

  /** The process's id, as the engine itself gave it. */
  get pid(): number {
    if (this.#pid === undefined) throw errors.internal('the engine has not answered yet', undefined);
    return this.#pid;
  }

  /** The first request. On failure the process is ended before this rejects. Called once, by `startEngine`. */
  async greet(timeoutMs: number): Promise<void> {
    const timer = setTimeout(
      () => this.#end(this.#stopped(`no answer to the first request within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    try {
      const hello = await this.request('hello', { protocolVersion, parentPid: process.pid });
      if (hello.protocolVersion !== protocolVersion) {
        throw errors.engineVersion(protocolVersion, hello.protocolVersion);
      }
      this.#pid = hello.pid;
    } catch (error) {
      this.#end(asAskError(error));
      await this.exited;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Rejects with an AskError: the engine's own; `cancelled` when the signal is aborted, once the engine has stopped the
   * work or, where it does not within 5 s, has been ended; `engineStopped` when the process goes away;
   * `engineHung` when it goes silent, and then it is ended.
   */
  async request<M extends Method>(
    method: M,
    params: EngineRequests[M]['params'],
    signal?: AbortSignal,
  ): Promise<EngineRequests[M]['result']> {
    if (isAborted(signal)) throw errors.cancelled();
    if (this.#failure !== undefined) throw this.#failure;
    const cancellation = new CancellationTokenSource();
    let cancelTimer: NodeJS.Timeout | undefined;
    const cancel = () => {
      cancellation.cancel();
      cancelTimer = setTimeout(
        () => this.#end(this.#stopped(`it did not stop its work within ${cancelTimeoutMs / 1000} s`)),
        cancelTimeoutMs,
      );
    };
    signal?.addEventListener('abort', cancel, { once: true });
    let leave = () => {};
    try {
      const result = await new Promise<EngineRequests[M]['result']>((resolve, reject) => {
        leave = this.#wait({ method, fail: reject });
        this.#connection
          .sendRequest<EngineRequests[M]['result']>(method, params, cancellation.token)
          .then(resolve, reject);
      });
      if (isAborted(signal)) throw errors.cancelled();
      return result;
    } catch (error) {
      if (isAborted(signal)) throw errors.cancelled();
      throw error instanceof ConnectionError ? await this.#failureAfterExit() : asAskError(error);
    } finally {
      leave();
      clearTimeout(cancelTimer);
      signal?.removeEventListener('abort', cancel);
      cancellation.dispose();
    }
  }

  /** Each of the three returns the function that ends the subscription. */
  onProgress(listener: (progress: EngineProgress) => void): () => void {
    return subscribe(this.#progressListeners, listener);
  }
  onText(listener: (text: EngineNotifications['text']) => void): () => void {
    return subscribe(this.#textListeners, listener);
  }
  onQueue(listener: (state: QueueState) => void): () => void {
    return subscribe(this.#queueListeners, listener);
  }

  /**
   * Ends the process: by request, after `patienceMs` with SIGTERM, after 2 s more with SIGKILL. Resolves when it is
   * gone. What still waits is rejected with `cancelled` at once.
   */
  dispose(patienceMs = shutdownTimeoutMs): Promise<void> {
    this.#disposing ??= this.#shutDown(patienceMs);
    return this.#disposing;
  }

  async #shutDown(patienceMs: number): Promise<void> {
    if (this.#failure === undefined) {
      this.#send('shutdown');
      this.#failWith(errors.cancelled());
      if (!(await this.#goneWithin(patienceMs))) this.#process.kill('SIGTERM');
      if (!(await this.#goneWithin(terminateTimeoutMs))) this.#process.kill('SIGKILL');
    }
    await this.exited;
  }

  #end(failure: AskError): void {
    this.#failWith(failure);
    this.#process.kill('SIGKILL');
  }

  #failWith(failure: AskError): void {
    this.#failure ??= failure;
    for (const { fail } of this.#waiting) fail(this.#failure);
  }

  /** The pipe is closed and the process about to be gone: only its exit says why. */
  async #failureAfterExit(): Promise<AskError> {
    const { how } = await this.exited;
    return this.#failure ?? this.#stopped(how);
  }

  #stopped(how: string): AskError {
    const cause = this.#process.lastWords();
    if (this.#pid !== undefined) return errors.engineStopped(how, cause);
    const line = this.#process.tellingLine();
    return errors.engineNotStarted(line === undefined ? how : `${how}: ${line}`, cause);
  }

  /** A closed pipe most often means that the process is about to be gone, and then its exit says more. */
  #endSoon(): void {
    void this.#goneWithin(closedPipeTimeoutMs).then((gone) => {
      if (!gone) this.#end(this.#stopped('it closed its end of the pipe'));
    });
  }

  async #goneWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, ms, false);
    });
    try {
      return await Promise.race([this.exited.then(() => true), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What arrived before the end is handled one message per turn of the event loop; an answer among it still counts. */
  async #drain(): Promise<void> {
    let handled: number;
    do {
      handled = this.#messages;
      await nextTurn();
      await nextTurn();
    } while (this.#messages !== handled);
  }

  #wait(request: WaitingRequest): () => void {
    this.#waiting.add(request);
    this.#silentBeats = 0;
    if (this.#pid !== undefined) {
      this.#heartbeat ??= setInterval(() => this.#beat(), this.#hangTimeoutMs / beatsPerHangTimeout);
    }
    return () => {
      this.#waiting.delete(request);
      if (this.#waiting.size > 0) return;
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    };
  }

  /** The status is answered out of the queue, so an engine that is only busy shows that it lives. */
  #beat(): void {
    const loading = [...this.#waiting].some(({ method }) => method === 'load');
    const limitMs = loading ? Math.max(loadHangTimeoutMs, this.#hangTimeoutMs) : this.#hangTimeoutMs;
    this.#silentBeats++;
    if (this.#silentBeats * (this.#hangTimeoutMs / beatsPerHangTimeout) > limitMs) {
      this.#end(errors.engineHung(limitMs / 1000));
    } else if (this.#silentBeats === 1) {
      this.#send('status');
    }
  }

  /** For requests whose answer is only a sign of life, or nothing to wait for. */
  #send(method: 'status' | 'shutdown'): void {
    try {
      this.#connection.sendRequest(method, {}).catch(() => undefined);
    } catch (error) {
      // A closed pipe is on its way to be reported by the exit of the process.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
}
export type { EngineClient };

function tellEach<T>(listeners: ReadonlySet<(value: T) => void>): (value: T) => void {
  return (value) => {
    for (const listener of listeners) listener(value);
  };
}

function subscribe<T>(listeners: Listeners<T>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * A message to a process that is gone is lost, and its exit fails everything that waits.
 * The connection would besides leave a rejected promise that nobody handles.
 */
class ForgivingWriter extends StreamMessageWriter {
  override async write(message: Message): Promise<void> {
    try {
      await super.write(message);
    } catch {
      // See above.
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function asAskError(error: unknown): AskError {
  if (error instanceof AskError) return error;
  if (error instanceof ResponseError && isKnownError(error.data)) {
    const { reason, template, args, remedy } = error.data;
    return new AskError(reason, template, args, remedy);
  }
  return errors.internal(error instanceof Error ? error.message : String(error), error);
}

function isKnownError(data: unknown): data is EngineErrorData & { readonly reason: ErrorReason } {
  return (
    typeof data === 'object' &&
    data !== null &&
    'reason' in data &&
    errorReasons.some((reason) => reason === data.reason) &&
    'remedy' in data &&
    typeof data.remedy === 'string' &&
    'template' in data &&
    typeof data.template === 'string' &&
    'args' in data &&
    Array.isArray(data.args)
  );
}
