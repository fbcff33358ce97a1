/** From callbacks to a loop: what several parts report at once is handed out in the order in which it was reported. */
import type { AnswerEvent, AnswerStage } from './protocol/answerEvents.ts';

export interface EventStream<T> {
  readonly push: (event: T) => void;
  /** No event comes after it. */
  readonly end: () => void;
  /** All events until the end. For one reader. */
  readonly drain: () => AsyncGenerator<T, void, undefined>;
}

export function eventStream<T>(): EventStream<T> {
  let waiting: T[] = [];
  let ended = false;
  let wake = () => {};
  return {
    push: (event) => {
      waiting.push(event);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    drain: async function* () {
      while (waiting.length > 0 || !ended) {
        const events = waiting;
        waiting = [];
        yield* events;
        if (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

const progressEvery = 100; // milliseconds

/** Lets through every event but progress that follows progress of its stage too closely; ends of stages always pass. */
export function progressPace(
  emit: (event: AnswerEvent) => void,
  now: () => number = () => performance.now(),
): (event: AnswerEvent) => void {
  const nextAt = new Map<AnswerStage, number>();
  return (event) => {
    if (event.event === 'progress' && event.done !== event.total) {
      if (now() < (nextAt.get(event.stage) ?? -Infinity)) return;
      nextAt.set(event.stage, now() + progressEvery);
    }
    emit(event);
  };
}
