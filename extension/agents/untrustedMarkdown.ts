/**
 * What a model wrote, as Markdown that is only text: emphasis, headings, lists and code stay; links, images, HTML, tables
 * and formulas are shown as they were written and do nothing.
 */
import { safeText } from '../terminal/safeText.ts';

export interface MarkdownWriter {
  /** A part of the text, cut anywhere. */
  readonly write: (text: string) => void;
  /** No text comes after it. */
  readonly end: () => void;
}

const fence = '```';

/**
 * Gives on whole lines, since only of a whole line it is known what of it is code. Every block of code is fenced anew at
 * the beginning of a line, so that it begins and ends the same for whoever renders it.
 */
export function untrustedMarkdown(emit: (markdown: string) => void): MarkdownWriter {
  let rest = '';
  let inCode = false;
  const rendered = (raw: string): string => {
    const line = safeText(raw);
    if (inCode) {
      if (!line.trimStart().startsWith(fence)) return line;
      inCode = false;
      return fence;
    }
    const opening = /^ {0,3}(?:`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*$/u.exec(line);
    if (opening === null) return untrustedLine(line);
    inCode = true;
    return `${fence}${opening[1] ?? ''}`;
  };
  return {
    write(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) emit(lines.map((line) => `${rendered(line)}\n`).join(''));
    },
    end() {
      const last = rest === '' ? '' : rendered(rest);
      const closing = inCode ? `${rest === '' ? '' : '\n'}${fence}` : '';
      rest = '';
      inCode = false;
      if (last + closing !== '') emit(last + closing);
    },
  };
}

/** One line without its end. Code in it stays where its backticks are closed in the same line. */
export function untrustedLine(line: string): string {
  let markdown = '';
  let at = 0;
  const runs = [...line.matchAll(/`+/gu)];
  for (const [index, run] of runs.entries()) {
    if (run.index < at) continue;
    const closing = runs.slice(index + 1).find((other) => other[0].length === run[0].length);
    if (closing === undefined) continue;
    const end = closing.index + closing[0].length;
    markdown += escaped(line.slice(at, run.index)) + line.slice(run.index, end);
    at = end;
  }
  return markdown + escaped(line.slice(at));
}

/** A bare address would become a link by itself, and so would an address of mail. */
function escaped(text: string): string {
  return text
    .replace(/[\\`[\]<>&$|~!@]/gu, '\\$&')
    .replaceAll('://', '\\://')
    .replace(/(www)\./giu, '$1\\.');
}
