/** The "@" that is being typed in a question. */

export interface Mention {
  /** Index of the "@". */
  readonly start: number;
  /** Where the caret is, after what is typed so far. */
  readonly end: number;
  /** What stands between. */
  readonly text: string;
}

/** The mention that the caret is in: an "@" at the beginning of a word, and no space since. */
export function mentionAt(text: string, caret: number): Mention | null {
  const match = /(?:^|[\s(,])@([^\s@]*)$/u.exec(text.slice(0, caret));
  if (match === null) return null;
  const typed = match[1] ?? '';
  return { start: caret - typed.length - 1, end: caret, text: typed };
}

/** The question with the name of what was chosen in the place of the mention, and where the caret is then. */
export function replaceMention(
  text: string,
  { start, end }: Mention,
  name: string,
): { readonly text: string; readonly caret: number } {
  const after = text.slice(end);
  const inserted = /^\s/u.test(after) ? name : `${name} `;
  return { text: text.slice(0, start) + inserted + after, caret: start + name.length + 1 };
}
