import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerText } from '../../webview/answer/answerText.ts';
import { uniforms } from '../reference/random.ts';
import { openAnswerPage, type AnswerPage } from './answerPage.ts';

let answer: AnswerPage;
beforeAll(async () => {
  answer = await openAnswerPage();
});
afterAll(() => answer.close());

const samples: Readonly<Record<string, string>> = {
  paragraphs:
    'The **parser** reads `src/parser.ts:12-20`.\n\nIt *then* calls\nthe ~~old~~ new one, see README.md.\n',
  headings: '# One\ntext\nTwo\n===\n\nThree\n---\n\n###### Six\n\n***\n',
  lists: '- a\n- b\n\n  more of b\n  1. c\n  2. d\n\n\n10. ten\n11. eleven\n\ntext\n* other\n+ third\n',
  fences:
    'Code:\n```ts\nconst a: string = `b`;\n\n// c\n```\n~~~\nplain\n```\n~~~\n\n````md\n```js\nx\n```\n````\nend',
  'code in a list':
    '1. First:\n\n   ```python\n   def f():\n       return 1\n   ```\n\n2. Second\n\n       indented\n',
  'open fence': 'See\n\n```rust\nfn main() {\n    println!("a");\n',
  tables: 'a | b\n--|:-:\n1 | `x|y`\n2 | **z**\n\nafter\n\n| not | a table\n| - |\n',
  quotes: '> a\nlazy\n> > b\n\n> c\n\n    code\n\n    more\n\tend\n',
  links:
    '[the index](src/index.ts#L3) ![p](p.png) <https://a.b/c> [r][x]\n\n[x]: src/x.ts\n"title"\n\n[a](https://b.c "d")\n',
  'half open': 'a **b `c\n\n*d\n\n[e](f\n\n```',
  'carriage returns': 'a\r\nb\r\n\r\n- c\r\n\r\n```js\r\nlet d;\r\n```\r\ne\rf',
  'hidden characters': 'a\u202eb `c\u200bd`\n\n```c\nint\u2066 x; // \ufeff\n```\n',
};

describe('streaming', () => {
  it.each(Object.entries(samples))('%s: as the text at once', async (_name, text) => {
    const atOnce = await shown([text]);
    expect(await shown(Array.from(text))).toEqual(atOnce);
    for (let seed = 1; seed <= 8; seed++) {
      expect(await shown(randomPieces(text, seed)), `seed ${seed}`).toEqual(atOnce);
    }
  });

  it('goes on behind an end', async () => {
    const html = await answer.page.evaluate(async () => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      for (const [text, streaming] of [
        ['a\n\n- b', true],
        ['a\n\n- b', false],
        ['a\n\n- b\n- c `x', true],
        ['a\n\n- b\n- c `x`', false],
      ] as const) {
        element.text = text;
        element.streaming = streaming;
        await element.updateComplete;
      }
      return element.shadowRoot!.innerHTML;
    });
    expect(html).toBe(await shown(['a\n\n- b\n- c `x`']));
  });

  it('replaces a text that does not begin with the one before', async () => {
    const html = await answer.page.evaluate(async () => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      for (const text of ['one\n\ntwo\n\nthree', 'other']) {
        element.text = text;
        await element.updateComplete;
      }
      return element.shadowRoot!.innerHTML;
    });
    expect(html).toBe(await shown(['other']));
  });
});

