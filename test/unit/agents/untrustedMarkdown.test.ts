import MarkdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import { untrustedMarkdown } from '../../../extension/agents/untrustedMarkdown.ts';

/** Everything on that a renderer could make of a text. */
const renderer = new MarkdownIt({ html: true, linkify: true });

const hostile: readonly (readonly [name: string, text: string])[] = [
  ['a link', '[a](https://example.com) and [b](command:x.y)'],
  ['a link by reference', '[a][r]\n\n[r]: https://example.com'],
  ['an image', '![a](https://example.com/a.png)'],
  ['HTML', '<img src=x onerror=alert(1)> <a href="command:x">a</a>'],
  ['HTML after a line feed', 'a\n\n<div>\n<a href="command:x">b</a>\n</div>'],
  ['addresses', 'https://example.com www.example.com a@example.com <https://example.com>'],
  ['code that is not closed', '`a [b](https://example.com)'],
  ['code over two lines', 'a `b\nc` [d](https://example.com)'],
  ['code closed by another number of backticks', '``a` [b](https://example.com)'],
  ['an escaped backtick', '\\`[a](https://example.com)`'],
  ['a fence in a list', '- a\n   ```\n![b](https://example.com/b.png)\n   ```'],
  ['a fence in a quote', '> ```\n![a](https://example.com/a.png)'],
  ['a fence in the depth', '    ```\n![a](https://example.com/a.png)'],
  ['a fence closed otherwise', '```\na\n```~~~\n![b](https://example.com/b.png)\n```'],
  ['a fence of tildes in one of backticks', '```\n~~~\n```\n![a](https://example.com/a.png)'],
  ['a longer fence', '````\n```\n![a](https://example.com/a.png)\n````'],
  ['a table', '| a | `b |\n|---|---|\n| `c | [d](https://example.com)` |'],
  ['an info with a link', '```[a](https://example.com)\nb\n```'],
  ['entities', '&lt;b&gt; &#91;a](https://example.com)'],
];

describe('what a model wrote has no link, image or HTML of its own', () => {
  test.each(hostile)('%s', (_, text) => {
    for (const length of [1, 7, 1_000]) {
      const html = renderer.render(written(text, length));
      expect(html).not.toMatch(/<(?:a|img|div|table)\b/);
    }
  });
});

describe('what it wrote is seen', () => {
  test.each([
    ['words', 'A *fare* of **1250** cents, see `fares.ts`.', 'A *fare* of **1250** cents, see `fares.ts`.'],
    ['code', 'So:\n```ts\nconst a = b[0] < 1;\n```\nend', 'So:\n```ts\nconst a = b[0] < 1;\n```\nend'],
    ['code that is cut off', '```py\na', '```py\na\n```'],
    ['tildes', '~~~\na\n~~~', '```\na\n~~~\n```'],
    ['a place', 'in a/b_c.ts:3', 'in a/b_c.ts:3'],
    ['hidden characters', 'a\u202eb\u0007c', 'abc'],
  ])('%s', (_, text, expected) => {
    for (const length of [1, 7, 1_000]) expect(written(text, length)).toBe(expected);
  });
});

/** As it is given on when it comes in parts of this length. */
function written(text: string, length: number): string {
  let markdown = '';
  const writer = untrustedMarkdown((part) => (markdown += part));
  for (let at = 0; at < text.length; at += length) writer.write(text.slice(at, at + length));
  writer.end();
  return markdown;
}
