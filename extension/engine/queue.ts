/**
 * The engine's one queue. One model runs one piece of work at a time; everything else waits where a client can see it.
 * Background work runs when no question and no load waits; among equals, first come, first served.
 */
import { errors } from '../errors.ts';
import type { QueueEntry, QueueState } from '../protocol/engine.ts';

export interface WorkQueue {
  readonly state: QueueState;
  /**
   * Runs `work` when its turn comes and ends as it ends.
   * Aborting `signal` removes a waiting entry at once; running work has to look at the signal itself.
   * @throws AskError `cancelled` when the signal is aborted before the turn comes
   */
  run<T>(kind: QueueEntry['kind'], label: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
}

/** `onChange` is called with the new state after every change, synchronously. */
export function createWorkQueue(onChange: (state: QueueState) => void): WorkQueue {
  let nextId = 1;
  let running: QueueEntry | null = null;
  let waiting: readonly WaitingEntry[] = [];
  let idleListeners: (() => void)[] = [];

  const currentState = (): QueueState => ({
    running,
    waiting: waiting.map(({ id, kind, label }) => ({ id, kind, label })),
  });

  function startNext(): void {
    const [next, ...others] = waiting;
    if (running !== null) return;
    if (next === undefined) {
      for (const listener of idleListeners) listener();
      idleListeners = [];
      return;
    }
    waiting = others;
    running = { id: next.id, kind: next.kind, label: next.label };
    next.start();
  }

  function finish(): void {
    running = null;
    startNext();
    onChange(currentState());
  }

  return {
    get state() {
      return currentState();
    },
    async run(kind, label, signal, work) {
      if (signal.aborted) throw errors.cancelled();
      await new Promise<void>((resolve, reject) => {
        const entry: WaitingEntry = {
          id: nextId++,
          kind,
          label,
          start: () => {
            signal.removeEventListener('abort', leave);
            resolve();
          },
        };
        const leave = () => {
          waiting = waiting.filter((other) => other !== entry);
          onChange(currentState());
          reject(errors.cancelled());
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting = insertByRank(waiting, entry);
        startNext();
        onChange(currentState());
      });
      try {
        return await work();
      } finally {
        finish();
      }
    },
    idle: () =>
      running === null && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleListeners.push(resolve);
          }),
  };
}

interface WaitingEntry extends QueueEntry {
  readonly start: () => void;
}

function insertByRank(waiting: readonly WaitingEntry[], entry: WaitingEntry): readonly WaitingEntry[] {
  const after = waiting.findIndex((other) => rank(other.kind) > rank(entry.kind));
  const at = after === -1 ? waiting.length : after;
  return [...waiting.slice(0, at), entry, ...waiting.slice(at)];
}

function rank(kind: QueueEntry['kind']): number {
  return kind === 'background' ? 1 : 0;
}
