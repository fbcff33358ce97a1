import { expect, it } from 'vitest';
import { mentionAt, replaceMention } from '../../../webview/mention.ts';

/** A bar stands for the caret. */
function split(marked: string): { text: string; caret: number } {
  return { text: marked.replace('|', ''), caret: marked.indexOf('|') };
}

it.each([
  ['@|', ''],
  ['@src/in|', 'src/in'],
  ['Why does @src|', 'src'],
  ['Why (@src|)', 'src'],
  ['Why\n@日本|', '日本'],
  ['@src/in|dex', 'src/in'],
  ['|@src', null],
  ['mail@example|', null],
  ['@src |', null],
  ['no mention|', null],
  ['|', null],
])('finds in %s the mention %s', (marked, typed) => {
  const { text, caret } = split(marked);
  expect(mentionAt(text, caret)?.text ?? null).toBe(typed);
});

it.each([
  ['Why @sr| now', 'Why src/a.ts |now'],
  ['@s|', 'src/a.ts |'],
  ['See (@s|)', 'See (src/a.ts |)'],
])('puts a name into %s', (marked, expected) => {
  const { text, caret } = split(marked);
  const replaced = replaceMention(text, mentionAt(text, caret)!, 'src/a.ts');
  expect(replaced).toEqual(split(expected));
});
