/** A package without its documentation, and what that said of each function: questions with one right place. */
import type { Node } from 'web-tree-sitter';
import { Parser } from 'web-tree-sitter';
import type { LineRange, SourceDocument } from '../../extension/protocol/nouns.ts';
import { languageOf } from '../../extension/retrieval/languages.ts';
import type { Grammars } from '../../extension/retrieval/syntax.ts';
import { firstSentence, functionTypes, wrappers } from './describedFunctions.ts';

export interface HiddenFunction extends LineRange {
  readonly name: string;
  /** The first sentence of the comment or docstring that was taken out. */
  readonly description: string;
}

export interface UndocumentedPackage {
  readonly documents: readonly SourceDocument[];
  /** Their lines are those of the documents as they are here. No two have one description. */
  readonly functions: readonly HiddenFunction[];
}

/** Shorter descriptions say too little to find anything by. */
const minDescriptionWords = 5;
/** Lines of a function, without its docstring, that is worth finding, and of one that fits a passage. */
const minLines = 4;
const maxLines = 60;

/** Takes the docstrings, and the comments before functions and classes, out of every document whose language is known. */
export async function withoutDocumentation(
  documents: readonly SourceDocument[],
  grammars: Grammars,
): Promise<UndocumentedPackage> {
  const stripped: SourceDocument[] = [];
  const functions: HiddenFunction[] = [];
  for (const document of documents) {
    const language = languageOf(document.path);
    const grammar = language === undefined ? undefined : await grammars.load(language);
    if (grammar === undefined) continue;
    const parser = new Parser();
    const tree = parser.setLanguage(grammar).parse(document.text);
    try {
      if (tree === null) continue;
      const result = strip(document, tree.rootNode);
      if (result.document.text.trim() === '') continue;
      stripped.push(result.document);
      functions.push(...result.functions);
    } finally {
      tree?.delete();
      parser.delete();
    }
  }
  const count = new Map<string, number>();
  for (const { description } of functions) count.set(description, (count.get(description) ?? 0) + 1);
  return {
    documents: stripped,
    functions: functions.filter(({ description }) => count.get(description) === 1),
  };
}

const classTypes = ['class_declaration', 'class_definition', 'module'];

interface Rows {
  readonly first: number;
  readonly last: number;
}

function strip(
  document: SourceDocument,
  root: Node,
): { document: SourceDocument; functions: HiddenFunction[] } {
  const lines = document.text.split('\n');
  const removed = new Set<number>();
  const found: { node: Node; description: string }[] = [];
  for (const node of [root, ...root.descendantsOfType([...functionTypes, ...classTypes])]) {
    if (node === null) continue;
    const outer = node.parent !== null && wrappers.includes(node.parent.type) ? node.parent : node;
    const docstring = docstringOf(node);
    const comment = commentBefore(outer);
    for (const rows of [docstring?.rows, comment?.rows]) {
      for (let row = rows?.first ?? 0; row <= (rows?.last ?? -1); row++) removed.add(row);
    }
    const text = docstring?.text ?? comment?.text;
    if (text !== undefined && functionTypes.includes(node.type)) {
      found.push({ node: outer, description: firstSentence(text) });
    }
  }
  for (const node of root.descendantsOfType('comment')) {
    if (node === null || !node.text.startsWith('/**')) continue;
    for (const row of ownRows(node, lines)) removed.add(row);
  }
  const newLine = new Int32Array(lines.length + 1);
  for (let row = 0; row < lines.length; row++) newLine[row + 1] = newLine[row]! + Number(!removed.has(row));
  const { workspace, path } = document;
  return {
    document: { ...document, text: lines.filter((_, row) => !removed.has(row)).join('\n') },
    functions: found.flatMap(({ node, description }) => {
      const startLine = newLine[node.startPosition.row]! + 1;
      const endLine = newLine[node.endPosition.row + 1]!;
      const length = endLine - startLine + 1;
      return description.split(' ').length < minDescriptionWords || length < minLines || length > maxLines
        ? []
        : [{ workspace, path, startLine, endLine, description, name: nameOf(node) }];
    }),
  };
}

/** '' when the function or class has none. */
export function nameOf(node: Node): string {
  return nameNodeOf(node)?.text ?? '';
}

/** Of a function or class; in C it stands within its declarators. */
export function nameNodeOf(node: Node): Node | null {
  let inner = node.childForFieldName('name') ?? node.childForFieldName('declarator');
  for (let next = inner; next !== null; next = next.childForFieldName('declarator')) inner = next;
  return inner;
}

/** The string that a module, a class or a function begins with, when its lines hold nothing else. */
function docstringOf(node: Node): { rows: Rows; text: string } | undefined {
  const first = (node.childForFieldName('body') ?? node).firstNamedChild;
  if (first?.type !== 'expression_statement') return undefined;
  const string = first.firstNamedChild;
  if (string?.type !== 'string') return undefined;
  const rows = { first: string.startPosition.row, last: string.endPosition.row };
  const alone = rows.first > node.startPosition.row || node.parent === null;
  return alone ? { rows, text: string.text } : undefined;
}

/** The comments that end on the line above, each on lines of its own. */
function commentBefore(node: Node): { rows: Rows; text: string } | undefined {
  const texts: string[] = [];
  let row = node.startPosition.row;
  for (let before = node.previousSibling; before?.type.includes('comment'); before = before.previousSibling) {
    const beside = before.previousSibling?.endPosition.row === before.startPosition.row;
    if (before.endPosition.row < row - 1 || beside) break;
    texts.unshift(before.text);
    row = before.startPosition.row;
  }
  if (texts.length === 0) return undefined;
  return { rows: { first: row, last: node.startPosition.row - 1 }, text: texts.join('\n') };
}

/** The rows of a comment that no code shares. */
function ownRows(comment: Node, lines: readonly string[]): number[] {
  const { startPosition: start, endPosition: end } = comment;
  if (lines[start.row]!.slice(0, start.column).trim() !== '') return [];
  if (lines[end.row]!.slice(end.column).trim() !== '') return [];
  return Array.from({ length: end.row - start.row + 1 }, (_, i) => start.row + i);
}
