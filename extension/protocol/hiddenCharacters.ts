/**
 * Characters that are not seen, or that order what is around them otherwise than it stands: text with them can read
 * as something that it is not.
 */

/** What stands in the text, or a character of it that is to be named, since it would not be seen. */
export type Piece = { readonly text: string } | { readonly hidden: string };

/** Cuts a text at its hidden characters, each a piece of its own. In code all are hidden, in prose those that mislead. */
export function cutAtHiddenCharacters(text: string, where: 'code' | 'prose'): Piece[] {
  const pattern = where === 'code' ? hiddenInCode : hiddenInProse;
  const pieces: Piece[] = [];
  let at = 0;
  for (const { 0: hidden, index } of text.matchAll(pattern)) {
    if (index > at) pieces.push({ text: text.slice(at, index) });
    pieces.push({ hidden });
    at = index + hidden.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** "U+202E" for RIGHT-TO-LEFT OVERRIDE. */
export function codePointName(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Of the control characters, tab and the line's ends are what they are for. */
const controls = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';
const separators = '\\u2028\\u2029';
/** Embeddings, overrides and isolates. */
const directions = '\\u202a-\\u202e\\u2066-\\u2069';
const zeroWidth = '\\u200b\\u2060-\\u2065\\u206a-\\u206f\\u180e\\ufeff\\u{e0000}-\\u{e0fff}\\ufff9-\\ufffb';
/** Written for their looks alone, so that names which differ look the same. */
const blank = '\\u115f\\u1160\\u3164\\uffa0\\u00ad\\u034f\\u17b4\\u17b5\\u2800';
/** Joiners and marks that prose in many scripts, and emoji, need. */
const ofProse = '\\u200c-\\u200f\\u061c\\ufe00-\\ufe0f\\u00a0\\u2000-\\u200a\\u202f\\u205f\\u3000';

const hiddenInProse = new RegExp(`[${controls}${separators}${directions}${zeroWidth}${blank}]`, 'gu');
const hiddenInCode = new RegExp(
  `[${controls}${separators}${directions}${zeroWidth}${blank}${ofProse}]`,
  'gu',
);
