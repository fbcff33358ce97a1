import { Language, Parser, type Tree, type TreeCursor } from 'web-tree-sitter';
import type { LineRange, SourceDocument } from '../protocol/nouns.ts';
import { languageOf, type LanguageName } from './languages.ts';
import { lineOffsets } from './lines.ts';
import type { PlannedRange } from './readingPlan.ts';

export interface Grammars {
  /** The grammar of a language, loaded once. Undefined when its file is missing or of another version. */
  load(language: LanguageName): Promise<Language | undefined>;
}

/** `readWasm` gives the bytes of `tree-sitter.wasm` (of web-tree-sitter) and `tree-sitter-<language>.wasm`. */
export function createGrammars(readWasm: (fileName: string) => Promise<Uint8Array>): Grammars {
  const loaded = new Map<LanguageName, Promise<Language | undefined>>();
  let started: Promise<void> | undefined;
  const load = async (language: LanguageName) => {
    started ??= readWasm('tree-sitter.wasm').then((wasmBinary) => Parser.init({ wasmBinary }));
    await started;
    return Language.load(await readWasm(`tree-sitter-${language}.wasm`));
  };
  return {
    load(language) {
      const grammar = loaded.get(language) ?? load(language).catch(() => undefined);
      loaded.set(language, grammar);
      return grammar;
    },
  };
}

/**
 * Moves both ends of each range outwards to the least deep syntactic border nearby, so that definitions stay whole with
 * the comments and decorators above them; where all are equally deep, to one between statements of several lines or
 * behind a blank line, and then to the nearest. Nothing of a range is lost: it may be what made it relevant.
 * Each end moves by at most `MAX_SHIFT_SHARE` of the range's lines, and by none when the language is not known, the text
 * is longer than `MAX_PARSED_CHARACTERS`, or it cannot be parsed. Ranges that then overlap or touch become one, with the
 * better score. Ordered by line.
 */
export async function snapRanges<R extends PlannedRange>(
  ranges: readonly R[],
  document: SourceDocument,
  grammars: Grammars,
): Promise<R[]> {
  const borders = await bordersOf(document, ranges, grammars);
  const snapped = borders === undefined ? [...ranges] : ranges.map((range) => snap(range, borders));
  const merged: R[] = [];
  for (const range of snapped.sort((a, b) => a.startLine - b.startLine)) {
    const last = merged.at(-1);
    if (last === undefined || last.endLine + 1 < range.startLine) merged.push(range);
    else
      merged[merged.length - 1] = {
        ...last,
        endLine: Math.max(last.endLine, range.endLine),
        score: Math.max(last.score, range.score),
      };
  }
  return merged;
}

/** What a cut before each line would cut through. Index n is the border before line n + 1; the last is the end. */
interface Borders {
  /** How many nodes of the syntax tree lie on both sides. */
  readonly depths: Int32Array;
  /** Behind a blank line, or where a node of several lines begins or ends. */
  readonly natural: readonly boolean[];
}

/** Undefined when the borders cannot be known, or no range needs them. */
async function bordersOf(
  { path, text }: SourceDocument,
  ranges: readonly LineRange[],
  grammars: Grammars,
): Promise<Borders | undefined> {
  const language = languageOf(path);
  if (language === undefined || text === '' || text.length > MAX_PARSED_CHARACTERS) return undefined;
  const lines = lineOffsets(text);
  if (ranges.every(({ startLine, endLine }) => startLine === 1 && endLine >= lines.length - 1))
    return undefined;
  const grammar = await grammars.load(language);
  if (grammar === undefined) return undefined;
  const depths = parsedDepths(text, grammar, lines.length - 1);
  if (depths === undefined) return undefined;
  const natural = lines.map(
    (offset, border) =>
      border === 0 ||
      border === lines.length - 1 ||
      text.slice(lines[border - 1], offset).trim() === '' ||
      Math.max(depths[border - 1]!, depths[border + 1]!) > depths[border]!,
  );
  return { depths, natural };
}

function parsedDepths(text: string, grammar: Language, lineCount: number): Int32Array | undefined {
  const parser = new Parser();
  let tree: Tree | null = null;
  try {
    tree = parser.setLanguage(grammar).parse(text);
    if (tree === null || tree.rootNode.isError) return undefined;
    const cursor = tree.walk();
    try {
      return depthsOf(cursor, lineCount);
    } finally {
      cursor.delete();
    }
  } finally {
    tree?.delete();
    parser.delete();
  }
}

/** Walks the nodes of more than one line below the root. */
function depthsOf(cursor: TreeCursor, lineCount: number): Int32Array {
  // First the change of the depth at each border, then their running sum.
  const depths = new Int32Array(lineCount + 1);
  const walkChildren = (level: number): void => {
    if (!cursor.gotoFirstChild()) return;
    let previousLastRow = -1;
    let lead: Rows | undefined;
    do {
      const { first, last } = rowsOf(cursor);
      // Comments and decorators on lines of their own belong to what begins on the line behind them.
      const from = lead !== undefined && first <= lead.last + 1 ? lead.first : first;
      lead = leads.test(cursor.nodeType) && from > previousLastRow ? { first: from, last } : undefined;
      if (last > from) {
        depths[from + 1]!++;
        depths[last + 1]!--;
      }
      if (last > first && level < MAX_WALKED_DEPTH) walkChildren(level + 1);
      if (lead === undefined) previousLastRow = last;
    } while (cursor.gotoNextSibling());
    cursor.gotoParent();
  };
  walkChildren(0);
  for (let index = 1; index < depths.length; index++) depths[index]! += depths[index - 1]!;
  return depths;
}

/** 0-based, both ends inclusive. */
interface Rows {
  readonly first: number;
  readonly last: number;
}

function rowsOf(cursor: TreeCursor): Rows {
  const first = cursor.startPosition.row;
  const { row, column } = cursor.endPosition;
  // A node that holds its line feed ends before the first column of the next line.
  return { first, last: column === 0 && row > first ? row - 1 : row };
}

function snap<R extends LineRange>(range: R, borders: Borders): R {
  const lineCount = borders.depths.length - 1;
  const end = Math.min(range.endLine, lineCount);
  const start = Math.min(range.startLine, end) - 1;
  const shift = Math.floor((end - start) * MAX_SHIFT_SHARE);
  const from = bestBorder(borders, start, Math.max(0, start - shift), start);
  const to = bestBorder(borders, end, end, Math.min(lineCount, end + shift));
  return { ...range, startLine: from + 1, endLine: to };
}

/** The best border from `first` to `last`, both inclusive. */
function bestBorder({ depths, natural }: Borders, origin: number, first: number, last: number): number {
  const distance = (border: number): number => Math.abs(border - origin);
  let best = origin;
  for (let border = first; border <= last; border++) {
    const better =
      depths[border]! - depths[best]! ||
      Number(natural[best]) - Number(natural[border]) ||
      distance(border) - distance(best);
    if (better < 0) best = border;
  }
  return best;
}

/** Of the lines of a range, at each end. */
export const MAX_SHIFT_SHARE = 0.25;
/** UTF-16 code units. Parsing is not interruptible, and this much takes about a quarter of a second. */
export const MAX_PARSED_CHARACTERS = 400_000;
/** Nodes within nodes, of more than one line each. A long sum nests as deep as it has terms. */
const MAX_WALKED_DEPTH = 200;

/** Types of nodes that belong to the node behind them, in any grammar. */
const leads = /comment|^decorator$|annotation|attribute_/;