describe('links', () => {
  const markdown =
    'See src/a.ts:3, `src/b c.ts`, missing.ts and [the docs](docs/x.md).\n\n```\nsrc/a.ts:3\n```\n\nsrc/open.ts';

  it('asks once for what completed blocks name', async () => {
    const asked = await answer.page.evaluate(async (markdown) => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      const asked: string[][] = [];
      document.addEventListener('ask-check-links', (event) => {
        asked.push((event as CustomEvent<string[]>).detail);
      });
      element.streaming = true;
      element.text = markdown;
      await element.updateComplete;
      element.text += ' and src/a.ts:3 again';
      await element.updateComplete;
      element.streaming = false;
      await element.updateComplete;
      return asked;
    }, markdown);
    expect(asked).toEqual([['src/a.ts:3', 'src/b c.ts', 'missing.ts', 'docs/x.md'], ['src/open.ts']]);
  });

  it('asks for no more than 500 places', async () => {
    const count = await answer.page.evaluate(async () => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      let count = 0;
      element.addEventListener('ask-check-links', (event) => {
        count += (event as CustomEvent<string[]>).detail.length;
      });
      element.text = Array.from({ length: 600 }, (_, i) => `src/f${i}.ts`).join(' ');
      await element.updateComplete;
      return count;
    });
    expect(count).toBe(500);
  });

  it('makes links of those that exist alone, and follows them by mouse and keyboard', async () => {
    const { page } = answer;
    await page.evaluate(async (markdown) => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      const fired: unknown[] = [];
      Object.assign(window, { fired });
      element.addEventListener('ask-open', (event) => fired.push((event as CustomEvent<unknown>).detail));
      element.addEventListener('ask-preview', (event) => {
        const detail = (event as CustomEvent<{ place: unknown; anchor: Element } | null>).detail;
        fired.push(detail === null ? 'over' : `preview ${detail.anchor.textContent}`);
      });
      element.text = markdown;
      await element.updateComplete;
      element.links = [
        {
          text: 'src/a.ts:3',
          place: { workspace: 'w', path: 'src/a.ts', lines: { startLine: 3, endLine: 3 } },
        },
        { text: 'src/b c.ts', place: { workspace: 'w', path: 'src/b c.ts' } },
      ];
      await element.updateComplete;
    }, markdown);
    const fired = (): Promise<unknown[]> =>
      page.evaluate(() => (window as unknown as { fired: unknown[] }).fired.splice(0));
    const first = { workspace: 'w', path: 'src/a.ts', lines: { startLine: 3, endLine: 3 } };
    const second = { workspace: 'w', path: 'src/b c.ts' };

    expect(await page.getByRole('link').allTextContents()).toEqual(['src/a.ts:3', 'src/b c.ts']);
    await page.keyboard.press('Tab');
    expect(await fired()).toEqual(['preview src/a.ts:3']);
    await page.keyboard.press('Enter');
    expect(await fired()).toEqual([first]);
    await page.keyboard.press('Tab');
    expect(await fired()).toEqual(['over', 'preview src/b c.ts']);
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    expect(await fired()).toEqual([second, 'over']);
    await page.getByRole('link').first().hover();
    expect(await fired()).toEqual(['preview src/a.ts:3']);
    await page.getByText('missing.ts').click();
    expect(await fired()).toEqual(['over', 'over']);
  });

  it('takes back a link that is no longer given', async () => {
    const counts = await answer.page.evaluate(async () => {
      const element = document.createElement('ask-answer');
      document.body.replaceChildren(element);
      element.text = 'src/a.ts src/a.ts';
      const counts: number[] = [];
      for (const links of [[{ text: 'src/a.ts', place: { workspace: 'w', path: 'src/a.ts' } }], []]) {
        element.links = links;
        await element.updateComplete;
        counts.push(element.shadowRoot!.querySelectorAll('[role=link]').length);
      }
      return counts;
    });
    expect(counts).toEqual([2, 0]);
  });
});

