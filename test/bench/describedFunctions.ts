/** Functions and what their comments say of them: questions whose right passage is known without labels. */
import type { Language, Node } from 'web-tree-sitter';
import { Parser } from 'web-tree-sitter';
import type { SourceDocument } from '../../extension/protocol/nouns.ts';
import { languageOf } from '../../extension/retrieval/languages.ts';
import type { Grammars } from '../../extension/retrieval/syntax.ts';

export interface DescribedFunction {
  readonly path: string;
  /** 1-based. */
  readonly startLine: number;
  /** The first sentence of its comment or docstring. */
  readonly description: string;
  /** Its lines without that comment. */
  readonly text: string;
}

/** Shorter descriptions say too little to find anything by. */
const minDescriptionWords = 5;
/** Lines of a function that is worth finding, and of one that fits a passage. */
const minLines = 4;
const maxLines = 60;

/** The described functions of a document, in their order; none when its language is not known. */
export async function describedFunctions(
  { path, text }: SourceDocument,
  grammars: Grammars,
): Promise<DescribedFunction[]> {
  const language = languageOf(path);
  const grammar = language === undefined ? undefined : await grammars.load(language);
  if (grammar === undefined) return [];
  return parse(text, grammar, (root) => {
    const lines = text.split('\n');
    return root.descendantsOfType(functionTypes).flatMap((node) => {
      const found = node === null ? undefined : describe(node, lines);
      return found === undefined ? [] : [{ path, ...found }];
    });
  });
}

export const functionTypes = [
  'function_declaration',
  'generator_function_declaration',
  'function_definition',
  'method_definition',
  'method_declaration',
  'function_item',
  'method',
];

/** Nodes around a function that its comment stands before. */
export const wrappers: readonly string[] = ['export_statement', 'decorated_definition'];

function describe(node: Node, lines: readonly string[]): Omit<DescribedFunction, 'path'> | undefined {
  const docstring = docstringOf(node);
  const outer = node.parent !== null && wrappers.includes(node.parent.type) ? node.parent : node;
  const comment = docstring?.text ?? commentBefore(outer);
  if (comment === undefined) return undefined;
  const description = firstSentence(comment);
  const own = lines.slice(outer.startPosition.row, outer.endPosition.row + 1).filter((_, i) => {
    const row = outer.startPosition.row + i;
    return docstring === undefined || row < docstring.startPosition.row || row > docstring.endPosition.row;
  });
  if (description.split(' ').length < minDescriptionWords) return undefined;
  if (own.length < minLines || own.length > maxLines) return undefined;
  return { startLine: outer.startPosition.row + 1, description, text: `${own.join('\n')}\n` };
}

/** The comments that end on the line above, as one text. */
function commentBefore(node: Node): string | undefined {
  const texts: string[] = [];
  let row = node.startPosition.row;
  for (let before = node.previousSibling; before?.type.includes('comment'); before = before.previousSibling) {
    if (before.endPosition.row < row - 1) break;
    texts.unshift(before.text);
    row = before.startPosition.row;
  }
  return texts.length === 0 ? undefined : texts.join('\n');
}

/** The string that a Python function begins with. */
function docstringOf(node: Node): Node | undefined {
  const first = node.childForFieldName('body')?.firstNamedChild;
  if (first?.type !== 'expression_statement') return undefined;
  const string = first.firstNamedChild;
  return string?.type === 'string' ? string : undefined;
}

/** Without the marks of comments and strings; up to the first full stop, blank line or tag. */
export function firstSentence(comment: string): string {
  const words = comment
    .split('\n')
    .map((line) => line.replace(/^\s*(?:\/\*+|\*+\/|\*|\/\/[/!]?|#+|[rRbBuU]*(?:"""|'''|"|'))\s?/, ''))
    .map((line) => line.replace(/\s*(?:\*\/|"""|'''|"|')\s*$/, '').trim())
    .join('\n')
    .trim()
    .split(/\n\s*\n|\n?(?:^|\n)[@:]|[.!?](?:\s|$)/)[0]!;
  return words.replace(/\s+/g, ' ').trim();
}

function parse<T>(text: string, grammar: Language, use: (root: Node) => T[]): T[] {
  const parser = new Parser();
  const tree = parser.setLanguage(grammar).parse(text);
  try {
    return tree === null ? [] : use(tree.rootNode);
  } finally {
    tree?.delete();
    parser.delete();
  }
}
