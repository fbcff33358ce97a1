import { errors } from '../errors.ts';

type InTurn = <T>(work: () => Promise<T>, signal: AbortSignal, onWait: () => void) => Promise<T>;

/**
 * Gives a function that runs works one after the other, in the order in which it is called. `onWait` is called when one
 * has to wait; when its signal is aborted meanwhile it rejects at once with `cancelled`.
 */
export function oneAtATime(): InTurn {
  let last = Promise.resolve();
  let here = 0;
  return async (work, signal, onWait) => {
    const before = last;
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    last = before.then(() => ended);
    here++;
    try {
      if (here > 1) onWait();
      await unlessAborted(before, signal);
      return await work();
    } finally {
      here--;
      end();
    }
  };
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(errors.cancelled());
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
  });
}
