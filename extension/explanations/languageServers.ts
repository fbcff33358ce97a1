/** What the language servers of the window know of a symbol, each asked for a limited time. */
import * as vscode from 'vscode';
import { placeOfUri } from '../editor/workspaceFolders.ts';
import type { LineRange } from '../protocol/nouns.ts';
import { isName, type DefinedSymbol } from './outline.ts';

/** Where the symbol at a place is defined: inside the workspace, from the line of its name on. */
export async function definitionOf(
  uri: vscode.Uri,
  position: vscode.Position,
  limitMs: number,
): Promise<LineRange | undefined> {
  const found = await ask<(vscode.Location | vscode.LocationLink)[]>(
    limitMs,
    'vscode.executeDefinitionProvider',
    uri,
    position,
  );
  const [place] = (found ?? []).flatMap((one) =>
    'targetUri' in one
      ? linesAt(one.targetUri, one.targetSelectionRange ?? one.targetRange)
      : linesAt(one.uri, one.range),
  );
  return place;
}

/** Where it stands inside the workspace, the definition itself included. */
export async function referencesOf(
  uri: vscode.Uri,
  position: vscode.Position,
  limitMs: number,
): Promise<LineRange[]> {
  const found = await ask<vscode.Location[]>(limitMs, 'vscode.executeReferenceProvider', uri, position);
  return (found ?? []).flatMap(({ uri, range }) => linesAt(uri, range));
}

/** The lines on which functions of the workspace call it. */
export async function callsOf(
  uri: vscode.Uri,
  position: vscode.Position,
  limitMs: number,
): Promise<LineRange[]> {
  const until = Date.now() + limitMs;
  const items = await ask<vscode.CallHierarchyItem[]>(limitMs, 'vscode.prepareCallHierarchy', uri, position);
  const [item] = items ?? [];
  if (item === undefined) return [];
  const calls = await ask<vscode.CallHierarchyIncomingCall[]>(
    until - Date.now(),
    'vscode.provideIncomingCalls',
    item,
  );
  return (calls ?? []).flatMap(({ from, fromRanges }) =>
    fromRanges.flatMap((range) => linesAt(from.uri, range)),
  );
}

/** What a file defines at its top and in its types; undefined when no language server says so. */
export async function definedIn(uri: vscode.Uri, limitMs: number): Promise<DefinedSymbol[] | undefined> {
  const found = await ask<(vscode.DocumentSymbol | vscode.SymbolInformation)[]>(
    limitMs,
    'vscode.executeDocumentSymbolProvider',
    uri,
  );
  if (found === undefined || found.length === 0) return undefined;
  const document = await vscode.workspace.openTextDocument(uri);
  const symbols = collect(
    document,
    found.filter((one) => one instanceof vscode.DocumentSymbol),
    '',
  );
  return symbols.length === 0 ? undefined : symbols;
}

function collect(
  document: vscode.TextDocument,
  symbols: readonly vscode.DocumentSymbol[],
  container: string,
): DefinedSymbol[] {
  return symbols.flatMap(({ kind, range, selectionRange, children }) => {
    const name = document.getText(selectionRange);
    if (!isName(name)) return [];
    const { line, character: column } = selectionRange.start;
    const own = kinds.has(kind)
      ? [{ name, container, line: line + 1, column, endLine: range.end.line + 1 }]
      : [];
    const inside = container === '' ? name : `${container}.${name}`;
    return [...own, ...(types.has(kind) ? collect(document, children, inside) : [])];
  });
}

const { SymbolKind } = vscode;
const types = new Set([
  SymbolKind.Class,
  SymbolKind.Interface,
  SymbolKind.Struct,
  SymbolKind.Module,
  SymbolKind.Namespace,
  SymbolKind.Package,
]);
const kinds = new Set([
  ...types,
  SymbolKind.Enum,
  SymbolKind.Function,
  SymbolKind.Method,
  SymbolKind.Constructor,
  SymbolKind.Constant,
  SymbolKind.Variable,
]);

function linesAt(uri: vscode.Uri, range: vscode.Range): LineRange[] {
  const place = placeOfUri(uri);
  if (place === undefined || place.path === '') return [];
  return [{ ...place, startLine: range.start.line + 1, endLine: range.end.line + 1 }];
}

/** Undefined when nobody answers in time, or at all. */
async function ask<T>(limitMs: number, command: string, ...args: readonly unknown[]): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, limitMs));
  });
  try {
    return await Promise.race([vscode.commands.executeCommand<T>(command, ...args), late]);
  } catch {
    // A language server that fails knows as much as none.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
