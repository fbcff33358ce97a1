/** What the chat page asks for. */
import * as vscode from 'vscode';
import { commands } from '../contributions.ts';
import type { Chat } from '../conversations/chat.ts';
import { conversationMarkdown } from '../conversations/exportMarkdown.ts';
import { completeMention } from '../editor/mentions.ts';
import { checkLinks, openPlace, previewPlace } from '../editor/places.ts';
import type { ProgressEvent } from '../protocol/answerEvents.ts';
import type { FromPage } from '../protocol/chat.ts';
import type { RemedyAction } from '../protocol/conversation.ts';
import type { AskWindow } from './askWindow.ts';
import type { ChatView } from './chatView.ts';
import { fillingBar } from './fillingBar.ts';
import { showSkipped } from './picks.ts';

export interface PageHandlerParts {
  readonly window: AskWindow;
  readonly view: ChatView;
  readonly markEvidence: (exchangeId: string | null) => void;
  readonly log: vscode.LogOutputChannel;
}

type Message = Exclude<FromPage, { readonly type: 'ready' | 'resync' }>;

export function createPageHandler(parts: PageHandlerParts): (message: Message) => Promise<void> {
  const { window, view, markEvidence } = parts;
  const { chat } = window;
  return async (message) => {
    switch (message.type) {
      case 'ask':
        if (message.question.trim() !== '') chat.ask(message.question, message.pins);
        return;
      case 'draft':
        chat.setDraft(message.draft);
        return;
      case 'stop':
        chat.stop(message.exchangeId);
        return;
      case 'regenerate':
        chat.regenerate(message.exchangeId);
        return;
      case 'askAgain':
        chat.askAgain(message.exchangeId);
        return;
      case 'edit':
        chat.edit(message.exchangeId, message.question, message.pins);
        return;
      case 'continue':
        chat.continue(message.exchangeId);
        return;
      case 'confirm':
        chat.decide(message.exchangeId, message.reading);
        return;
      case 'getModel':
        chat.decide(message.exchangeId, { model: message.name });
        return;
      case 'pauseModel':
        chat.pauseModel(message.exchangeId);
        return;
      case 'remedy':
        return remedy(parts, message.exchangeId, message.action);
      case 'clearStoredReadings':
        return window.storedReadings.clear();
      case 'newConversation':
        chat.startNew();
        return;
      case 'openConversation':
        return chat.show(message.conversationId);
      case 'renameConversation':
        return chat.rename(message.conversationId, message.title);
      case 'deleteConversation':
        return deleteConversation(chat, message.conversationId);
      case 'exportConversation':
        return exportConversation(chat, message.conversationId);
      case 'copy':
        await vscode.env.clipboard.writeText(message.text);
        vscode.window.setStatusBarMessage(vscode.l10n.t('Copied'), 2_000);
        return;
      case 'insert':
        return insertAtCursor(message.text);
      case 'open':
        if (!(await openPlace(message.place))) {
          void vscode.window.showWarningMessage(
            vscode.l10n.t('{0} is not in the workspace any more.', message.place.path),
          );
        }
        return;
      case 'markEvidence': {
        markEvidence(message.exchangeId);
        const strongest =
          message.exchangeId === null ? undefined : chat.exchange(message.exchangeId)?.facts?.evidence[0];
        if (strongest !== undefined) {
          const { workspace, path, startLine, endLine } = strongest;
          await openPlace({ workspace, path, lines: { startLine, endLine } });
        }
        return;
      }
      case 'showCoverage': {
        const facts = chat.exchange(message.exchangeId)?.facts;
        if (facts === undefined) return;
        const { filesRead, filesFound } = facts.coverage;
        const title = vscode.l10n.t('Read {0} of {1} files; these were left out', filesRead, filesFound);
        return showSkipped(chat.skippedOf(message.exchangeId), title);
      }
      case 'complete':
        view.post({
          type: 'completions',
          request: message.request,
          items: await completeMention(message.text),
        });
        return;
      case 'checkLinks':
        view.post({
          type: 'links',
          request: message.request,
          links: await checkLinks(message.texts),
        });
        return;
      case 'showLines':
        view.post({
          type: 'lines',
          request: message.request,
          lines: await previewPlace(message.place),
        });
        return;
      case 'find':
        view.post({
          type: 'found',
          request: message.request,
          conversationIds: await chat.find(message.text),
        });
        return;
    }
  };
}

