/** A link from outside: whoever wrote it is unknown, so that what it asks is shown as it is before anything happens. */
import { codePointName, cutAtHiddenCharacters } from '../protocol/hiddenCharacters.ts';

/** Characters: a question that is shown whole must fit a dialog. */
export const longestLinkQuestion = 1_000;

export type DeepLink =
  { readonly question: string } | { readonly problem: 'unknownPath' | 'noQuestion' | 'tooLong' };

/**
 * `/ask?q=…`. Everything after `q=` is the question, since VS Code decodes the query before it is seen here.
 * White space becomes single spaces, so that nothing is pushed out of sight; characters that are not seen, or turn the
 * text around, become their names. What is shown is what is asked.
 */
export function parseDeepLink({ path, query }: { readonly path: string; readonly query: string }): DeepLink {
  if (path !== '/ask') return { problem: 'unknownPath' };
  const [, asked] = /^q=(.*)$/su.exec(query) ?? [];
  const line = asked?.replace(/\s+/gu, ' ').trim() ?? '';
  if (line === '') return { problem: 'noQuestion' };
  const question = visible(line);
  return question.length > longestLinkQuestion ? { problem: 'tooLong' } : { question };
}

/** Marks that turn the direction of what is beside them belong to prose, and have no use in a question from outside. */
const directionMarks = /[\u200e\u200f\u061c]/gu;

function visible(line: string): string {
  const prose = cutAtHiddenCharacters(line, 'prose').map((piece) =>
    'text' in piece ? piece.text : named(piece.hidden),
  );
  return prose.join('').replace(directionMarks, named);
}

function named(character: string): string {
  return `<${codePointName(character)}>`;
}
