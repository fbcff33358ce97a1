/** What is shown of the end of an answer that is still being written. */

/**
 * The source of an open block as it is shown: a last line that is only marks is held back, since what it becomes is not
 * known yet ("-" a rule, a heading or a list), and emphasis and code that are begun are closed.
 */
export function shownWhileOpen(source: string): string {
  const lastLine = source.lastIndexOf('\n') + 1;
  const shown = onlyMarks.test(source.slice(lastLine)) ? source.slice(0, lastLine) : source;
  return (shown + (endsInFence(shown) ? '' : closingMarks(shown))).trimEnd();
}

const onlyMarks = /^[\s>]*(?:[-+*_=#`~|: ]+|\d{1,9}[.)]?)?\s*$/;

function endsInFence(source: string): boolean {
  let fence: string | null = null;
  for (const [, marks, info] of source.matchAll(/^[ >]*(?:[-+*] +|\d{1,9}[.)] +)?(`{3,}|~{3,})([^\n]*)$/gm)) {
    if (fence === null) fence = marks!;
    else if (marks!.startsWith(fence) && info!.trim() === '') fence = null;
  }
  return fence !== null;
}

/** Closes the emphasis and the code that the last paragraph begins, in the order that nests. */
function closingMarks(source: string): string {
  const paragraph = source
    .slice(source.search(/[^\n]+(?:\n[^\n]+)*\n?$/))
    .replace(/^(?:[ >]*(?:[-+*] +)?)/, '');
  const open: string[] = [];
  let at = 0;
  for (const mark of paragraph.matchAll(/\\.|`+|\*\*|~~|[*_]/gsu)) {
    const [text] = mark;
    const end = mark.index + text.length;
    if (mark.index < at || text.startsWith('\\')) continue;
    if (text.startsWith('`')) {
      const close = closingRun(paragraph, end, text.length);
      if (close === -1) return end === paragraph.length ? '' : text;
      at = close;
      continue;
    }
    const closes = open.lastIndexOf(text);
    if (closes !== -1 && !/\s/.test(paragraph[mark.index - 1] ?? ' ')) open.length = closes;
    else if (opensEmphasis(paragraph, mark.index, end)) open.push(text);
  }
  return /\s$/.test(paragraph) ? '' : open.reverse().join('');
}

/** Index after the run of exactly `length` backticks that closes code, or -1. */
function closingRun(text: string, from: number, length: number): number {
  for (const run of text.slice(from).matchAll(/`+/g)) {
    if (run[0].length === length) return from + run.index + length;
  }
  return -1;
}

function opensEmphasis(text: string, start: number, end: number): boolean {
  const before = text[start - 1] ?? ' ';
  return !/[\p{L}\p{N}]/u.test(before) && /[^\s*_~]/.test(text[end] ?? ' ');
}