describe('code', () => {
  const coloured: readonly (readonly [language: string, code: string])[] = [
    ['ts', 'const a: string = "b";'],
    ['tsx', 'const a = <p className="b">c</p>;'],
    ['js', 'function f() { return 1; }'],
    ['jsx', 'const a = <p>b</p>;'],
    ['json', '{ "a": 1 }'],
    ['jsonc', '{ "a": 1 } // b'],
    ['python', 'def f(a):\n    return "b"'],
    ['rust', 'fn main() { let a = "b"; }'],
    ['go', 'func main() { return "a" }'],
    ['java', 'public class A { int b = 1; }'],
    ['kotlin', 'fun main() { val a = "b" }'],
    ['c', 'int main(void) { return 0; }'],
    ['c++', 'int main() { return 0; }'],
    ['csharp', 'public class A { int b = 1; }'],
    ['php', '<?php echo "a";'],
    ['ruby', 'def f\n  "a"\nend'],
    ['swift', 'let a = "b"'],
    ['bash', 'if true; then echo "a"; fi'],
    ['powershell', 'if ($a) { Write-Host "b" }'],
    ['sql', "SELECT a FROM b WHERE c = 'd'"],
    ['html', '<p class="a">b</p>'],
    ['css', 'a { color: red; }'],
    ['scss', '$a: 1px; b { c: $a; }'],
    ['yaml', 'a: "b"'],
    ['toml', 'a = "b"'],
    ['xml', '<a b="c">d</a>'],
    ['markdown', '# a\n\n**b** `c`'],
    ['diff', '-a\n+b'],
    ['dockerfile', 'FROM a\nRUN "b"'],
    ['makefile', 'all: b\n\t@echo "c"'],
    ['lua', 'local a = "b"'],
    ['dart', 'void main() { var a = "b"; }'],
    ['scala', 'val a = "b"'],
  ];
  it.each(coloured)('%s is coloured and reads the same', async (language, code) => {
    const { text, kinds } = await codeShown(`\`\`\`${language}\n${code}\n\`\`\``);
    expect(text).toBe(code);
    expect(kinds).not.toEqual([]);
  });

  it.each(['', 'klingon', '__proto__', 'constructor'])('language "%s" is plain', async (language) => {
    expect(await codeShown(`\`\`\`${language}\nconst a = 1;\n\`\`\``)).toEqual({
      text: 'const a = 1;',
      kinds: [],
    });
  });

  it('is plain when it is very long', async () => {
    const code = 'const a = "b";\n'.repeat(200_000 / 15).trimEnd();
    expect(await codeShown(`\`\`\`ts\n${code}\n\`\`\``)).toEqual({ text: code, kinds: [] });
  });

  it('keeps the state of a language from step to step', async () => {
    const code = `/*\n${'a\n'.repeat(350)}*/ const b = 1;`;
    const { text, kinds } = await codeShown(`\`\`\`ts\n${code}\n\`\`\``);
    expect(text).toBe(code);
    expect(kinds.slice(0, 350).every((kind) => kind === 'token-comment')).toBe(true);
    expect(kinds).toContain('token-keyword');
  });

  it('names hidden characters, and copies and inserts what was written', async () => {
    const code = 'if (a\u202e) {}\n  b;';
    const { page } = answer;
    expect((await codeShown(`\`\`\`js\n${code}\n\`\`\``)).text).toBe('if (aU+202E) {}\n  b;');
    const fired = page.evaluate(
      () =>
        new Promise((resolve) => {
          const all: unknown[] = [];
          for (const type of ['ask-copy', 'ask-insert']) {
            document.addEventListener(
              type,
              (event) => {
                all.push(type, (event as CustomEvent<unknown>).detail);
                if (all.length === 4) resolve(all);
              },
              { once: true },
            );
          }
        }),
    );
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Insert at Cursor' }).press('Enter');
    expect(await fired).toEqual(['ask-copy', code, 'ask-insert', code]);
  });
});

/** The element's inside once all of the pieces were given, one after the other. */
function shown(pieces: readonly string[]): Promise<string> {
  return answer.page.evaluate(async (pieces) => {
    const element: AnswerText = document.createElement('ask-answer');
    document.body.replaceChildren(element);
    element.streaming = pieces.length > 1;
    for (const piece of pieces) {
      element.text += piece;
      await element.updateComplete;
    }
    element.streaming = false;
    await element.updateComplete;
    return element.shadowRoot!.innerHTML;
  }, pieces);
}

async function codeShown(markdown: string): Promise<{ text: string; kinds: string[] }> {
  await shown([markdown]);
  expect(await answer.takeTrouble()).toEqual([]);
  return answer.page.evaluate(() => {
    const code = document.querySelector('ask-answer')!.shadowRoot!.querySelector('pre > code')!;
    return {
      text: code.textContent,
      kinds: Array.from(code.querySelectorAll('[class^=token-]'), (token) => token.classList[0]!),
    };
  });
}

function randomPieces(text: string, seed: number): string[] {
  const next = uniforms(seed);
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(next() * 20);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
