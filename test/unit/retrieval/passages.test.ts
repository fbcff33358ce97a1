import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passageOf } from '../../../extension/retrieval/lines.ts';
import { PASSAGE_CHARACTERS, PASSAGE_LINES, splitPassages } from '../../../extension/retrieval/passages.ts';

const split = (text: string) => splitPassages({ workspace: 'w', path: 'a.ts', text });
/** Of passages twice as long. */
const firstLines = (text: string) =>
  splitPassages({ workspace: 'w', path: 'a.ts', text }, 2).map(({ startLine }) => startLine);

const line = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[ \t]{0,8}[a-z}(]{0,60}$/) },
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.string({ maxLength: 5_000 }).map((text) => text.replaceAll('\n', ' ')) },
);
const text = fc.array(line, { maxLength: 400 }).map((lines) => lines.join('\n'));

test('every line is in exactly one passage, and no passage is empty', () => {
  fc.assert(
    fc.property(text, (text) => {
      const passages = split(text);
      expect(passages.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
      let next = 1;
      for (const { startLine, endLine, start, end } of passages) {
        expect(startLine).toBe(next);
        expect(endLine).toBeGreaterThanOrEqual(startLine);
        expect(end).toBeGreaterThan(start);
        const lines = text.slice(start, end).replace(/\n$/, '').split('\n');
        expect(lines).toHaveLength(endLine - startLine + 1);
        next = endLine + 1;
      }
    }),
  );
});

test('a passage is at most one and a half times the target, or one overlong line', () => {
  fc.assert(
    fc.property(text, (text) => {
      for (const { startLine, endLine, start, end } of split(text)) {
        if (startLine === endLine) continue;
        expect(endLine - startLine + 1).toBeLessThanOrEqual(PASSAGE_LINES * 1.5);
        expect(end - start).toBeLessThanOrEqual(PASSAGE_CHARACTERS * 1.5);
      }
    }),
  );
});

const block = (name: string, lines: number) =>
  [`function ${name}() {`, ...Array.from({ length: lines - 2 }, (_, n) => `  step(${n});`), '}'].join('\n');

test('no text, no passage', () => expect(split('')).toEqual([]));
test('one line feed is one line', () => expect(firstLines('\n')).toEqual([1]));
test('what is small stays whole', () => expect(firstLines(block('a', 80))).toEqual([1]));
test('cuts fall between functions', () => {
  const text = ['a', 'b', 'c', 'd'].map((name) => block(name, 50)).join('\n\n');
  expect(firstLines(text)).toEqual([1, 52, 103, 154]);
});
test('a blank line inside a function is used when there is no better border', () => {
  const lines = block('a', 200).split('\n');
  lines[64] = '';
  expect(firstLines(lines.join('\n'))[1]).toBe(66);
});
test('an overlong line is alone in its passage', () => {
  expect(firstLines(`a\n\n${'x'.repeat(9_000)}\nb`)).toEqual([1, 3, 4]);
});

const document = { workspace: 'w', path: 'a', text: 'one\ntwo\nthree\n' };
test.each([
  [1, 1, 'one', 1],
  [2, 3, 'two\nthree', 3],
  [3, 9, 'three', 3],
])('lines %i to %i are %j', (startLine, endLine, text, last) => {
  const range = { workspace: 'w', path: 'a', startLine, endLine };
  expect(passageOf(document, range)).toEqual({ ...range, endLine: last, text });
});
