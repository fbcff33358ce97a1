/** Questions that the editor's own quick input asks: what to ask, which files, what to do. */
import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import { uriOfPlace } from '../editor/places.ts';
import { unsavedDocuments, workspaceFolders } from '../editor/workspaceFolders.ts';
import type { EngineView } from '../protocol/chat.ts';
import { skipReasonText, type SkippedFile } from '../protocol/nouns.ts';
import { findFiles } from '../workspace/findFiles.ts';
import { isSkipped, readSourceDocuments } from '../workspace/readSourceDocument.ts';

/** Earlier questions offered below the input. */
const mostEarlier = 50;

/** Undefined when the user leaves it. What is typed is the first choice; earlier questions are the others. */
export function askBox(earlier: readonly string[], about: string | undefined): Promise<string | undefined> {
  const pick = vscode.window.createQuickPick();
  pick.title = about === undefined ? vscode.l10n.t('Ask codebase') : vscode.l10n.t('Ask about {0}', about);
  pick.placeholder = vscode.l10n.t('Type a question and press Enter');
  const offer = (): void => {
    const typed = pick.value.trim();
    const others = earlier
      .filter((question) => question !== typed)
      .slice(0, mostEarlier)
      .map((label) => ({ label, iconPath: new vscode.ThemeIcon('history') }));
    const own = { label: typed, iconPath: new vscode.ThemeIcon('comment'), alwaysShow: true };
    pick.items = typed === '' ? others : [own, ...others];
  };
  pick.onDidChangeValue(offer);
  offer();
  return new Promise((resolve) => {
    pick.onDidAccept(() => {
      const question = pick.activeItems[0]?.label ?? pick.value.trim();
      if (question === '') return;
      resolve(question);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

/** The files left out of a reading, each with its reason; a choice opens the file. */
export function showSkipped(skipped: readonly SkippedFile[], title: string): Promise<void> {
  return pickFile([], skipped, title);
}

/** Walks and reads the workspace as a question would, with progress that can be cancelled, and shows both lists. */
export async function showFiles(): Promise<void> {
  const location = { location: vscode.ProgressLocation.Notification, cancellable: true };
  const title = vscode.l10n.t('Looking at the files');
  const { read, left } = await vscode.window.withProgress({ ...location, title }, async (progress, token) => {
    const cancelled = new AbortController();
    token.onCancellationRequested(() => cancelled.abort());
    const { signal } = cancelled;
    const unsaved = unsavedDocuments();
    const { files, skipped } = await findFiles(workspaceFolders(), {
      signal,
      isUnsaved: (path) => unsaved.has(path),
    });
    const read: FilePlace[] = [];
    const left: SkippedFile[] = [...skipped];
    const options = { signal, unsaved: (path: string) => unsaved.get(path)?.getText() };
    for await (const document of readSourceDocuments(files, options)) {
      if (isSkipped(document)) left.push(document);
      else read.push({ workspace: document.workspace, path: document.path });
      progress.report({ message: vscode.l10n.t('{0} files', read.length + left.length) });
    }
    return { read, left };
  });
  await pickFile(
    read,
    left,
    vscode.l10n.t('{0} files can be read, {1} are left out', read.length, left.length),
  );
}

type FilePlace = Pick<SkippedFile, 'workspace' | 'path'>;

async function pickFile(
  read: readonly FilePlace[],
  left: readonly SkippedFile[],
  title: string,
): Promise<void> {
  const severalFolders = workspaceFolders().length > 1;
  const item = (icon: string, file: FilePlace, description: string) => ({
    label: severalFolders ? `${file.workspace}/${file.path}` : file.path,
    description,
    iconPath: new vscode.ThemeIcon(icon),
    file,
  });
  const items = [
    ...read.map((file) => item('check', file, '')),
    ...left.map((file) => item('circle-slash', file, reasonOf(file))),
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    placeHolder: vscode.l10n.t('Filter by path or reason'),
    matchOnDescription: true,
  });
  const uri = chosen === undefined ? undefined : await uriOfPlace(chosen.file);
  if (uri !== undefined) await vscode.window.showTextDocument(uri);
}

function reasonOf({ reason, detail }: SkippedFile): string {
  const sentence = vscode.l10n.t(skipReasonText[reason]);
  return detail === undefined ? sentence : `${sentence}: ${detail}`;
}

/** What a click on the status bar item offers. */
export async function showMenu(engine: EngineView, isPaused: boolean): Promise<void> {
  const busy = engine.state === 'reading' || engine.state === 'answering' || engine.state === 'loading';
  const items = [
    { label: vscode.l10n.t('Ask codebase'), command: commands.ask },
    ...(busy ? [{ label: vscode.l10n.t('Stop'), command: commands.stop }] : []),
    { label: vscode.l10n.t('New Conversation'), command: commands.newConversation },
    { label: vscode.l10n.t('Choose Model'), command: commands.chooseModel },
    { label: vscode.l10n.t('Manage Models'), command: commands.manageModels },
    { label: vscode.l10n.t('Show Which Files Are Read'), command: commands.showFiles },
    isPaused
      ? { label: vscode.l10n.t('Resume Indexing'), command: commands.pauseIndexing }
      : { label: vscode.l10n.t('Pause Indexing'), command: commands.pauseIndexing },
    { label: vscode.l10n.t('Open Settings'), command: commands.openSettings },
    { label: vscode.l10n.t('Show Log'), command: commands.showLog },
  ];
  const title = [vscode.l10n.t('Ask Codebase'), engine.model, engine.device]
    .filter((part) => part !== undefined)
    .join(' · ');
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}
