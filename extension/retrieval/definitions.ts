/**
 * Whether the word between two offsets is a name that its line defines: behind a keyword of a definition
 * (`export class Name`, `pub fn name`, `func (r *T) Name`), a function without keyword (`public int name(`,
 * `name(x) {`), a top-level assignment (`NAME = `), or any word of a heading when the text is `prose`.
 */
export function isDefinedName(
  text: string,
  lineStart: number,
  start: number,
  end: number,
  prose: boolean,
): boolean {
  if (start - lineStart > MAX_PREFIX_LENGTH) return false;
  const before = text.slice(lineStart, start);
  if (prose) return /^ {0,3}#{1,6}\s/.test(before);
  if (afterKeyword.test(before)) return true;
  const next = text.charCodeAt(end);
  if (next === OPEN_PARENTHESIS) return isFunctionHead(text, before, end);
  return before === '' && /^[ \t]*(?::[^=\n]{1,80})?=[^=]/.test(text.slice(end, end + MAX_PREFIX_LENGTH));
}

function isFunctionHead(text: string, before: string, end: number): boolean {
  if (!/^[\s\w<>[\]*&:,?~]*$/.test(before) || callWords.test(before)) return false;
  if (accessWords.test(before)) return true;
  const feed = text.indexOf('\n', end);
  const rest = text.slice(end, Math.min(feed === -1 ? text.length : feed, end + MAX_HEAD_LENGTH)).trimEnd();
  return rest.endsWith('{') && !rest.endsWith('=> {');
}

/** Characters; a name further to the right is not what a line is about. */
const MAX_PREFIX_LENGTH = 160;
/** Characters of parameters on the line of the name. */
const MAX_HEAD_LENGTH = 400;
const OPEN_PARENTHESIS = 0x28;

const modifiers =
  'export|default|declare|public|private|protected|internal|static|abstract|final|sealed|async|unsafe|extern|override|' +
  'virtual|inline|readonly|partial|open|data|local|pub(?:\\([a-z]+\\))?|template\\s*<[^>]*>|@\\w+';
const keywords =
  'function\\*?|class|def|defp|defn|defmodule|fn|func(?:\\s*\\([^)]*\\))?|fun|sub|interface|type|struct|enum|trait|impl|union|' +
  'const|let|let mut|var|val|static|namespace|module|mod|record|object|protocol|extension|macro_rules!|typedef|package|' +
  'enum class|const enum|abstract class|data class|async def|#\\s*define|alias|procedure|create (?:table|view)';
const afterKeyword = new RegExp(`^\\s*(?:(?:${modifiers})\\s+)*(?:${keywords})\\s+[*&]?(?:self\\.)?$`, 'i');
const callWords = /\b(?:return|await|new|throw|else|if|for|while|switch|yield|case|catch|in|of|and|or|not)\b/;
const accessWords = /^\s*(?:public|private|protected|internal|static|override|virtual)\s/;
