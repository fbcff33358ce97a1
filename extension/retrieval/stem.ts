/**
 * One form for the members of a word family: connect, connected and connection meet in one stem.
 * The stem need not be a word. Anything but plain lower-case Latin letters is returned as it is.
 */
export function stem(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  return ending(family(singular(irregular.get(word) ?? word)));
}

function singular(word: string): string {
  if (word.length < 4 || /(?:ss|us|is)$/.test(word)) return word;
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|zz)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') ? word.slice(0, -1) : word;
}

function family(word: string): string {
  // generate, generation, generator: without "at", so that configuration meets configure. Short words keep it: create, creation.
  const withoutAt = /^(.{4,})(?:ate|ated|ating|ation|ator)$/.exec(word);
  if (withoutAt !== null) return withoutAt[1]!;
  for (const [suffix, dropped] of suffixes) {
    const base = word.slice(0, word.length - dropped);
    // "string" and "shed" are no forms of a verb: what is left must hold a vowel.
    if (suffix.test(word) && base.length >= 2 && /[aeiouy]/.test(base)) return base;
  }
  return word;
}

/** Spelling changes at the seam of base and suffix (caching, mapping, policies), made equal by making them everywhere. */
function ending(word: string): string {
  if (word.length < 3) return word;
  const bare = word.replace(/e$/, '').replace(/([^aeiou])\1$/, '$1');
  return bare.replace(/y$/, 'i');
}

/** Suffixes with the number of letters that go. */
const suffixes: readonly (readonly [RegExp, number])[] = [
  [/ing$/, 3],
  [/[^e]ed$/, 2],
  [/[st]ion$/, 3],
  [/[st]sor$/, 2],
  [/[aeiou]tor$/, 2],
  [/i[sz]er$/, 2],
  [/...val$/, 2],
];

const irregular: ReadonlyMap<string, string> = new Map([
  ['built', 'build'],
  ['chose', 'choose'],
  ['chosen', 'choose'],
  ['decision', 'decide'],
  ['decisions', 'decide'],
  ['drawn', 'draw'],
  ['embed', 'embedding'],
  ['embeds', 'embedding'],
  ['found', 'find'],
  ['held', 'hold'],
  ['indices', 'index'],
  ['kept', 'keep'],
  ['ran', 'run'],
  ['sent', 'send'],
  ['thrown', 'throw'],
  ['written', 'write'],
  ['wrote', 'write'],
]);
