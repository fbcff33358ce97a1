import * as vscode from 'vscode';
import type { WorkspaceFolder } from '../workspace/findFiles.ts';
import { readSourceDocuments } from '../workspace/readSourceDocument.ts';
import { readSettings } from './settings.ts';

/**
 * The folders of the window that lie on a disk, with what their settings leave out. Each goes by its own name; where
 * two have the same, by their whole paths.
 */
export function workspaceFolders(): WorkspaceFolder[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const unique = new Set(folders.map(({ name }) => name)).size === folders.length;
  return folders.map(({ name, uri }) => ({
    name: unique ? name : uri.fsPath,
    rootPath: uri.fsPath,
    exclude: readSettings(uri).settings.exclude,
  }));
}

/** The folder and the path inside it, forward slashes; undefined for what lies in none. */
export function placeOfUri(
  uri: vscode.Uri,
): { readonly workspace: string; readonly path: string } | undefined {
  const owner = uri.scheme === 'file' ? vscode.workspace.getWorkspaceFolder(uri) : undefined;
  const folder = workspaceFolders().find(({ rootPath }) => rootPath === owner?.uri.fsPath);
  if (owner === undefined || folder === undefined) return undefined;
  const root = owner.uri.path.endsWith('/') ? owner.uri.path : `${owner.uri.path}/`;
  return { workspace: folder.name, path: uri.path.startsWith(root) ? uri.path.slice(root.length) : '' };
}

/** The open editors' documents that are not saved, by the paths of their files. */
export function unsavedDocuments(): ReadonlyMap<string, vscode.TextDocument> {
  const unsaved = vscode.workspace.textDocuments.filter(
    ({ isDirty, uri }) => isDirty && uri.scheme === 'file',
  );
  return new Map(unsaved.map((document) => [document.uri.fsPath, document]));
}

/** Reads what the editors hold before what the disk does. */
export function readingUnsaved(unsaved = unsavedDocuments()): typeof readSourceDocuments {
  return (files, options) =>
    readSourceDocuments(files, { ...options, unsaved: (path) => unsaved.get(path)?.getText() });
}
