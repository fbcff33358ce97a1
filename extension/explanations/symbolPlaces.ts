/** Where a symbol is defined and used: as the language servers say, else by its name in the files of its language. */
import { extname } from 'node:path';
import * as vscode from 'vscode';
import { readingUnsaved, unsavedDocuments, workspaceFolders } from '../editor/workspaceFolders.ts';
import type { LinesPin, ReadFile } from '../protocol/conversation.ts';
import type { LineRange, SourceDocument } from '../protocol/nouns.ts';
import { languageOf } from '../retrieval/languages.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import { textHash } from '../textHash.ts';
import { findFiles, type FoundFile } from '../workspace/findFiles.ts';
import { isSkipped } from '../workspace/readSourceDocument.ts';
import type { SymbolKey, WordPlace } from './explanation.ts';
import { callsOf, definedIn, definitionOf, referencesOf } from './languageServers.ts';
import { occurrencesOf, outlineOf, type DefinedSymbol } from './outline.ts';
import { spreadUses } from './spreadUses.ts';

/** A name in a document of the workspace. */
export interface NamedPlace extends WordPlace {
  readonly name: string;
  readonly uri: vscode.Uri;
  readonly position: vscode.Position;
}

export interface SymbolPlaces {
  readonly key: SymbolKey;
  /** From the line with its name on. */
  readonly definition?: LineRange;
  /** Calls first; of different files where there are. */
  readonly uses: readonly LineRange[];
  /** What is read first: the definition, and the uses with what stands around them. */
  readonly pins: readonly LinesPin[];
  /** Those of the pins. */
  readonly files: readonly ReadFile[];
}

const definitionMs = 5_000;
const referencesMs = 8_000;
const symbolsMs = 3_000;
const searchMs = 5_000;
/** Links that a hover has room for. */
const mostUses = 6;
/** Lines. A longer definition says in its beginning what it is. */
const longestDefinition = 60;
/** Lines above and below what is read first. */
const linesAround = 3;

/** @throws AskError cancelled, or what finding files throws */
export async function findPlaces(
  place: NamedPlace,
  grammars: Grammars,
  signal: AbortSignal,
): Promise<SymbolPlaces> {
  const { uri, position, name, workspace, path } = place;
  const unsaved = unsavedDocuments();
  const [{ files }, defined, references, calls] = await Promise.all([
    findFiles(workspaceFolders(), { signal, isUnsaved: (path) => unsaved.has(path) }),
    definitionOf(uri, position, definitionMs),
    referencesOf(uri, position, referencesMs),
    callsOf(uri, position, referencesMs),
  ]);
  const found =
    defined !== undefined && references.length + calls.length > 0
      ? { definitions: [], uses: [] }
      : await searchByName(place, files, grammars, signal);
  const seen = defined === undefined ? found.definitions : [defined];
  const used = references.length + calls.length > 0 ? [...calls, ...references] : found.uses;

  // What is left out of every reading is neither read nor linked here: another package's code, for one.
  const documents = await readAll(
    [...seen.slice(0, 1), ...spreadUses(used, place, mostUses * 2)],
    files,
    signal,
  );
  const isRead = (range: LineRange): boolean => documents.has(fileKey(range));
  const nameLine = seen.find(isRead);
  const document = nameLine === undefined ? undefined : documents.get(fileKey(nameLine));
  const usesFrom = (home: NamedPlace | LineRange, left: (use: LineRange) => boolean): LineRange[] =>
    spreadUses(used.filter(isRead).filter(left), home, mostUses);
  if (nameLine === undefined || document === undefined) {
    const uses = usesFrom(place, () => true);
    return { key: { workspace, path, container: '', name }, uses, ...readFirst(uses, documents) };
  }
  const { container, endLine } = await symbolOn(nameLine.startLine, name, document, grammars);
  const definition = { ...nameLine, endLine };
  const uses = usesFrom(definition, (use) => !isSameLine(use, nameLine));
  return {
    key: { workspace: definition.workspace, path: definition.path, container, name },
    definition,
    uses,
    ...readFirst(
      [{ ...definition, endLine: Math.min(endLine, nameLine.startLine + longestDefinition) }, ...uses],
      documents,
    ),
  };
}

/**
 * What a document defines. The grammars come first: they always say the same, so that an explanation is found again
 * whether or not a language server runs.
 */
