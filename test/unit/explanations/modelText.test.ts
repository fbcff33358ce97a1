import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, test } from 'vitest';
import {
  escapeMarkdown,
  firstSentence,
  oneLine,
  shortText,
} from '../../../extension/explanations/modelText.ts';

/** Reads all that an editor's renderer might: HTML, bare addresses, typographic marks. */
const markdown = new MarkdownIt({ html: true, linkify: true, typographer: true });

/** What is shown of a text, without its paragraph; what could be markup is then still a tag here. */
function rendered(text: string): string {
  return markdown
    .render(escapeMarkdown(text))
    .replace(/^<p>|<\/p>\n$/g, '')
    .replace(
      /&(lt|gt|amp|quot);/g,
      (_, name: string) => ({ lt: '‹', gt: '›', amp: '&', quot: '"' })[name] ?? '',
    );
}

const hostile: readonly string[] = [
  '[click](command:workbench.action.terminal.new)',
  '[click](command:askCodebase.explainSymbol?%5B%5D)',
  '<command:workbench.action.quit>',
  'command:workbench.action.quit',
  '[a]: command:workbench.action.quit\n\n[a]',
  '![x](https://example.com/beacon.png)',
  '<img src=x onerror=alert(1)>',
  '<img src="https://example.com/beacon.png">',
  '<a href="command:workbench.action.quit">x</a>',
  '<script>alert(1)</script>',
  '</span><h1>Trusted</h1><span>',
  '<span style="color:#000;position:fixed">x</span>',
  '<!-- --><b>x</b>',
  'https://example.com/?q=secret',
  'www.example.com',
  'mail someone@example.com now',
  'file:///etc/passwd',
  '$(alert) $(gear~spin)',
  '# Heading',
  'Heading\n=======',
  '- a\n- b',
  '1. a',
  '> quote',
  '```\ncode\n```',
  '    indented',
  '`code` **bold** _it_ ~~gone~~',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  '&lt;b&gt; &#60;b&#62; &amp;',
  '\\[x\\](command:y)',
  '[x](\njavascript:alert(1))',
  '{{7*7}} ${7*7} %%',
];

describe('text of a model in Markdown', () => {
  test.each(hostile)('%j is shown as it is, and is nothing else', (text) => {
    const html = rendered(text);
    expect(html).not.toMatch(/[<>]/);
    expect(html).toBe(oneLine(text).replaceAll('<', '‹').replaceAll('>', '›'));
    // Of its own syntax the renderer sees nothing at all.
    expect(escapeMarkdown(text)).toMatch(/^(?:[\p{L}\p{M}\p{N} ]|&#\d+;)*$/u);
  });

  test('any text is shown as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(escapeMarkdown(text)).toMatch(/^(?:[\p{L}\p{M}\p{N} ]|&#\d+;)*$/u);
        expect(rendered(text)).not.toMatch(/[<>]/);
      }),
    );
  });

  test.each([
    ['turned\u202e around', 'turned around'],
    ['a\u0000b\u001b[31mc', 'ab[31mc'],
    ['hid\u200bden\ufeff', 'hidden'],
    [' a\r\n\tb ', 'a b'],
  ])('%j has no character that hides', (text, expected) => {
    expect(oneLine(text)).toBe(expected);
  });
});

describe('an answer made short', () => {
  test.each<[name: string, answer: string, expected: string]>([
    ['one sentence', 'It adds a fare.', 'It adds a fare.'],
    ['two of three', 'It adds. It is called by refunds. More.', 'It adds. It is called by refunds.'],
    ['cut off in the second', 'It adds a fare. It is call', 'It adds a fare.'],
    ['cut off in the first', 'It adds a fare and', 'It adds a fare and'],
    ['cited places', 'It adds (tickets/fares.ts:14-17). See a.ts:3.', 'It adds. See.'],
    ['a dot within a name', 'Calls a.b of v1.2 twice. Then c', 'Calls a.b of v1.2 twice.'],
    ['Markdown', '## What\n- **fareOf** adds `seat`.\n', 'What fareOf adds seat.'],
    ['code', 'It adds:\n```ts\nreturn 1;\n```\nIt returns a sum.', 'It adds: It returns a sum.'],
    ['only code', '```ts\nreturn 1;', ''],
    ['Japanese', '運賃を計算します。 返金に使われます。 ほか', '運賃を計算します。 返金に使われます。'],
    ['the question again', 'Question: What is it?\nAnswer: It adds.', 'It adds.'],
    ['only the question', 'What is it?', ''],
    ['nothing', ' \n', ''],
  ])('%s', (_, answer, expected) => {
    expect(shortText(answer)).toBe(expected);
  });

  test('is never long', () => {
    expect(shortText('word '.repeat(500)).length).toBeLessThanOrEqual(321);
    expect(shortText('x'.repeat(5000)).length).toBeLessThanOrEqual(321);
  });

  test('its first sentence fits a line', () => {
    expect(firstSentence('It adds. It is called.', 100)).toBe('It adds.');
    expect(firstSentence('It adds a fare to another', 10)).toBe('It adds a…');
  });
});
