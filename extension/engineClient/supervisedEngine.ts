/** Keeps one engine at hand: started when first needed, and started anew after it went away, as the policy allows. */
import { setTimeout as delay } from 'node:timers/promises';
import { errors } from '../errors.ts';
import type { EngineClient } from './engineClient.ts';
import { decideRestart } from './restartPolicy.ts';

export class EngineSupervisor {
  readonly #start: () => Promise<EngineClient>;
  readonly #exitTimesMs: number[] = [];
  readonly #disposed = new AbortController();
  /** Engines whose end is or was wanted. */
  readonly #wanted = new WeakSet<EngineClient>();
  #current: Promise<EngineClient> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(start: () => Promise<EngineClient>) {
    this.#start = start;
  }

  /**
   * A running engine. One that was started anew has no model loaded: load when the returned client is another one than
   * before. No request is ever repeated here, since half of its answer may be on the screen already.
   * @throws AskError what starting throws, `engineGaveUp` after too many exits, `cancelled` once disposed
   */
  engine(): Promise<EngineClient> {
    if (this.#disposed.signal.aborted) return Promise.reject(errors.cancelled());
    // Two at once would need the memory twice.
    if (this.#stopping !== undefined) return this.#stopping.then(() => this.engine());
    this.#current ??= this.#startAnew();
    return this.#current;
  }

  /** Ends the engine for now, also one that is just starting; `engine` then starts another one, once it is gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#endCurrent().finally(() => (this.#stopping = undefined));
    return this.#stopping;
  }

  /** Whether `stop` or `dispose` ended this engine, or is about to. */
  endIsWanted(client: EngineClient): boolean {
    return this.#wanted.has(client);
  }

  /** Ends the engine, also one that is just starting. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed.abort();
    await this.#endCurrent();
  }

  async #endCurrent(): Promise<void> {
    const client = await this.#current?.catch(() => undefined);
    if (client === undefined) return;
    this.#wanted.add(client);
    await client.dispose();
  }

  async #startAnew(): Promise<EngineClient> {
    try {
      const decision = decideRestart(this.#exitTimesMs, Date.now());
      if (!decision.restart) {
        throw errors.engineGaveUp(decision.exits, decision.withinMinutes, decision.seconds);
      }
      await this.#wait(decision.delayMs);
      const client = await this.#start();
      void client.exited.then(() => this.#forget(client));
      return client;
    } catch (error) {
      // A start that failed is tried again upon the next request: the user may have repaired what was missing.
      this.#current = undefined;
      throw error;
    }
  }

  async #wait(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#disposed.signal });
    } catch {
      throw errors.cancelled();
    }
  }

  #forget(client: EngineClient): void {
    this.#current = undefined;
    if (!this.#wanted.has(client)) this.#exitTimesMs.push(Date.now());
  }
}
