/** What a model wrote, made short and harmless. */

/** Characters. */
const longestText = 320;
const mostSentences = 2;

/**
 * The first one or two sentences of an answer as plain text of one line: without code blocks, Markdown's marks, cited
 * places (they are shown as links beside it) and control characters. '' when nothing is left.
 */
export function shortText(answer: string): string {
  const plain = answer
    .replace(/```[\s\S]*?(?:```|$)/gu, ' ')
    .replace(/^\s*(?:#{1,6}|[-*+>]|\d+[.)])\s+/gmu, '')
    .replace(/^\s*(?:question|answer|[qa]):\s*/gimu, '')
    .replace(/[([]?(?:\bat |\bin )?[`]?[\w@$+./\\-]*\w\.\w+:\d+(?:\s?[-–]\s?\d+)?[`]?[)\]]?/gu, '')
    .replace(/\*\*|[`]/gu, '');
  const line = oneLine(plain).replace(/ +(?=[.,;:!?])/gu, '');
  // A small model may begin with the question again.
  const sentences = line
    .split(/(?<=[\p{L}\p{N})\]"'][.!?]|[。！？])\s+(?=\S)/u)
    .filter((sentence) => !/[?？]$/u.test(sentence));
  const whole = sentences.filter((sentence) => /[.!。！]["')\]]?$/u.test(sentence));
  // The answer may have been cut off within its last sentence.
  const first = whole.length === 0 ? sentences.join(' ') : whole.slice(0, mostSentences).join(' ');
  return shortened(first, longestText);
}

/** Of a text of one line. */
export function firstSentence(text: string, longest: number): string {
  return shortened(text.split(/(?<=[.!?])\s|(?<=[。！？])/u)[0] ?? '', longest);
}

/**
 * The text as Markdown that shows it and does nothing else. Every sign that is no letter, digit or space becomes a
 * character reference, so that no syntax, link, HTML, emoji or icon can be made of it.
 */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replace(/[^\p{L}\p{M}\p{N} ]/gu, (sign) => `&#${sign.codePointAt(0) ?? 0};`);
}

/** In one line, without control characters and those that hide or turn text around. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu, '')
    .trim();
}

function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).replace(/\s+\S*$/u, '')}…`;
}
