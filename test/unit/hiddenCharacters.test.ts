import { describe, expect, it } from 'vitest';
import { codePointName, cutAtHiddenCharacters } from '../../extension/protocol/hiddenCharacters.ts';

const cases: readonly (readonly [name: string, text: string, inCode: string, inProse: string])[] = [
  ['plain', 'a\tb\r\nc', 'a\tb\r\nc', 'a\tb\r\nc'],
  ['override and isolate', 'a\u202eb\u2066c', 'a<U+202E>b<U+2066>c', 'a<U+202E>b<U+2066>c'],
  ['zero width', 'a\u200bb\ufeff', 'a<U+200B>b<U+FEFF>', 'a<U+200B>b<U+FEFF>'],
  ['joiners', '👩\u200d💻', '👩<U+200D>💻', '👩\u200d💻'],
  ['mark of direction', 'שלום\u200f!', 'שלום<U+200F>!', 'שלום\u200f!'],
  ['terminal control', '\u001b[31mred', '<U+001B>[31mred', '<U+001B>[31mred'],
  ['no-break space', 'a\u00a0b', 'a<U+00A0>b', 'a\u00a0b'],
  ['tags', 'a\u{e0041}', 'a<U+E0041>', 'a<U+E0041>'],
  ['filler that is a letter', 'a\u3164b', 'a<U+3164>b', 'a<U+3164>b'],
  ['end of a line that is none', 'a\u2028b', 'a<U+2028>b', 'a<U+2028>b'],
];

describe('cutAtHiddenCharacters', () => {
  it.each(cases)('%s', (_name, text, inCode, inProse) => {
    expect(named(text, 'code')).toBe(inCode);
    expect(named(text, 'prose')).toBe(inProse);
  });
});

function named(text: string, where: 'code' | 'prose'): string {
  return cutAtHiddenCharacters(text, where)
    .map((piece) => ('text' in piece ? piece.text : `<${codePointName(piece.hidden)}>`))
    .join('');
}
