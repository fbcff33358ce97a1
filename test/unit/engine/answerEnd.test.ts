import { expect, test } from 'vitest';
import { partAtLabel, questionLabel } from '../../../extension/engine/answerEnd.ts';

const endings: readonly [written: string, answer: string, ended: boolean][] = [
  ['It is so.', 'It is so.', false],
  ['It is so.\nQuestion: And then?', 'It is so.', true],
  ['It is so.\nQuestion:', 'It is so.', true],
  ['\nQuestion: first', '', true],
  ['Line\nQuest', 'Line\nQuest', false],
  ['Line\n', 'Line\n', false],
  ['A "Question: x" in a line', 'A "Question: x" in a line', false],
  ['\n\nQuestion:', '\n', true],
  ['\nQues\nQuestion: x', '\nQues', true],
  ['', '', false],
];
test.each(endings)('%j, however it is cut, gives %j (ended: %s)', (written, answer, ended) => {
  for (let size = 1; size <= written.length + 1; size++) {
    let text = '';
    let held = '';
    let hasEnded = false;
    for (let start = 0; start < written.length && !hasEnded; start += size) {
      const part = partAtLabel(held + written.slice(start, start + size));
      text += part.text;
      ({ held, ended: hasEnded } = part);
      expect(questionLabel.startsWith(held)).toBe(true);
    }
    expect([text + held, hasEnded]).toEqual([answer, ended]);
  }
});
