/**
 * What the model writes and what files are called is foreign text: printed raw, it could move the cursor, change
 * the title, hide lines or turn the reading direction around. Nothing of either reaches the terminal unwashed.
 */
import { stripVTControlCharacters } from 'node:util';

// Every control character but line feed and tab, the separators that some terminals take for line ends, and the
// marks that turn the direction of the text.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text of several lines. Line feeds and tabs stay; lone carriage returns and all other controls go. */
export function safeText(text: string): string {
  return stripVTControlCharacters(text).replace(unsafe, '');
}

/** A name within one line: each character taken out leaves a mark, so that two names do not look alike. */
export function safeName(name: string): string {
  return name.replace(unsafe, '\ufffd').replace(/[\n\t]/g, '\ufffd');
}

/** As much of one line as fits the columns; a letter of two columns counts as two. */
export function fitColumns(line: string, columns: number): string {
  let width = 0;
  let fitting = '';
  for (const letter of line) {
    width += /\p{Mark}/u.test(letter) ? 0 : wide.test(letter) ? 2 : 1;
    if (width > columns) return fitting;
    fitting += letter;
  }
  return fitting;
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
