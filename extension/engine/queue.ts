/**
 * The engine's one queue. One model runs one piece of work at a time; everything else waits where a client can see it.
 * Background work runs when no question and no load waits, and gives way to one that comes while it runs: it is aborted
 * and begins anew when its turn comes again. Among equals, first come, first served.
 */
import { errors } from '../errors.ts';
import type { QueueEntry, QueueState } from '../protocol/engine.ts';

export interface WorkQueue {
  readonly state: QueueState;
  /**
   * Runs `work` when its turn comes and ends as it ends.
   * Aborting `signal` removes a waiting entry at once; running work has to look at the signal that it is given, which
   * for background work is also aborted when something else wants its turn.
   * @throws AskError `cancelled` when the signal is aborted before the turn comes
   */
  run<T>(
    kind: QueueEntry['kind'],
    label: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
}

/** `onChange` is called with the new state after every change, synchronously. */
export function createWorkQueue(onChange: (state: QueueState) => void): WorkQueue {
  let nextId = 1;
  let running: RunningEntry | null = null;
  let waiting: readonly WaitingEntry[] = [];
  let idleListeners: (() => void)[] = [];

  const currentState = (): QueueState => ({
    running: running === null ? null : { id: running.id, kind: running.kind, label: running.label },
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
    running = next;
    next.start();
  }

  /** Resolves when it is the entry's turn. */
  function turnOf(entry: RunningEntry, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const waitingEntry = {
        ...entry,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        waiting = waiting.filter((other) => other !== waitingEntry);
        onChange(currentState());
        reject(errors.cancelled());
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting = insertByRank(waiting, waitingEntry);
      if (running !== null && rank(running.kind) > rank(entry.kind)) running.giveWay();
      startNext();
      onChange(currentState());
    });
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
      const id = nextId++;
      for (;;) {
        if (signal.aborted) throw errors.cancelled();
        const way = new AbortController();
        await turnOf({ id, kind, label, giveWay: () => way.abort(errors.cancelled()) }, signal);
        try {
          return await work(AbortSignal.any([signal, way.signal]));
        } catch (error) {
          if (!way.signal.aborted) throw error;
        } finally {
          finish();
        }
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

interface RunningEntry extends QueueEntry {
  readonly giveWay: () => void;
}

interface WaitingEntry extends RunningEntry {
  readonly start: () => void;
}

function insertByRank(waiting: readonly WaitingEntry[], entry: WaitingEntry): readonly WaitingEntry[] {
  // What gave way has its old id, and so its old place.
  const after = waiting.findIndex((other) => {
    const difference = rank(other.kind) - rank(entry.kind);
    return difference > 0 || (difference === 0 && other.id > entry.id);
  });
  const at = after === -1 ? waiting.length : after;
  return [...waiting.slice(0, at), entry, ...waiting.slice(at)];
}

function rank(kind: QueueEntry['kind']): number {
  return kind === 'background' ? 1 : 0;
}
