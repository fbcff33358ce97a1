/** Keeps one engine at hand: started when first needed, and started anew after it went away, as the policy allows. */
import { setTimeout as delay } from 'node:timers/promises';
import { errors } from '../errors.ts';
import type { EngineClient } from './engineClient.ts';
import { decideRestart } from './restartPolicy.ts';

export class EngineSupervisor {
  readonly #start: () => Promise<EngineClient>;
  readonly #exitTimesMs: number[] = [];
  readonly #disposed = new AbortController();
  #current: Promise<EngineClient> | undefined;

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
    this.#current ??= this.#startAnew();
    return this.#current;
  }

  /** Ends the engine, also one that is just starting. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed.abort();
    const client = await this.#current?.catch(() => undefined);
    await client?.dispose();
  }

  async #startAnew(): Promise<EngineClient> {
    try {
      const decision = decideRestart(this.#exitTimesMs, Date.now());
      if (!decision.restart) throw errors.engineGaveUp(decision.message);
      await this.#wait(decision.delayMs);
      const client = await this.#start();
      void client.exited.then(() => this.#forget());
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

  #forget(): void {
    this.#current = undefined;
    this.#exitTimesMs.push(Date.now());
  }
}
