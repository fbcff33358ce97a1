import { describe, expect, test } from 'vitest';
import {
  isName,
  isPublic,
  nameAt,
  occurrencesOf,
  outlineOf,
} from '../../../extension/explanations/outline.ts';
import { spreadUses } from '../../../extension/explanations/spreadUses.ts';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';

const grammars = createGrammars(readGrammarFile);

/** Each as `container.name:line-endLine`. */
const outlines: Readonly<Record<string, [text: string, symbols: string]>> = {
  'a.ts': [
    `export interface Fare {
  of(): number;
}
export class Desk extends Base {
  #open = 1;
  constructor() { super(); }
  private close() {}
  sell(n: number) {
    const inner = () => n;
    return inner();
  }
}
export const rate = 3;
export const add = (a: number) => {
  return a;
};
namespace Inside { export function deep() {} }
export type Id = string;
enum Colour { Red }
export default function main() {}
`,
    'Fare:1-3 Fare.of:2-2 Desk:4-12 Desk.constructor:6-6 Desk.close:7-7 Desk.sell:8-11 rate:13-13 add:14-16 Inside:17-17 Inside.deep:17-17 Id:18-18 Colour:19-19 main:20-20',
  ],
  'a.py': [
    `LIMIT = 17

@dataclass
class Weather:
    wind: float
    def strong(self):
        return self.wind > LIMIT

async def may_sail(weather):
    def inner(): pass
    return True
`,
    'LIMIT:1-1 Weather:4-7 Weather.strong:6-7 may_sail:9-11',
  ],
  'a.go': [
    `package lamp
const SecondsPerTurn = 11
type Lamp struct { n int }
func (l *Lamp) Turn() {}
func Angle(s int) int { return s }
`,
    'SecondsPerTurn:2-2 Lamp:3-3 Turn:4-4 Angle:5-5',
  ],
  'a.rs': [
    `pub struct Lamp { n: u8 }
impl Lamp {
    pub fn turn(&self) {}
}
const N: u8 = 1;
mod inside { fn f() {} }
`,
    'Lamp:1-1 Lamp:2-4 Lamp.turn:3-3 N:5-5 inside:6-6 inside.f:6-6',
  ],
  'a.c': [
    `#define MAX_LIT 96
struct board { int port; };
int *board_show(struct board *b)
{
    return 0;
}
`,
    'MAX_LIT:1-1 board:2-2 board_show:3-6',
  ],
  'a.java': [
    `class Desk {
  private int n;
  public int sell() { return n; }
}
`,
    'Desk:1-4 Desk.sell:3-3',
  ],
  'a.kt': [
    `package a
fun sell(n: Int) = n
class Desk
`,
    'a:1-1 sell:2-2 Desk:3-3',
  ],
};

test.each(Object.entries(outlines))('%s is outlined', async (path, [text, expected]) => {
  const symbols = await outlineOf({ workspace: 'w', path, text }, grammars);
  const shown = symbols.map(({ container, name, line, endLine }) => {
    return `${container === '' ? '' : `${container}.`}${name}:${line}-${endLine}`;
  });
  expect(shown.join(' ')).toBe(expected);
});

test('every column is that of the name', async () => {
  for (const [path, [text]] of Object.entries(outlines)) {
    for (const { name, line, column } of await outlineOf({ workspace: 'w', path, text }, grammars)) {
      expect(text.split('\n')[line - 1]?.slice(column, column + name.length)).toBe(name);
    }
  }
});

describe('the word at a place', () => {
  /** The place is before the bar. */
  test.each<[path: string, marked: string, expected: string | undefined]>([
    ['a.ts', 'const fa|re = 1;', 'fare'],
    ['a.ts', 'co|nst fare = 1;', undefined],
    ['a.ts', 'a.pay(|fare);', 'fare'],
    ['a.ts', 'a.p|ay(fare);', 'pay'],
    ['a.ts', 'x = "a fa|re";', undefined],
    ['a.ts', 'x = `a ${fa|re}`;', 'fare'],
    ['a.ts', 'f(); // a fa|re', undefined],
    ['a.ts', 'let x: nu|mber;', undefined],
    ['a.ts', 'let x: Fa|re;', 'Fare'],
    ['a.ts', 'th|is.x = 1;', undefined],
    ['a.ts', 'class A { #ho|me = 1 }', '#home'],
    ['a.ts', 'const 運|賃 = "😀"; ', '運賃'],
    ['a.ts', 'f("😀", fa|re);', 'fare'],
    ['a.py', 'def f(se|lf): pass', undefined],
    ['a.py', 'def ma|y(x): pass', 'may'],
    ['a.py', 'de|f may(x): pass', undefined],
    ['a.py', 'x = 1  # wi|nd', undefined],
    ['a.sh', 'sh|ow() { ls; }', 'show'],
    ['a.css', 'a { mar|gin: 0 }', undefined],
    ['a.md', 'The fa|re is low.', undefined],
    ['a.json', '{ "fa|re": 1 }', undefined],
    ['a.kt', 'fun fare() = 1\nval x = fa|re()', 'fare'],
    ['a.kt', 'va|l x = fare()', undefined],
  ])('%s: %s', async (path, marked, expected) => {
    const before = marked.slice(0, marked.indexOf('|')).split('\n');
    const place = { row: before.length - 1, column: before.at(-1)!.length };
    const found = await nameAt({ workspace: 'w', path, text: marked.replace('|', '') }, place, grammars);
    expect(found?.name).toBe(expected);
  });

  test.each([
    ['fareOf', true],
    ['$el', true],
    ['empty?', true],
    ['2nd', false],
    ['a b', false],
    ['self', false],
    ['x'.repeat(101), false],
    ['](command:x)', false],
  ])('%s is a name: %s', (word, expected) => {
    expect(isName(word)).toBe(expected);
  });
});

test('a name stands by itself, and not in a comment', () => {
  const text = 'fare\n// fare\nfares\nx.fare(fare)\n  # fare\nfunction fare() {\n';
  expect(occurrencesOf(text, 'fare')).toEqual([
    { line: 1, defines: false },
    { line: 4, defines: false },
    { line: 6, defines: true },
  ]);
  expect(occurrencesOf(text, 'fare', 1)).toHaveLength(1);
});

test('what is public', async () => {
  const [text] = outlines['a.ts']!;
  const symbols = await outlineOf({ workspace: 'w', path: 'a.ts', text }, grammars);
  const hidden = symbols.filter((symbol) => !isPublic(symbol, text)).map(({ name }) => name);
  expect(hidden).toEqual(['constructor', 'close']);
});

test('uses are spread over files, those of the definition last', () => {
  const at = (path: string, startLine: number) => ({ workspace: 'w', path, startLine, endLine: startLine });
  const uses = [at('home', 1), at('a', 1), at('a', 1), at('a', 2), at('b', 7), at('home', 2)];
  const spread = spreadUses(uses, { workspace: 'w', path: 'home' }, 5);
  expect(spread.map(({ path, startLine }) => `${path}:${startLine}`)).toEqual([
    'a:1',
    'b:7',
    'home:1',
    'a:2',
    'home:2',
  ]);
});
