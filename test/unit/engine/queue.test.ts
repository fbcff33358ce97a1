import { expect, test } from 'vitest';
import { createWorkQueue } from '../../../extension/engine/queue.ts';
import type { QueueEntry, QueueState } from '../../../extension/protocol/engine.ts';

type Kind = QueueEntry['kind'];

/** Added while the first one runs; then all run to their end, in this order. */
const orders: [name: string, added: [kind: Kind, label: string][], expected: string[]][] = [
  [
    'first come, first served',
    [
      ['question', 'a'],
      ['question', 'b'],
      ['question', 'c'],
    ],
    ['a', 'b', 'c'],
  ],
  [
    'questions before background work',
    [
      ['question', 'a'],
      ['background', 'b'],
      ['background', 'c'],
      ['question', 'd'],
      ['question', 'e'],
    ],
    ['a', 'd', 'e', 'b', 'c'],
  ],
  [
    'background work that does not look at its signal ends first',
    [
      ['background', 'a'],
      ['background', 'b'],
      ['question', 'c'],
    ],
    ['a', 'c', 'b'],
  ],
  [
    'a load keeps its place among the questions',
    [
      ['question', 'a'],
      ['background', 'b'],
      ['load', 'c'],
      ['question', 'd'],
    ],
    ['a', 'c', 'd', 'b'],
  ],
];

test.each(orders)('%s', async (_name, added, expected) => {
  const { add, finish, started } = controlledQueue();
  const all = added.map(([kind, label]) => add(kind, label));
  for (const label of expected) {
    await turn();
    expect(started.at(-1)).toBe(label);
    finish(label);
  }
  await Promise.all(all);
  expect(started).toEqual(expected);
});

test.each<[by: Kind, givesWay: boolean]>([
  ['question', true],
  ['load', true],
  ['background', false],
])('background work and a %s that comes while it runs', async (by, givesWay) => {
  const { queue } = controlledQueue();
  const order: string[] = [];
  const { signal } = new AbortController();
  const background = queue.run('background', 'a', signal, async (signal) => {
    order.push('a begins');
    for (let turns = 0; turns < 5; turns++) {
      signal.throwIfAborted();
      await turn();
    }
    order.push('a ends');
    return 'done';
  });
  await turn();
  const behind = queue.run('background', 'c', signal, () => Promise.resolve(order.push('c')));
  const other = queue.run(by, 'b', signal, () => Promise.resolve(order.push('b')));
  await Promise.all([background, other, behind]);
  expect(await background).toBe('done');
  expect(order).toEqual(
    givesWay ? ['a begins', 'b', 'a begins', 'a ends', 'c'] : ['a begins', 'a ends', 'c', 'b'],
  );
});

test('background work that gave way is cancelled like all that waits, and fails with its own error alone', async () => {
  const { queue } = controlledQueue();
  const cancelled = new AbortController();
  const untilAborted = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const background = queue.run('background', 'a', cancelled.signal, untilAborted);
  await turn();
  const question = queue.run('question', 'b', new AbortController().signal, async () => {
    await turn();
    cancelled.abort();
  });
  await expect(background).rejects.toMatchObject({ reason: 'cancelled' });
  await question;
  const failing = queue.run('background', 'c', new AbortController().signal, () =>
    Promise.reject(new Error('no')),
  );
  await expect(failing).rejects.toThrow('no');
});

test('every change is told, and the state is what was told last', async () => {
  const { add, finish, states, queue } = controlledQueue();
  const all = [add('background', 'a'), add('background', 'b'), add('question', 'c')];
  await turn();
  finish('a');
  await turn();
  finish('c');
  await turn();
  finish('b');
  await Promise.all(all);
  expect(states.map(short)).toEqual(['a|', 'a|b', 'a|cb', 'c|b', 'b|', '-|']);
  expect(states.at(-1)).toEqual(queue.state);
});

test('ids are the same while waiting and running, and differ between entries', async () => {
  const { add, finish, states } = controlledQueue();
  const all = [add('question', 'a'), add('question', 'b')];
  const waitingId = states.at(-1)?.waiting[0]?.id;
  finish('a');
  await turn();
  expect(states.at(-1)?.running).toEqual({ id: waitingId, kind: 'question', label: 'b' });
  expect(waitingId).not.toBe(states[0]?.running?.id);
  finish('b');
  await Promise.all(all);
});

test('a waiting entry is cancelled at once and never starts', async () => {
  const { add, finish, started, states } = controlledQueue();
  const controller = new AbortController();
  const first = add('question', 'a');
  const cancelled = add('question', 'b', controller.signal);
  const last = add('question', 'c');
  controller.abort();
  expect(states.map(short).at(-1)).toBe('a|c');
  await expect(cancelled).rejects.toMatchObject({ reason: 'cancelled' });
  finish('a');
  await turn();
  finish('c');
  await Promise.all([first, last]);
  expect(started).toEqual(['a', 'c']);
});

test('an aborted signal does not enter the queue', async () => {
  const { add, states } = controlledQueue();
  await expect(add('question', 'a', AbortSignal.abort())).rejects.toMatchObject({ reason: 'cancelled' });
  expect(states).toEqual([]);
});

test('running work is not cut off by its signal: it ends as it decides', async () => {
  const { add, finish, states } = controlledQueue();
  const controller = new AbortController();
  const work = add('question', 'a', controller.signal);
  await turn();
  controller.abort();
  await turn();
  expect(states.map(short).at(-1)).toBe('a|');
  finish('a');
  await work;
});

test('work that fails hands its error on and makes room', async () => {
  const { add, finish, fail } = controlledQueue();
  const failing = add('question', 'a');
  const next = add('question', 'b');
  fail('a', new Error('no'));
  await expect(failing).rejects.toThrow('no');
  await turn();
  finish('b');
  await next;
});

test('idle waits for what runs and for what waits', async () => {
  const { add, finish, queue } = controlledQueue();
  await queue.idle();
  const all = [add('question', 'a'), add('background', 'b')];
  let idle = false;
  const becameIdle = queue.idle().then(() => (idle = true));
  finish('a');
  await turn();
  expect(idle).toBe(false);
  finish('b');
  await Promise.all([...all, becameIdle]);
});

/** A queue whose work ends when the test says so. */
function controlledQueue() {
  const states: QueueState[] = [];
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers>();
  const queue = createWorkQueue((state) => states.push(state));
  const endOf = (label: string) => {
    const end = ends.get(label) ?? withResolvers();
    ends.set(label, end);
    return end;
  };
  return {
    queue,
    states,
    started,
    add: (kind: Kind, label: string, signal = new AbortController().signal) =>
      queue.run(kind, label, signal, () => {
        started.push(label);
        return endOf(label).promise;
      }),
    finish: (label: string) => endOf(label).resolve(),
    fail: (label: string, error: Error) => endOf(label).reject(error),
  };
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function short({ running, waiting }: QueueState): string {
  return `${running?.label ?? '-'}|${waiting.map(({ label }) => label).join('')}`;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
