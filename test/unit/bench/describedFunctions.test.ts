import { expect, test } from 'vitest';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';
import { describedFunctions, firstSentence } from '../../bench/describedFunctions.ts';

const grammars = createGrammars(readGrammarFile);

const body = '  const a = 1;\n  const b = 2;\n  return a + b;';

const documents: readonly { title: string; path: string; text: string; found: readonly string[] }[] = [
  {
    title: 'a comment before an exported function',
    path: 'a.ts',
    text: `/** Adds the two constants up. More of it.\n * @returns three */\nexport function add(): number {\n${body}\n}\n`,
    found: ['Adds the two constants up'],
  },
  {
    title: 'line comments before a method',
    path: 'a.js',
    text: `class A {\n  // Adds the two constants up,\n  // as it should.\n  add() {\n${body}\n  }\n}\n`,
    found: ['Adds the two constants up, as it should'],
  },
  {
    title: 'a docstring, taken out of the text',
    path: 'a.py',
    text: 'def add(a, b):\n    """Returns the sum of both.\n\n    :param a: one\n    """\n    c = a + b\n    print(c)\n    return c\n',
    found: ['Returns the sum of both'],
  },
  {
    title: 'a comment that a blank line parts from the function',
    path: 'a.ts',
    text: `/** Adds the two constants up. */\n\n\nfunction add() {\n${body}\n}\n`,
    found: [],
  },
  {
    title: 'a description that is too short',
    path: 'a.ts',
    text: `/** Adds them. */\nfunction add() {\n${body}\n}\n`,
    found: [],
  },
  { title: 'a language that is not known', path: 'a.txt', text: 'nothing', found: [] },
];

test.each(documents)('described functions: $title', async ({ path, text, found }) => {
  const functions = await describedFunctions({ workspace: 'w', path, text }, grammars);
  expect(functions.map(({ description }) => description)).toEqual(found);
  for (const { description, text: own } of functions) expect(own).not.toContain(description.slice(0, 20));
  for (const { startLine, text: own } of functions)
    expect(text.split('\n')[startLine - 1]).toBe(own.split('\n')[0]);
});

test.each([
  ['/** One sentence. Another. */', 'One sentence'],
  ['/**\n * Over two\n * lines\n * @param a b\n */', 'Over two lines'],
  ['# A Ruby comment that\n# goes on', 'A Ruby comment that goes on'],
  ['/// A Rust comment.', 'A Rust comment'],
  ["r'''Raw text!'''", 'Raw text'],
  ['/** Reads `a.ts` whole. */', 'Reads `a.ts` whole'],
])('the first sentence of %j', (comment, sentence) => {
  expect(firstSentence(comment)).toBe(sentence);
});