export async function exportConversation(chat: Chat, conversationId: string): Promise<void> {
  const conversation = await chat.conversation(conversationId);
  if (conversation === undefined) return;
  const content = conversationMarkdown(conversation);
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
  await vscode.window.showTextDocument(document);
}

/**
 * Outside of any question: with the editor's own progress. Cancelling pauses where what has arrived is kept.
 * Gives whether the model is on this machine. Throws what getting it throws.
 */
export async function getModelWithProgress(window: AskWindow): Promise<boolean> {
  const title = vscode.l10n.t('Getting the model');
  const location = vscode.ProgressLocation.Notification;
  for (;;) {
    const cancelled = new AbortController();
    let last: ProgressEvent | undefined;
    try {
      await vscode.window.withProgress({ location, title, cancellable: true }, (progress, token) => {
        token.onCancellationRequested(() => cancelled.abort());
        const tell = fillingBar(progress);
        return window.getModel(
          undefined,
          (event) => {
            tell(arrivalSentence(event), event.done, event.total);
            last = event;
          },
          cancelled.signal,
        );
      });
      void vscode.window.showInformationMessage(vscode.l10n.t('The model is on this machine.'));
      return true;
    } catch (error) {
      if (!cancelled.signal.aborted) throw error;
      if (last?.transfer?.resumable !== true || !(await wantsToResume(last))) return false;
    }
  }
}

async function wantsToResume({ done, total = 0 }: ProgressEvent): Promise<boolean> {
  const resume = vscode.l10n.t('Resume');
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const message = vscode.l10n.t(
    'The download is paused: {0} of {1} MB are there, and are kept.',
    megabytes(done),
    megabytes(total),
  );
  return (await vscode.window.showInformationMessage(message, resume)) === resume;
}

/** "43 of 98 MB, 5.2 MB/s, 11 s left" */
function arrivalSentence({ done, total = 0, transfer, secondsLeft }: ProgressEvent): string {
  const megabytes = (bytes: number, digits = 0): string => (bytes / 1e6).toFixed(digits);
  const parts = [vscode.l10n.t('{0} of {1} MB', megabytes(done), megabytes(total))];
  if (transfer?.bytesPerSecond !== undefined) {
    parts.push(vscode.l10n.t('{0} MB/s', megabytes(transfer.bytesPerSecond, 1)));
  }
  if (secondsLeft !== undefined) parts.push(vscode.l10n.t('{0} s left', Math.ceil(secondsLeft)));
  return parts.join(', ');
}

async function remedy(
  { window, log }: PageHandlerParts,
  exchangeId: string | null,
  action: RemedyAction,
): Promise<void> {
  const { chat } = window;
  switch (action) {
    case 'getModel':
      if ((await getModelWithProgress(window)) && exchangeId !== null) chat.continue(exchangeId);
      return;
    case 'askAgain':
      if (exchangeId !== null) chat.askAgain(exchangeId);
      return;
    case 'continue':
      if (exchangeId !== null) chat.continue(exchangeId);
      return;
    case 'showLog':
      log.show();
      return;
    case 'getCuda':
      await vscode.commands.executeCommand(commands.getCuda);
      return;
    case 'setHubToken':
      await vscode.commands.executeCommand(commands.setHubToken);
      return;
    case 'chooseModel':
      await vscode.commands.executeCommand(commands.chooseModel);
      return;
    case 'showFiles':
      await vscode.commands.executeCommand(commands.showFiles);
      return;
    case 'openSettings':
      await vscode.commands.executeCommand(commands.openSettings);
      return;
    case 'openFolder':
      await vscode.commands.executeCommand('workbench.action.files.openFolder');
      return;
    case 'manageTrust':
      await vscode.commands.executeCommand('workbench.trust.manage');
      return;
  }
}

async function deleteConversation(chat: Chat, conversationId: string): Promise<void> {
  const undo = await chat.delete(conversationId);
  if (undo === undefined) return;
  const label = vscode.l10n.t('Undo');
  const choice = await vscode.window.showInformationMessage(
    vscode.l10n.t('The conversation was deleted.'),
    label,
  );
  if (choice === label) await undo();
}

async function insertAtCursor(text: string): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('Open a file to insert into.'));
    return;
  }
  await editor.edit((edit) => edit.replace(editor.selection, text));
  await vscode.window.showTextDocument(editor.document, editor.viewColumn);
}
