import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAllBlocks, cutClosedBlocks } from '../../../webview/answer/blocks.ts';

const closedCases: readonly (readonly [
  name: string,
  text: string,
  closed: readonly string[],
  rest: string,
])[] = [
  ['nothing', '', [], ''],
  ['a paragraph that may go on', 'one\ntwo\n', [], 'one\ntwo\n'],
  ['a paragraph with a blank line after it', 'one\n\n', ['one'], '\n'],
  ['a rule, a list or a heading, not known yet', 'one\n-', [], 'one\n-'],
  ['a heading or text, not known yet', 'one\n#', [], 'one\n#'],
  ['a heading behind a paragraph', 'one\n# T', ['one'], '# T'],
  ['a list that may go on behind a blank line', '- a\n\n', [], '- a\n\n'],
  ['a list behind which a number may be an item', '1. a\n\n2', [], '1. a\n\n2'],
  ['a list behind which text begins', '- a\n\nT', ['- a'], 'T'],
  ['an open fence', '```ts\na\n\n# b\n', [], '```ts\na\n\n# b\n'],
  ['a closed fence', '```ts\na\n```\n', ['```ts\na\n```'], ''],
  ['an empty closed fence', '```\n```\n', ['```\n```'], ''],
  ['a fence whose closing line may go on', '```ts\na\n```', [], '```ts\na\n```'],
  ['a fence that a longer one closes', '~~~\na\n~~~~\n', ['~~~\na\n~~~~'], ''],
  ['a table that may be none', 'one\na|b\n-|-', [], 'one\na|b\n-|-'],
  ['a table with a row to come', 'a|b\n-|-\nc', [], 'a|b\n-|-\nc'],
  ['a table that has ended', 'a|b\n-|-\n1|2\n\n', ['a|b\n-|-\n1|2'], '\n'],
  ['a quote that text would continue', '> a\nb', [], '> a\nb'],
  ['indented code that goes on behind a blank line', '    a\n\n', [], '    a\n\n'],
  ['a definition is text', '[a]: /b\n\n', ['[a]: /b'], '\n'],
  ['carriage returns', 'one\r\n\r\ntwo\r', ['one'], '\r\ntwo\r'],
];

describe('cutClosedBlocks', () => {
  it.each(closedCases)('%s', (_name, text, closed, rest) => {
    const cut = cutClosedBlocks(text);
    expect(cut.closed).toEqual(closed);
    expect(text.slice(cut.length)).toBe(rest);
  });

  it('cuts a text that grows by pieces as one that is there at once', () => {
    fc.assert(
      fc.property(markdown, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
        expect(cutByPieces(text, sizes)).toEqual(cutAllBlocks(text));
      }),
      { numRuns: 3_000, seed: 4 },
    );
  });
});

/** Beginnings of all kinds of blocks, ends of lines, and what makes one line belong to the one before it. */
const markdown = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'B c',
        ' ',
        '    ',
        '\n',
        '\n',
        '\n\n',
        '\r\n',
        '\r',
        '\t',
        '-',
        '- ',
        '* ',
        '+ x',
        '1.',
        '2) ',
      ],
      ...[
        '#',
        '## h',
        '>',
        '> q',
        '```',
        '~~~',
        '````',
        '`',
        '***',
        '---',
        '===',
        '|',
        'a|b\n-|-\n',
        '-|-',
        '1|2',
      ],
      ...[
        '[r]: /x',
        '[r]',
        '"t"',
        '<div>',
        '</div>\n',
        '<!--',
        '-->',
        '\\',
        '\u0000',
        'é',
        '漢',
        ':',
        '**b',
        '_i',
      ],
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

function cutByPieces(text: string, sizes: Iterator<number>): string[] {
  const closed: string[] = [];
  let settled = 0;
  for (let end = 0; end < text.length;) {
    end += Number(sizes.next().value);
    const cut = cutClosedBlocks(text.slice(settled, end));
    closed.push(...cut.closed);
    settled += cut.length;
  }
  return [...closed, ...cutAllBlocks(text.slice(settled))];
}
