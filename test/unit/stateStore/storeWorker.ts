/**
 * A process that writes, reads and removes states of a shared folder, at random, until it is killed or told to end.
 * Arguments: folder, cap in bytes, a number of its own, for how many milliseconds at least, and the share of its actions that
 * write (1: it does nothing else, and without a pause).
 * It prints a line once its first state is written; it ends with 1 when a state that it read is not whole, and otherwise prints how much
 * it did.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openStateStore } from '../../../extension/stateStore/stateStore.ts';
import { contentFrom, isWhole, nameOf } from './sampleState.ts';

const [folder = '', ...numbers] = process.argv.slice(2);
const [capBytes = 0, own = 0, milliseconds = 0, writeShare = 0] = numbers.map(Number);
const NAMES = 10;
const signal = new AbortController().signal;
const store = openStateStore({
  folder,
  capBytes,
  log: (line) => process.stderr.write(`${line}\n`),
});
// Made beforehand, so that the time goes into writing.
const contents = Array.from({ length: 4 }, (_, index) => contentFrom(own * 100 + index, [60_000, 0, 9_999]));
const done = { written: 0, read: 0, missed: 0, removed: 0 };

await write(nameOf(own % NAMES), 0);
process.stdout.write('begin\n');
const end = performance.now() + milliseconds;
for (let step = 0; performance.now() < end || !didSomeOfEach(); step++) {
  const name = nameOf(Math.floor(Math.random() * NAMES));
  const action = Math.random();
  if (action < writeShare) {
    await write(name, step);
    // The others get a turn: they look for the lock now and then.
    if (writeShare < 1) await sleep(Math.random() * 50);
  } else if (action > writeShare + 0.05) {
    const content = await store.read(name);
    if (content === null) done.missed++;
    else if (isWhole(content)) done.read++;
    else throw new Error(`${name} is not whole`);
  } else {
    await store.remove([name]);
    done.removed++;
  }
}
process.stdout.write(`${JSON.stringify(done)}\n`);

function didSomeOfEach(): boolean {
  return done.written > 3 && done.read > 0 && done.removed > 0;
}

async function write(name: string, step: number): Promise<void> {
  const { header, sections } = contents[step % contents.length]!;
  const outcome = await store.write(name, header, sections, signal);
  if (outcome !== 'written') throw new Error(`${name}: ${outcome}`);
  done.written++;
}