export async function symbolsOf(document: SourceDocument, grammars: Grammars): Promise<DefinedSymbol[]> {
  if (languageOf(document.path) === undefined) {
    const folder = workspaceFolders().find(({ name }) => name === document.workspace);
    const uri =
      folder === undefined ? undefined : vscode.Uri.joinPath(vscode.Uri.file(folder.rootPath), document.path);
    const told = uri === undefined ? undefined : await definedIn(uri, symbolsMs);
    if (told !== undefined) return told;
  }
  return outlineOf(document, grammars);
}

async function symbolOn(
  line: number,
  name: string,
  document: SourceDocument,
  grammars: Grammars,
): Promise<{ readonly container: string; readonly endLine: number }> {
  const symbols = await symbolsOf(document, grammars);
  const onLine = symbols.filter((one) => one.line === line);
  // An import may have given it another name.
  const symbol = onLine.find((one) => one.name === name) ?? onLine[0];
  if (symbol !== undefined) return symbol;
  // It is defined within a function, of which the outline knows nothing.
  const around = symbols.findLast((one) => one.line <= line && line <= one.endLine);
  if (around === undefined) return { container: '', endLine: line };
  const container = around.container === '' ? around.name : `${around.container}.${around.name}`;
  return { container, endLine: Math.min(around.endLine, line + linesAround) };
}

/** Goes over the files of the same language, this one first, until it has seen enough, or for some seconds. */
async function searchByName(
  { workspace, path, name }: NamedPlace,
  files: readonly FoundFile[],
  grammars: Grammars,
  signal: AbortSignal,
): Promise<{ readonly definitions: readonly LineRange[]; readonly uses: readonly LineRange[] }> {
  const until = Date.now() + searchMs;
  const definitions: LineRange[] = [];
  const uses: LineRange[] = [];
  const isHere = (file: FoundFile): boolean => file.workspace === workspace && file.path === path;
  const others = files.filter((file) => kindOf(file.path) === kindOf(path) && !isHere(file));
  for await (const document of readingUnsaved()([...files.filter(isHere), ...others], { signal })) {
    if (Date.now() > until || (definitions.length > 0 && uses.length > mostUses * 4)) break;
    if (isSkipped(document) || !document.text.includes(name)) continue;
    const onLine = (line: number): LineRange => ({
      ...{ workspace: document.workspace, path: document.path },
      ...{ startLine: line, endLine: line },
    });
    const symbols = definitions.length > 0 ? [] : await outlineOf(document, grammars);
    definitions.push(...symbols.filter((one) => one.name === name).map(({ line }) => onLine(line)));
    uses.push(...occurrencesOf(document.text, name, mostUses * 2).map(({ line }) => onLine(line)));
  }
  return { definitions, uses };
}

/** The texts of those files that are read at all. */
async function readAll(
  ranges: readonly LineRange[],
  files: readonly FoundFile[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SourceDocument>> {
  const wanted = new Set(ranges.map(fileKey));
  const documents = new Map<string, SourceDocument>();
  const found = files.filter((file) => wanted.has(fileKey(file)));
  for await (const document of readingUnsaved()(found, { signal })) {
    if (!isSkipped(document)) documents.set(fileKey(document), document);
  }
  return documents;
}

function readFirst(
  ranges: readonly LineRange[],
  documents: ReadonlyMap<string, SourceDocument>,
): Pick<SymbolPlaces, 'pins' | 'files'> {
  const keys = new Set(ranges.map(fileKey));
  return {
    pins: ranges.map(({ workspace, path, startLine, endLine }) => ({
      ...{ kind: 'lines', workspace, path },
      ...{ startLine: Math.max(1, startLine - linesAround), endLine: endLine + linesAround },
    })),
    files: [...documents.values()]
      .filter((document) => keys.has(fileKey(document)))
      .map(({ workspace, path, text }) => ({ workspace, path, hash: textHash(text) })),
  };
}

function isSameLine(a: LineRange, b: LineRange): boolean {
  return fileKey(a) === fileKey(b) && a.startLine === b.startLine;
}

function kindOf(path: string): string {
  return languageOf(path) ?? extname(path);
}

function fileKey({ workspace, path }: { readonly workspace: string; readonly path: string }): string {
  return `${workspace}\n${path}`;
}
