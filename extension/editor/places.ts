/** Places that an answer names: checked to lie in the workspace and to exist before anything is opened. */
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { CheckedLink, LinesPreview, Place } from '../protocol/chat.ts';
import type { WorkspaceFolder } from '../workspace/findFiles.ts';
import { isInside } from '../workspace/roots.ts';
import { workspaceFolders } from './workspaceFolders.ts';

/** What a preview shows at most, lines. */
const previewLines = 40;
/** A file that is larger is opened, but not read for a preview; bytes. */
const largestPreviewed = 1_000_000;

/** Opens a file with the lines selected. False: it is not there. */
export async function openPlace(place: Place): Promise<boolean> {
  const uri = await uriOfPlace(place);
  if (uri === undefined) return false;
  const document = await vscode.workspace.openTextDocument(uri);
  const selection = place.lines === undefined ? undefined : rangeOfLines(document, place.lines);
  await vscode.window.showTextDocument(document, {
    ...(selection === undefined ? {} : { selection }),
    preview: true,
  });
  return true;
}

export async function previewPlace(place: Place): Promise<LinesPreview | null> {
  const uri = await uriOfPlace(place);
  if (uri === undefined || (await stat(uri.fsPath)).size > largestPreviewed) return null;
  const document = await vscode.workspace.openTextDocument(uri);
  const startLine = Math.min(place.lines?.startLine ?? 1, document.lineCount);
  const endLine = Math.min(
    place.lines?.endLine ?? document.lineCount,
    document.lineCount,
    startLine + previewLines - 1,
  );
  const range = rangeOfLines(document, { startLine, endLine });
  const { workspace, path } = place;
  return {
    workspace,
    path,
    startLine,
    endLine,
    text: document.getText(range),
    language: document.languageId,
  };
}

/** Those of the texts that name a file of the workspace: "src/a.ts", "src/a.ts:12", "src/a.ts:12-20", "folder/src/a.ts". */
export async function checkLinks(texts: readonly string[]): Promise<CheckedLink[]> {
  const folders = workspaceFolders();
  const links = await Promise.all(texts.map((text) => checkLink(text, folders)));
  return links.filter((link) => link !== undefined);
}

/** Undefined for a place that is not a file inside its workspace folder, links followed. */
export async function uriOfPlace(
  { workspace, path }: Place,
  folders: readonly WorkspaceFolder[] = workspaceFolders(),
): Promise<vscode.Uri | undefined> {
  const folder = folders.find(({ name }) => name === workspace);
  if (folder === undefined || path === '') return undefined;
  const absolute = join(folder.rootPath, path);
  if (!isInside(absolute, folder.rootPath)) return undefined;
  try {
    const [real, root] = await Promise.all([realpath(absolute), realpath(folder.rootPath)]);
    if (!isInside(real, root) || !(await stat(real)).isFile()) return undefined;
  } catch {
    return undefined;
  }
  return vscode.Uri.file(absolute);
}

export function rangeOfLines(
  document: vscode.TextDocument,
  { startLine, endLine }: { readonly startLine: number; readonly endLine: number },
): vscode.Range {
  const start = new vscode.Position(Math.max(0, startLine - 1), 0);
  const last = Math.min(Math.max(endLine, startLine), document.lineCount) - 1;
  return document.validateRange(new vscode.Range(start, document.lineAt(Math.max(0, last)).range.end));
}

/** A path, and lines in the ways that people and models write them: ":12", ":12-20", ":12:5", "#L3-L5", ", lines 3-5". */
const placePattern =
  /^(?:\.\/)?(?<path>.+?)(?:(?::|#L|,? lines? )(?<start>\d{1,7})(?:(?:-|–|-L)(?<end>\d{1,7})|:\d+)?)?$/u;

async function checkLink(
  text: string,
  folders: readonly WorkspaceFolder[],
): Promise<CheckedLink | undefined> {
  const match = placePattern.exec(text.trim().replaceAll('\\', '/'));
  const { path, start, end } = match?.groups ?? {};
  if (path === undefined) return undefined;
  const startLine = start === undefined ? undefined : Number(start);
  const lines =
    startLine === undefined
      ? {}
      : { lines: { startLine, endLine: Math.max(startLine, Number(end ?? startLine)) } };
  for (const { name } of folders) {
    for (const inside of path.startsWith(`${name}/`) ? [path.slice(name.length + 1), path] : [path]) {
      const place: Place = { workspace: name, path: inside, ...lines };
      if (await exists(place, folders)) return { text, place };
    }
  }
  return undefined;
}

async function exists(place: Place, folders: readonly WorkspaceFolder[]): Promise<boolean> {
  const uri = await uriOfPlace(place, folders);
  if (uri === undefined) return false;
  if (place.lines === undefined) return true;
  if (place.lines.startLine < 1 || (await stat(uri.fsPath)).size > largestPreviewed) return false;
  const { lineCount } = await vscode.workspace.openTextDocument(uri);
  return place.lines.startLine <= lineCount;
}
