import { expect, test } from 'vitest';
import { decideRestart, type RestartDecision } from '../../../extension/engineClient/restartPolicy.ts';

const minute = 60_000;
const now = 1_000_000_000;
const after = (delayMs: number): RestartDecision => ({ restart: true, delayMs });
const notBefore = (times: number, seconds: number): RestartDecision => ({
  restart: false,
  ...{ exits: times, withinMinutes: 3, seconds },
});

const cases: [name: string, millisecondsAgo: number[], decision: RestartDecision][] = [
  ['never stopped', [], after(0)],
  ['stopped just now', [0], after(0)],
  ['stopped twice', [0, minute], after(1_000)],
  ['three times within three minutes', [0, minute, 2 * minute], notBefore(3, 60)],
  ['three times at once', [0, 0, 0], notBefore(3, 180)],
  ['four times: the second of them has to grow old', [0, 30_000, minute, 2 * minute], notBefore(4, 120)],
  ['in any order', [2 * minute, 0, minute], notBefore(3, 60)],
  ['the oldest is exactly three minutes old', [0, minute, 3 * minute], after(1_000)],
  ['a millisecond before that', [0, minute, 3 * minute - 1], notBefore(3, 1)],
  ['long ago', [4 * minute, 5 * minute, 6 * minute, 7 * minute], after(0)],
];

test.each(cases)('%s', (_name, millisecondsAgo, decision) => {
  expect(
    decideRestart(
      millisecondsAgo.map((ago) => now - ago),
      now,
    ),
  ).toEqual(decision);
});

test('the wait that a refusal names is long enough', () => {
  const exits = [now - 100_500, now - 50_000, now - 1_000];
  const decision = decideRestart(exits, now);
  const seconds = decision.restart ? Number.NaN : decision.seconds;
  expect(decideRestart(exits, now + seconds * 1000).restart).toBe(true);
  expect(decideRestart(exits, now + (seconds - 1) * 1000).restart).toBe(false);
});
