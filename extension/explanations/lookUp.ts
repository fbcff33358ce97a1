/** What is stored of a word, found without a model. */
import * as vscode from 'vscode';
import { placeOfUri } from '../editor/workspaceFolders.ts';
import type { SourceDocument } from '../protocol/nouns.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import { explanationAt, type Explanation } from './explanation.ts';
import type { ExplanationStore } from './explanationStore.ts';
import { isValid } from './explainer.ts';
import { definitionOf } from './languageServers.ts';
import { nameAt } from './outline.ts';
import type { NamedPlace } from './symbolPlaces.ts';

/** A pointer that rests does not wait longer for the language server; what is stored is then judged by its lines. */
const definitionMs = 150;

export interface Stored {
  readonly explanation: Explanation;
  /** Its files are what they were when it was made. */
  readonly valid: boolean;
}

/** The document as it is read; undefined when it is not a file of the workspace. */
export function sourceOf(document: vscode.TextDocument): SourceDocument | undefined {
  const place = placeOfUri(document.uri);
  if (place === undefined || place.path === '') return undefined;
  return { ...place, text: document.getText().replaceAll('\r\n', '\n') };
}

/** The name at a position, with the range of its word; undefined where there is none. */
export async function namedPlaceAt(
  document: vscode.TextDocument,
  position: vscode.Position,
  grammars: Grammars,
): Promise<{ readonly place: NamedPlace; readonly range: vscode.Range } | undefined> {
  const source = sourceOf(document);
  if (source === undefined) return undefined;
  const { line, character: column } = position;
  const found = await nameAt(source, { row: line, column }, grammars);
  if (found === undefined) return undefined;
  const { workspace, path } = source;
  const range = new vscode.Range(line, found.start, line, found.end);
  const named = { name: found.name, uri: document.uri, position: range.start };
  return { place: { workspace, path, line: line + 1, ...named }, range };
}

export async function storedAt(
  place: NamedPlace,
  store: ExplanationStore,
  signal: AbortSignal,
): Promise<Stored | undefined> {
  const explanation = await explanationAt(await store.named(place.name), place, () =>
    definitionOf(place.uri, place.position, definitionMs),
  );
  if (explanation === undefined || signal.aborted) return undefined;
  return { explanation, valid: await isValid(explanation, signal) };
}
