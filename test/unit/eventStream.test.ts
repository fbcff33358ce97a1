import { expect, test } from 'vitest';
import { eventStream, progressPace } from '../../extension/eventStream.ts';
import type { AnswerEvent, AnswerStage } from '../../extension/protocol/answerEvents.ts';

test('events come in their order, those before and those after the reader began', async () => {
  const stream = eventStream<number>();
  stream.push(1);
  stream.push(2);
  const read: number[] = [];
  const reading = (async () => {
    for await (const event of stream.drain()) read.push(event);
  })();
  for (const event of [3, 4]) {
    await new Promise(setImmediate);
    stream.push(event);
  }
  stream.push(5);
  stream.end();
  await reading;
  expect(read).toEqual([1, 2, 3, 4, 5]);
});

test('progress of one stage passes ten times a second, its end always, and all else at once', () => {
  let now = 0;
  const passed: string[] = [];
  const emit = progressPace(
    (event) => passed.push(event.event === 'progress' ? `${event.stage} ${event.done}` : event.event),
    () => now,
  );
  const at = (time: number, event: AnswerEvent) => {
    now = time;
    emit(event);
  };
  const progress = (stage: AnswerStage, done: number, total?: number): AnswerEvent => ({
    event: 'progress',
    stage,
    done,
    ...(total === undefined ? {} : { total }),
  });
  at(0, progress('finding', 1));
  at(50, progress('finding', 2));
  at(50, progress('loading', 0, 1));
  at(99, progress('finding', 3));
  at(100, progress('finding', 4));
  at(101, progress('ranking', 1, 3));
  at(102, progress('ranking', 2, 3));
  at(103, progress('ranking', 3, 3));
  at(104, progress('loading', 1, 1));
  at(105, { event: 'text', text: 'a' });
  at(106, { event: 'text', text: 'b' });
  expect(passed).toEqual([
    'finding 1',
    'loading 0',
    'finding 4',
    'ranking 1',
    'ranking 3',
    'loading 1',
    'text',
    'text',
  ]);
});
