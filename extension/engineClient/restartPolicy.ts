/** Whether an engine that went away is started again. A pure function of the times; waiting is the caller's. */

export type RestartDecision =
  | { readonly restart: true; readonly delayMs: number }
  | {
      readonly restart: false;
      /** Within the last minutes. */
      readonly exits: number;
      readonly withinMinutes: number;
      /** Then it may start again. */
      readonly seconds: number;
    };

const maxExits = 3;
const windowMs = 3 * 60_000; // 3 min
const delayPerExitMs = 1_000;

/**
 * The first start after a single exit is immediate, the next one waits a second, and after three exits within three
 * minutes there is none until the first of them is three minutes old.
 * @param exitTimesMs times of unwanted exits, in any order, in the same clock as `nowMs`
 */
export function decideRestart(exitTimesMs: readonly number[], nowMs: number): RestartDecision {
  const recent = exitTimesMs.filter((time) => nowMs - time < windowMs).sort((a, b) => a - b);
  if (recent.length < maxExits) {
    return { restart: true, delayMs: Math.max(0, recent.length - 1) * delayPerExitMs };
  }
  // It may start again once fewer than three exits are recent.
  const lastToForget = recent[recent.length - maxExits]!;
  const seconds = Math.ceil((lastToForget + windowMs - nowMs) / 1000);
  return { restart: false, exits: recent.length, withinMinutes: windowMs / 60_000, seconds };
}
