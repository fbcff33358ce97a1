/** The engine of one window: started when needed, ended when nobody has asked for a while, and telling how it is. */
import { AskError, errors, isAskError } from '../errors.ts';
import { sameLoad, type EngineRequests, type LoadParams, type LoadResult } from '../protocol/engine.ts';
import type { EngineClient } from './engineClient.ts';
import {
  enterRunningEngine,
  othersInMemory,
  removeRunningEngine,
  type EngineInMemory,
} from './runningEngines.ts';
import { EngineSupervisor } from './supervisedEngine.ts';

export type EngineCondition =
  | { readonly state: 'stopped' }
  /** From the start of the process until a model is in the memory. */
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly loaded: LoadResult }
  | { readonly state: 'failed'; readonly error: AskError };

/** A running engine, whose requests count as use. */
export type WatchedEngine = Pick<EngineClient, 'request' | 'onProgress' | 'onText' | 'onQueue'>;

export interface IdleEngineOptions {
  readonly start: () => Promise<EngineClient>;
  /** Minutes without use after which the engine is ended, which frees its memory; 0: never. */
  readonly idleMinutes: number;
  readonly onChange: (condition: EngineCondition) => void;
  /** Where the windows of this machine tell each other of their engines. */
  readonly registryFolder: string;
}

const minuteMs = 60_000;
/** The longest that a timer of Node can wait. */
const longestTimerMs = 2 ** 31 - 1;

export class IdleEngine {
  readonly #options: IdleEngineOptions;
  readonly #supervisor: EngineSupervisor;
  #idleMinutes: number;
  #condition: EngineCondition = { state: 'stopped' };
  /** What the model in the memory was loaded with. */
  #loadParams: LoadParams | undefined;
  #uses = 0;
  #lastUseMs = 0;
  /** It is to end as soon as nothing uses it. */
  #isOutdated = false;
  #timer: NodeJS.Timeout | undefined;
  /** The latest exit, dealt with. */
  #left: Promise<void> = Promise.resolve();

  constructor(options: IdleEngineOptions) {
    this.#options = options;
    this.#idleMinutes = options.idleMinutes;
    this.#supervisor = new EngineSupervisor(async () => {
      this.#change({ state: 'loading' });
      const client = await options.start();
      this.#left = client.exited.then(({ how }) => this.#onExit(client, how));
      return client;
    });
  }

  get condition(): EngineCondition {
    return this.#condition;
  }

  /**
   * The running engine, started when there is none. It stays as long as a `use` is going on, so call this within one.
   * @throws AskError what starting throws, and `cancelled` once disposed
   */
  async engine(): Promise<WatchedEngine> {
    return this.use(async () => {
      try {
        return this.#watch(await this.#supervisor.engine());
      } catch (error) {
        this.#fail(error, { state: 'stopped' });
        throw error;
      }
    });
  }

  /** Runs `work`, during which the engine is not ended for being idle. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#uses++;
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#uses--;
      this.#lastUseMs = Date.now();
      this.#waitForIdle();
    }
  }

  /** Counts from the end of the last use, so that a shorter time can end the engine at once. */
  setIdleMinutes(minutes: number): void {
    this.#idleMinutes = minutes;
    this.#waitForIdle();
  }

  /** Ends the engine for now; what still waits for it ends with `cancelled`. The next request starts another one. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#supervisor.stop();
    await this.#left;
  }

  /** Ends the engine as soon as nothing uses it: what it was started with is not as it was. */
  stopWhenUnused(): void {
    this.#isOutdated = true;
    this.#waitForIdle();
  }

  /** Models that other windows hold in the memory. */
  othersInMemory(): Promise<readonly EngineInMemory[]> {
    return othersInMemory(this.#options.registryFolder);
  }

  /** Ends the engine for good. Idempotent. */
  async dispose(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#supervisor.dispose();
    await this.#left;
  }

  #watch(client: EngineClient): WatchedEngine {
    return {
      request: (method, params, signal) =>
        this.use(async () => {
          if (!isLoad(method, params)) return client.request(method, params, signal);
          const result = await this.#whileLoading(params, () => client.request(method, params, signal));
          if (isLoadResult(result)) await this.#onLoaded(client, params, result);
          return result;
        }),
      onProgress: (listener) => client.onProgress(listener),
      onText: (listener) => client.onText(listener),
      onQueue: (listener) => client.onQueue(listener),
    };
  }

  async #whileLoading<T>(params: LoadParams, load: () => Promise<T>): Promise<T> {
    const before = this.#condition;
    // The engine answers at once when it has this model.
    if (before.state !== 'ready' || !sameLoad(params, this.#loadParams)) this.#change({ state: 'loading' });
    try {
      return await load();
    } catch (error) {
      // Whether the engine got to it is not known.
      this.#loadParams = undefined;
      this.#fail(error, before.state === 'ready' ? before : { state: 'stopped' });
      throw error;
    }
  }

  async #onLoaded(client: EngineClient, params: LoadParams, loaded: LoadResult): Promise<void> {
    if (this.#condition.state === 'ready' && sameLoad(params, this.#loadParams)) return;
    this.#loadParams = params;
    this.#change({ state: 'ready', loaded });
    const { modelName: model, estimatedBytes: bytes } = loaded;
    const entry = { pid: client.pid, hostPid: process.pid, model, bytes, startedAt: Date.now() };
    // That other windows do not hear of it is no reason not to answer.
    await enterRunningEngine(this.#options.registryFolder, entry).catch(() => undefined);
  }

  async #onExit(client: EngineClient, how: string): Promise<void> {
    this.#loadParams = undefined;
    this.#change(
      this.#supervisor.endIsWanted(client)
        ? { state: 'stopped' }
        : { state: 'failed', error: errors.engineStopped(how) },
    );
    await removeRunningEngine(this.#options.registryFolder, client.pid).catch(() => undefined);
  }

  /** A cancelled start or load is no failure: what was before is again. */
  #fail(error: unknown, before: EngineCondition): void {
    const known = isAskError(error) ? error : errors.internal(String(error), error);
    this.#change(known.reason === 'cancelled' ? before : { state: 'failed', error: known });
  }

  #change(condition: EngineCondition): void {
    if (
      condition.state === this.#condition.state &&
      condition.state !== 'failed' &&
      condition.state !== 'ready'
    )
      return;
    this.#condition = condition;
    this.#options.onChange(condition);
  }

  #waitForIdle(): void {
    clearTimeout(this.#timer);
    const running = this.#condition.state === 'ready' || this.#condition.state === 'loading';
    if (!running) this.#isOutdated = false;
    if (this.#uses > 0 || !running || (this.#idleMinutes === 0 && !this.#isOutdated)) return;
    if (this.#isOutdated) {
      void this.stop();
      return;
    }
    const waitMs = this.#lastUseMs + this.#idleMinutes * minuteMs - Date.now();
    this.#timer = setTimeout(() => void this.stop(), Math.min(Math.max(0, waitMs), longestTimerMs));
    this.#timer.unref();
  }
}

function isLoad(method: keyof EngineRequests, params: object): params is LoadParams {
  return method === 'load' && 'modelPath' in params;
}

function isLoadResult(result: object): result is LoadResult {
  return 'estimatedBytes' in result;
}
