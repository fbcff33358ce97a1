import { stem } from './stem.ts';

/**
 * The terms of any text: lower case, stemmed, identifiers taken apart and also kept whole. `HTTPServer` gives
 * http, server and httpserver; text of scripts that are written without spaces gives pairs of characters.
 * A term occurs as often as it does in the text.
 */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  scanWords(text, 0, text.length, (start, end) => terms.push(...termsOfWord(text.slice(start, end))));
  return terms;
}

/**
 * The distinct terms to look for: those of the question without its question words, and neighbouring words joined,
 * so that "token budget" meets tokenBudget and tokenbudget. None when it asks for nothing but the project as a whole.
 */
export function questionTerms(question: string): string[] {
  const asked = question.replace(wholeProject, ' ');
  const terms = new Set<string>();
  let previous: { word: string; end: number } | undefined;
  scanWords(asked, 0, asked.length, (start, end) => {
    const word = asked.slice(start, end);
    if (stopWords.has(word.toLowerCase())) return;
    for (const term of termsOfWord(word)) terms.add(term);
    if (previous !== undefined && asked.slice(previous.end, start).trim() === '')
      for (const term of termsOfWord(`${previous.word}_${word}`).slice(2)) terms.add(term);
    previous = { word, end };
  });
  return [...terms];
}

/**
 * Calls `onWord` with the offsets of every word between two offsets of a text: a run of letters, digits, marks and
 * underscores, and hyphens between letters. A run longer than `MAX_WORD_LENGTH` comes in pieces.
 */
export function scanWords(
  text: string,
  from: number,
  to: number,
  onWord: (start: number, end: number) => void,
): void {
  let offset = from;
  while (offset < to) {
    if (!isWordCode(text.charCodeAt(offset))) {
      offset++;
      continue;
    }
    const start = offset;
    const last = Math.min(to, start + MAX_WORD_LENGTH);
    offset++;
    while (offset < last) {
      const code = text.charCodeAt(offset);
      if (
        !isWordCode(code) &&
        !(code === HYPHEN && offset + 1 < last && isLetter(text.charCodeAt(offset + 1)))
      )
        break;
      offset++;
    }
    onWord(start, offset);
  }
}

/** The terms of one word as `scanWords` finds it. */
export function termsOfWord(word: string): string[] {
  const terms: string[] = [];
  const parts: string[] = [];
  for (const [part] of word.normalize('NFKC').matchAll(wordParts)) {
    if (spaceless.test(part)) terms.push(...bigrams(part));
    else parts.push(part.toLowerCase());
  }
  for (const part of parts) if (part.length > 1) terms.push(stem(part));
  for (let index = 1; index < parts.length; index++) terms.push(stem(parts[index - 1]! + parts[index]!));
  if (parts.length > 2) terms.push(stem(parts.join('')));
  return terms;
}

function bigrams(run: string): string[] {
  const characters = Array.from(run);
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => characters[index]! + character);
}

function isWordCode(code: number): boolean {
  const kind = kinds[code]!;
  return kind === UNKNOWN ? classify(code) === WORD : kind === WORD;
}

function isLetter(code: number): boolean {
  return isWordCode(code) && code !== UNDERSCORE && !(code >= DIGIT_0 && code <= DIGIT_9);
}

function classify(code: number): number {
  // Halves of a surrogate pair are taken for letters here; `wordParts` sees the whole character and drops emoji.
  const isWord = (code >= 0xd800 && code <= 0xdfff) || /[\p{L}\p{N}\p{M}_]/u.test(String.fromCharCode(code));
  return (kinds[code] = isWord ? WORD : SEPARATOR);
}

/** UTF-16 code units. What is longer is a hash or encoded data more often than a name. */
const MAX_WORD_LENGTH = 200;

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

const UNKNOWN = 0;
const SEPARATOR = 1;
const WORD = 2;
/** What each UTF-16 code unit is, filled as they are met. */
const kinds = new Uint8Array(0x10000);

const scriptsWithoutSpaces =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u30fc' +
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const spaceless = new RegExp(`^[${scriptsWithoutSpaces}]`, 'u');
const wordParts = new RegExp(
  [
    `[${scriptsWithoutSpaces}]+`,
    '\\p{Lu}{2,}s(?!\\p{Ll})', // URLs
    '\\p{Lu}+(?=\\p{Lu}\\p{Ll})', // HTTP of HTTPServer
    '\\p{Lu}?[\\p{Ll}\\p{M}]+',
    '[\\p{Lu}\\p{Lt}]+\\p{M}*',
    '[\\p{Lo}\\p{Lm}\\p{M}]+',
    '\\p{N}+',
  ].join('|'),
  'gu',
);

const wholeProject =
  /\b(?:this|the whole|the entire|whole|entire) (?:project|repository|repo|codebase|code base|program|app|application)\b/giu;

const stopWords: ReadonlySet<string> = new Set(
  `a about all also am an and any are aren as at be been being but by can could defined did didn do does doesn doing don done
  each else ever every exactly explain for from get gets give had happen happening happens has have having he her here
  how i if implement implemented implements in into is isn it its just kind let ll located may me might much must my no
  not of on or our out please re s shall she should so some t tell than that the their them then there these they thing
  things this those through to too up us ve very was wasn way we well were weren what when where whether which while
  who whom whose why will with within won work working works would you your`.split(/\s+/),
);
