import { describe, expect, test } from 'vitest';
import {
  branchReadings,
  countByExchange,
  earlierReading,
  isAmong,
  noReadings,
  readingOf,
  withReading,
} from '../../../extension/conversations/readings.ts';
import { newConversation, newExchange, withExchange } from '../../../extension/conversations/conversation.ts';
import { recordOf } from './recordOf.ts';

const conversation = ['e1', 'e2', 'e3'].reduce(
  (all, id) => withExchange(all, newExchange(id, id, [], 1), 1),
  newConversation('c', 'why?', 1),
);
const first = withReading(noReadings, 'e1', 'r1', recordOf('e1'));
const shared = withReading(first, 'e2', 'r1');

describe('what an answer goes on with', () => {
  test.each([
    ['nothing was read', noReadings, 'e1', undefined],
    ['its own reading', first, 'e1', 'r1'],
    ['the one before', first, 'e2', 'r1'],
    ['one further before', first, 'e3', 'r1'],
    ['the latest', withReading(shared, 'e2', 'r2', recordOf('e2')), 'e3', 'r2'],
    ['never a later one', withReading(noReadings, 'e3', 'r3', recordOf('e3')), 'e2', undefined],
    ['an id without its record', { records: {}, of: { e1: 'r1' } }, 'e1', undefined],
  ])('%s', (_, readings, exchangeId, expected) => {
    expect(earlierReading(readings, conversation, exchangeId)).toBe(expected);
  });
});

test('a reading goes when nobody has it any more', () => {
  const one = withReading(shared, 'e1', 'r2', recordOf('again'));
  expect(Object.keys(one.records)).toEqual(['r1', 'r2']);
  expect(readingOf(one, 'e1')?.question).toBe('again');
  expect(readingOf(one, 'e2')?.question).toBe('e1');
  expect(Object.keys(withReading(one, 'e2', 'r2').records)).toEqual(['r2']);
});

test('a branch has the readings of its own exchanges', () => {
  const all = withReading(shared, 'e3', 'r3', recordOf('e3'));
  const branch = branchReadings(
    all,
    new Map([
      ['e1', 'b1'],
      ['e2', 'b2'],
    ]),
  );
  expect(branch.of).toEqual({ b1: 'r1', b2: 'r1' });
  expect(Object.keys(branch.records)).toEqual(['r1']);
});

test('each exchange has the count of its reading; none is no entry', async () => {
  const all = withReading(shared, 'e3', 'r3', recordOf('e3'));
  const counted: string[] = [];
  const counts = await countByExchange(all, (record) => {
    counted.push(record.question);
    return Promise.resolve(record.question === 'e1' ? 2 : 0);
  });
  expect(counts).toEqual({ e1: 2, e2: 2 });
  expect(counted).toEqual(['e1', 'e3']);
});

test.each([
  ['w', 'src/a.ts', true],
  ['w', 'src/b.ts', false],
  ['v', 'src/a.ts', false],
])('whether %s/%s was read: %s', (workspace, path, expected) => {
  expect(isAmong(first, workspace, path)).toBe(expected);
  expect(isAmong(noReadings, workspace, path)).toBe(false);
});
