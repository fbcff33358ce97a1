/** What a text defines and where a word of it is a name: by its grammar, where that is known, else by its words. */
import { Parser, type Node } from 'web-tree-sitter';
import type { SourceDocument } from '../protocol/nouns.ts';
import { isDefinedName } from '../retrieval/definitions.ts';
import { languageOf, type LanguageName } from '../retrieval/languages.ts';
import { lineOffsets } from '../retrieval/lines.ts';
import type { Grammars } from '../retrieval/syntax.ts';

/** A definition at the top of a file, or a member of a type or module there. */
export interface DefinedSymbol {
  readonly name: string;
  /** The definitions around it, outermost first, joined by full stops; '' at the top. */
  readonly container: string;
  /** Of its name, 1-based. */
  readonly line: number;
  /** Of its name, in UTF-16 code units, 0-based. */
  readonly column: number;
  /** Inclusive. */
  readonly endLine: number;
}

/** UTF-16 code units: a pointer does not rest longer than this takes to parse, about an eighth of a second. */
const longestParsed = 200_000;
const longestName = 100;
/** Definitions in definitions. */
const deepest = 8;

/** Whether a word may be the name of something. */
export function isName(word: string): boolean {
  return (
    word.length <= longestName &&
    /^[#@$]{0,2}[\p{L}_$][\p{L}\p{M}\p{N}_$]*[?!]?$/u.test(word) &&
    !itself.test(word)
  );
}

/** What stands for the object at hand, and is a plain name to some grammars. */
const itself = /^(?:self|this|cls|super)$/;

/** Whether others may use it, as far as its name and the line of its definition say. */
export function isPublic({ name, line }: DefinedSymbol, text: string): boolean {
  if (/^[#_]/.test(name) || name === 'constructor') return false;
  return !/^\s*(?:private|protected)\b/.test(lineOf(text, line - 1));
}

/** In their order. */
export async function outlineOf(document: SourceDocument, grammars: Grammars): Promise<DefinedSymbol[]> {
  const symbols = await withRoot(document, grammars, (root) => {
    const found: DefinedSymbol[] = [];
    collect(root, '', deepest, found);
    return found;
  });
  return symbols ?? definedWords(document);
}

/** Where a name is at a place of a text: not in a keyword, a string or a comment. Undefined: there is none. */
export async function nameAt(
  document: SourceDocument,
  { row, column }: { readonly row: number; readonly column: number },
  grammars: Grammars,
): Promise<{ readonly name: string; readonly start: number; readonly end: number } | undefined> {
  const found = await withRoot(document, grammars, (root, language) => {
    const node = root.descendantForPosition({ row, column });
    if (node === null || !isNameNode(node, language) || !isName(node.text)) return null;
    return { name: node.text, start: node.startPosition.column, end: node.endPosition.column };
  });
  if (found !== undefined) return found ?? undefined;
  const word = wordAt(lineOf(document.text, row), column);
  // Without a grammar, any word could be a keyword or prose: it has to be defined somewhere in the text.
  const known = word !== undefined && occurrencesOf(document.text, word.name).some(({ defines }) => defines);
  return known ? word : undefined;
}

export interface Occurrence {
  /** 1-based. */
  readonly line: number;
  readonly defines: boolean;
}

/** The lines on which a name stands by itself, those that are comments left out. At most `limit` lines. */
export function occurrencesOf(text: string, name: string, limit = 100): Occurrence[] {
  const found: Occurrence[] = [];
  const offsets = lineOffsets(text);
  let index = 0;
  for (let at = text.indexOf(name); at >= 0 && found.length < limit; at = text.indexOf(name, at + 1)) {
    const end = at + name.length;
    if (isWordSign(text[at - 1]) || isWordSign(text[end])) continue;
    while (offsets[index + 1]! <= at) index++;
    if (found.at(-1)?.line === index + 1) continue;
    const start = offsets[index]!;
    const defines = isDefinedName(text, start, at, end, false);
    if (defines || !/^\s*(?:\/\/|\/?\*|#|--|;|%)/.test(text.slice(start, at))) {
      found.push({ line: index + 1, defines });
    }
  }
  return found;
}

/** Undefined when the grammar is not known, the text too long, or it cannot be parsed. */
async function withRoot<T>(
  { path, text }: SourceDocument,
  grammars: Grammars,
  use: (root: Node, language: LanguageName) => T,
): Promise<T | undefined> {
  const language = languageOf(path);
  if (language === undefined || text.length > longestParsed) return undefined;
  const grammar = await grammars.load(language);
  if (grammar === undefined) return undefined;
  const parser = new Parser();
  const tree = parser.setLanguage(grammar).parse(text);
  try {
    return tree === null || tree.rootNode.isError ? undefined : use(tree.rootNode, language);
  } finally {
    tree?.delete();
    parser.delete();
  }
}

function collect(node: Node, container: string, depth: number, found: DefinedSymbol[]): void {
  for (const child of node.namedChildren) {
    if (child === null) continue;
    // An assignment within a class makes a field, one at the top something that others import.
    const isField = child.type === 'assignment' && container !== '';
    const name = definitions.test(child.type) && !isField ? nameOf(child) : undefined;
    if (name === undefined) {
      // What is defined within a function is nobody else's business.
      if (transparent.test(child.type)) collect(child, container, depth, found);
      continue;
    }
    const { row, column } = name.startPosition;
    if (isName(name.text)) {
      found.push({ name: name.text, container, line: row + 1, column, endLine: lastLineOf(child) });
    }
    if (depth > 0 && types.test(child.type)) {
      const inside = container === '' ? name.text : `${container}.${name.text}`;
      collect(child, inside, depth - 1, found);
    }
  }
}

/** Types of nodes that define something, in any of the grammars. */
const definitions =
  /^(?:(?:generator_)?function|method|class|abstract_class|interface|enum|struct|trait|type|type_alias|module|internal_module|namespace|mod|impl|union|record|macro|constructor|variable|const|static|abstract_method|preproc|alias)(?:_(?:declaration|definition|item|specifier|spec|declarator|signature|def|function_def))?$|^(?:file_scoped_)?namespace_declaration$|^singleton_method$|^assignment$|^local_function_statement$/;
const types = /class|interface|struct|trait|module|namespace|^mod_|impl|record|union/;
/** What only stands around definitions. */
const transparent =
  /^(?:export_statement|ambient_declaration|decorated_definition|lexical_declaration|variable_declaration|const_declaration|var_declaration|type_declaration|expression_statement|declaration_list|class_body|interface_body|enum_body|object_type|statement_block|block|body_statement|field_declaration_list|template_declaration|linkage_specification|namespace_definition|preproc_(?:if|ifdef|else)|impl_item|php_tag|program|compilation_unit)$/;

/** The node of the name that a definition gives. */
function nameOf(node: Node): Node | undefined {
  if (node.type === 'assignment') {
    const left = node.childForFieldName('left');
    return left?.type === 'identifier' || left?.type === 'constant' ? left : undefined;
  }
  const named =
    node.childForFieldName('name') ?? (node.type === 'impl_item' ? node.childForFieldName('type') : null);
  if (named !== null) return named.namedChildCount === 0 ? named : undefined;
  // In C the name is at the end of a chain of declarators.
  let inner: Node | null = node.childForFieldName('declarator');
  for (let next = inner; next !== null; next = next.childForFieldName('declarator')) inner = next;
  if (inner?.type === 'qualified_identifier') inner = inner.childForFieldName('name');
  return inner?.namedChildCount === 0 ? inner : undefined;
}

function lastLineOf({ startPosition, endPosition: { row, column } }: Node): number {
  return column === 0 && row > startPosition.row ? row : row + 1;
}

function isNameNode(node: Node, language: LanguageName): boolean {
  if (language === 'css') return false;
  if (language === 'bash' && node.type === 'word') {
    return node.parent?.type === 'command_name' || node.parent?.type === 'function_definition';
  }
  return /(?:^|_)identifier(?:_pattern)?$|^constant$|^name$|^variable_name$/.test(node.type);
}

/** By words alone: each line that defines one. */
function definedWords({ text }: SourceDocument): DefinedSymbol[] {
  const offsets = lineOffsets(text);
  const found: DefinedSymbol[] = [];
  for (let index = 0; index < offsets.length - 1; index++) {
    const start = offsets[index]!;
    const line = text.slice(start, offsets[index + 1]).trimEnd();
    for (const { 0: name, index: column } of line.matchAll(/[\p{L}_$][\p{L}\p{M}\p{N}_$]*/gu)) {
      if (!isName(name) || !isDefinedName(text, start, start + column, start + column + name.length, false))
        continue;
      found.push({ name, container: '', line: index + 1, column, endLine: index + 1 });
      break;
    }
  }
  return found;
}

function wordAt(line: string, column: number): { name: string; start: number; end: number } | undefined {
  for (const { 0: name, index: start } of line.matchAll(/[\p{L}_$][\p{L}\p{M}\p{N}_$]*/gu)) {
    const end = start + name.length;
    if (start <= column && column < end && isName(name)) return { name, start, end };
  }
  return undefined;
}

function lineOf(text: string, row: number): string {
  const offsets = lineOffsets(text);
  return text.slice(offsets[row] ?? text.length, offsets[row + 1]);
}

function isWordSign(sign: string | undefined): boolean {
  return sign !== undefined && /[\p{L}\p{M}\p{N}_$]/u.test(sign);
}
