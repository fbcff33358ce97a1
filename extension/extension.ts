/** What VS Code loads: builds the parts and registers them, nothing else. */
import * as vscode from 'vscode';
import type { AskCodebaseApi } from './agents/api.ts';
import { exportedApi } from './agents/exportedApi.ts';
import { createLinkHandler } from './agents/linkHandler.ts';
import { registerAgents } from './agents/registerAgents.ts';
import { contextKeys, views } from './contributions.ts';
import { EvidenceMarks } from './editor/evidenceMarks.ts';
import { registerLightBulb } from './editor/lightBulb.ts';
import { workspaceFolders } from './editor/workspaceFolders.ts';
import { registerExplanations } from './explanations/registerExplanations.ts';
import { createLog } from './log.ts';
import type { PageChange, PageState } from './protocol/chat.ts';
import { askInPanel } from './views/askInPanel.ts';
import { openAskWindow, type AskWindow } from './views/askWindow.ts';
import { ChatView } from './views/chatView.ts';
import { registerCommands } from './views/commands.ts';
import { createPageHandler, exportConversation, getModelWithProgress } from './views/pageHandler.ts';
import { createStatusBar } from './views/statusBar.ts';

let closing: (() => Promise<void>) | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<AskCodebaseApi> {
  const log = createLog();
  const statusBar = createStatusBar();
  const marks = new EvidenceMarks();
  let markedExchange: string | null = null;
  const opened: { window?: AskWindow } = {};

  const tell = (changes: readonly PageChange[]): void => {
    view.change(changes);
    // Text and progress come many times a second, and no key depends on them.
    if (changes.some(({ change }) => change === 'state' || change === 'exchange')) {
      setContextKeys(opened.window, markedExchange);
    }
  };
  const state = (): PageState => ({
    ...ready().chat.state,
    engine: ready().engineView(),
    storedReadings: ready().storedReadings.view(),
    markedExchange,
    notices: ready().notices(),
    folders: workspaceFolders().map(({ name }) => name),
    trusted: vscode.workspace.isTrusted,
  });
  const markEvidence = (exchangeId: string | null): void => {
    const evidence = exchangeId === null ? [] : (ready().chat.exchange(exchangeId)?.facts?.evidence ?? []);
    markedExchange = evidence.length === 0 ? null : exchangeId;
    marks.show(evidence);
    tell([{ change: 'state', state: { markedExchange } }]);
  };
  const ready = (): AskWindow => {
    if (opened.window === undefined) throw new Error('The window is not open yet.');
    return opened.window;
  };
  const view = new ChatView({
    extensionUri: context.extensionUri,
    state,
    onMessage: (message) => handle(message),
    onError: (error) => log.error(error instanceof Error ? error : String(error)),
  });
  const window = await openAskWindow({
    context,
    log,
    onChange: tell,
    onEngine: (engine) => {
      statusBar.show(engine);
      view.changeEngine(engine);
    },
  });
  opened.window = window;
  const { chat, close } = window;
  closing = close;
  const handle = createPageHandler({ window, view, markEvidence, log });
  statusBar.show(window.engineView());

  context.subscriptions.push(
    log,
    statusBar,
    marks,
    vscode.window.registerWebviewViewProvider(views.chat, view),
    registerCommands({
      chat,
      engineView: ready().engineView,
      log,
      focusInput: (pins) => view.post({ type: 'focusInput', ...(pins === undefined ? {} : { pins }) }),
      markEvidence,
      exportConversation: (id) => exportConversation(chat, id),
      getModel: async () => {
        await getModelWithProgress(ready());
      },
      hubToken: window.hubToken,
      cuda: window.cuda,
      machine: window.machine,
      modelPlaces: window.modelPlaces,
      clearStoredReadings: window.storedReadings.clear,
      indexing: window.indexing,
      testMachine: window.testMachine,
      explaining: registerExplanations(context, window.ask, log),
      history: context.workspaceState,
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() =>
      tell([{ change: 'state', state: { folders: workspaceFolders().map(({ name }) => name) } }]),
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => tell([{ change: 'state', state: { trusted: true } }])),
    registerLightBulb(({ question, pin }) => askInPanel(chat, question, [pin])),
    registerAgents(window.ask, log),
    vscode.window.registerUriHandler(createLinkHandler(chat)),
  );
  return exportedApi(window.ask);
}

export async function deactivate(): Promise<void> {
  await closing?.();
}

function setContextKeys(window: AskWindow | undefined, markedExchange: string | null): void {
  const { conversation, queue } = window?.chat.state ?? { conversation: null, queue: [] };
  const values = {
    running: queue.length > 0,
    hasEvidence: conversation?.exchanges.some(({ facts }) => (facts?.evidence.length ?? 0) > 0) ?? false,
    evidenceMarked: markedExchange !== null,
    hasConversation: (conversation?.exchanges.length ?? 0) > 0,
  } as const satisfies Record<keyof typeof contextKeys, boolean>;
  for (const [name, value] of Object.entries(values)) {
    if (shownKeys.get(name) === value) continue;
    shownKeys.set(name, value);
    void vscode.commands.executeCommand('setContext', contextKeys[name as keyof typeof contextKeys], value);
  }
}

/** What VS Code was told last: most changes change none. */
const shownKeys = new Map<string, boolean>();
