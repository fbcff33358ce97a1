/** What the commands of package.json do. */
import * as vscode from 'vscode';
import { commands, settingsSection, views, type CommandName } from '../contributions.ts';
import { placeOfUri } from '../editor/workspaceFolders.ts';
import type { EngineView } from '../protocol/chat.ts';
import type { Chat } from '../conversations/chat.ts';
import type { Pin } from '../protocol/conversation.ts';
import type { Indexing } from './indexing.ts';
import type { HubToken } from './hubToken.ts';
import type { ExplainCommands } from '../explanations/explainCommands.ts';
import { askInPanel } from './askInPanel.ts';
import type { AskWindow } from './askWindow.ts';
import type { Cuda } from './cuda.ts';
import { chooseModel } from './chooseModel.ts';
import { showMachineTest } from './machineTest.ts';
import { manageModels } from './manageModels.ts';
import { askBox, showFiles, showMenu } from './picks.ts';
import { showFailure } from './showFailure.ts';

export interface CommandParts {
  readonly chat: Chat;
  readonly engineView: () => EngineView;
  readonly log: vscode.LogOutputChannel;
  readonly focusInput: (pins?: readonly Pin[]) => void;
  readonly markEvidence: (exchangeId: string | null) => void;
  readonly exportConversation: (conversationId: string) => Promise<void>;
  readonly getModel: () => Promise<void>;
  readonly hubToken: Pick<HubToken, 'set' | 'remove'>;
  readonly cuda: Cuda;
  readonly machine: AskWindow['machine'];
  readonly modelPlaces: AskWindow['modelPlaces'];
  readonly clearStoredReadings: () => Promise<void>;
  readonly indexing: Pick<Indexing, 'now' | 'isPaused' | 'togglePause'>;
  readonly testMachine: AskWindow['testMachine'];
  readonly explaining: ExplainCommands;
  /** Questions asked before, latest first. */
  readonly history: vscode.Memento;
}

const historyKey = 'questions';
const mostRemembered = 100;

export function registerCommands(parts: CommandParts): vscode.Disposable {
  const handlers: { readonly [C in CommandName]: (...args: unknown[]) => unknown } = {
    ask: () => askInOneStep(parts, selectionPin(), undefined),
    askAboutFile: (clicked) => askAbout(parts, uriOf(clicked) ?? activeUri(), 'file'),
    askAboutFolder: (clicked) => askAbout(parts, uriOf(clicked), 'folder'),
    askAboutSelection: () => askInOneStep(parts, selectionPin(), undefined),
    explainSymbol: (place) => parts.explaining.explainSymbol(place),
    explainFile: () => parts.explaining.explainFile(),
    newConversation: async () => {
      parts.chat.startNew();
      await focusChat(parts);
    },
    focusInput: () => focusChat(parts),
    stop: () => parts.chat.stop(),
    showFiles,
    markEvidence: () => {
      const exchanges = parts.chat.shown?.exchanges ?? [];
      const last = exchanges.findLast(({ facts }) => (facts?.evidence.length ?? 0) > 0);
      if (last !== undefined) parts.markEvidence(last.id);
    },
    unmarkEvidence: () => parts.markEvidence(null),
    chooseModel: async () => {
      await chooseModel(() => parts.chat.awaitsModel, parts);
      void parts.cuda.offerOnce();
    },
    getModel: parts.getModel,
    manageModels: () => manageModels(parts.cuda),
    getCuda: () => parts.cuda.get(),
    setHubToken: parts.hubToken.set,
    removeHubToken: parts.hubToken.remove,
    exportConversation: async () => {
      const shown = parts.chat.shown;
      if (shown !== null) await parts.exportConversation(shown.id);
    },
    clearStoredReadings: parts.clearStoredReadings,
    showLog: () => parts.log.show(),
    openSettings: () =>
      vscode.commands.executeCommand('workbench.action.openSettings', `${settingsSection}.`),
    indexWorkspace: () => indexNow(parts.indexing),
    testMachine: async () => {
      await showMachineTest(parts.testMachine, parts.log);
      void parts.cuda.offerOnce();
    },
    pauseIndexing: () => parts.indexing.togglePause(),
    showMenu: () => showMenu(parts.engineView(), parts.indexing.isPaused()),
  };
  return vscode.Disposable.from(
    ...(Object.keys(handlers) as CommandName[]).map((name) =>
      vscode.commands.registerCommand(commands[name], async (...args: unknown[]) => {
        try {
          return await handlers[name](...args);
        } catch (error) {
          parts.log.error(error instanceof Error ? error : String(error));
          throw error;
        }
      }),
    ),
  );
}

async function askAbout(
  parts: CommandParts,
  uri: vscode.Uri | undefined,
  kind: 'file' | 'folder',
): Promise<void> {
  const place = uri === undefined ? undefined : placeOfUri(uri);
  if (place === undefined) {
    const message =
      kind === 'file'
        ? vscode.l10n.t('Open a file of the workspace to ask about it.')
        : vscode.l10n.t('Choose a folder of the workspace to ask about it.');
    void vscode.window.showInformationMessage(message);
    return;
  }
  await askInOneStep(parts, { kind, ...place }, place.path === '' ? place.workspace : place.path);
}

/** The question is typed, asked, and answered in the panel. */
async function askInOneStep(
  parts: CommandParts,
  pin: Pin | undefined,
  about: string | undefined,
): Promise<void> {
  const earlier = parts.history.get<readonly string[]>(historyKey, []);
  const named = about ?? (pin?.kind === 'lines' ? `${pin.path}:${pin.startLine}-${pin.endLine}` : undefined);
  const question = await askBox(earlier, named);
  if (question === undefined) return;
  const remembered = [question, ...earlier.filter((one) => one !== question)].slice(0, mostRemembered);
  await parts.history.update(historyKey, remembered);
  await askInPanel(parts.chat, question, pin === undefined ? [] : [pin]);
}

/** The status bar shows how far it is; its end is told. */
async function indexNow(indexing: CommandParts['indexing']): Promise<void> {
  try {
    const done = await indexing.now();
    if (done === undefined) return;
    const { served, indexed, readable } = done;
    void vscode.window.showInformationMessage(
      served
        ? vscode.l10n.t('{0} of {1} files are indexed.', indexed, readable)
        : vscode.l10n.t('For this model no index is made.'),
    );
  } catch (error) {
    void showFailure(error);
  }
}

async function focusChat(parts: CommandParts): Promise<void> {
  await vscode.commands.executeCommand(`${views.chat}.focus`);
  parts.focusInput();
}

/** The explorer gives a URI, the source-control view an object that has one. */
function uriOf(clicked: unknown): vscode.Uri | undefined {
  if (clicked instanceof vscode.Uri) return clicked;
  if (typeof clicked !== 'object' || clicked === null || !('resourceUri' in clicked)) return undefined;
  return clicked.resourceUri instanceof vscode.Uri ? clicked.resourceUri : undefined;
}

function activeUri(): vscode.Uri | undefined {
  return vscode.window.activeTextEditor?.document.uri;
}

/** The lines of the selection, unless it is empty. */
function selectionPin(): Pin | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || editor.selection.isEmpty) return undefined;
  const place = placeOfUri(editor.document.uri);
  if (place === undefined) return undefined;
  const { start, end } = editor.selection;
  // A selection that ends before a line's first character does not reach into that line.
  const lastLine = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  return { kind: 'lines', ...place, startLine: start.line + 1, endLine: lastLine + 1 };
}
