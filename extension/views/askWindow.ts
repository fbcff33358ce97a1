/**
 * The parts of one window, joined: settings, files and engine to `ask`, and `ask` to the conversations. Its length is
 * that of the list of parts: each has a file of its own.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { ask, type AskParts, type AskRequest } from '../ask.ts';
import { modelProgressEvent } from '../loadModel.ts';
import { readPassagesAgain } from '../earlierReading.ts';
import { Chat } from '../conversations/chat.ts';
import type { ChatParts } from '../conversations/chatParts.ts';
import { ConversationStore } from '../conversations/conversationStore.ts';
import { settings as known, settingsSection } from '../contributions.ts';
import { readSettings } from '../editor/settings.ts';
import {
  placeOfUri,
  readingUnsaved,
  unsavedDocuments,
  workspaceFolders,
} from '../editor/workspaceFolders.ts';
import { bundledEngine } from '../engineClient/bundledEngine.ts';
import { startEngine } from '../engineClient/engineClient.ts';
import { engineDevices } from '../engineClient/engineDevices.ts';
import { IdleEngine, type EngineCondition } from '../engineClient/idleEngine.ts';
import { readGrammarFile } from '../grammarFiles.ts';
import { indexWorkspace } from '../indexWorkspace.ts';
import { errors } from '../errors.ts';
import { resolveModel } from '../models/findModel.ts';
import type { HubAccess } from '../models/huggingFace.ts';
import { readMachine, type MachineFacts } from '../models/machine.ts';
import type { AnswerEvent, ProgressEvent } from '../protocol/answerEvents.ts';
import type { EngineView, PageChange } from '../protocol/chat.ts';
import type { EngineNotice } from '../protocol/engine.ts';
import { testMachine, type MachineTest } from '../testMachine.ts';
import { createGrammars } from '../retrieval/syntax.ts';
import { findFiles } from '../workspace/findFiles.ts';
import { keepCuda, type Cuda } from './cuda.ts';
import { describeFailure, interruptedFailure } from './describeFailure.ts';
import { loadedDetails, noticeText } from './engineTexts.ts';
import { keepHubToken, type HubToken } from './hubToken.ts';
import { createIndexing, type Indexing } from './indexing.ts';
import { missingModel, takeOffer } from './modelOffers.ts';
import { storedReadings, type StoredReadings } from './storedReadings.ts';

export interface AskWindow {
  readonly chat: Chat;
  /** Answers beside the conversations: nothing of it is shown in the panel or stored with them. Throws as `ask` does. */
  readonly ask: (
    question: WindowQuestion,
    signal: AbortSignal,
  ) => AsyncGenerator<AnswerEvent, void, undefined>;
  readonly engineView: () => EngineView;
  /** Sentences that the user should know. */
  readonly notices: () => readonly string[];
  readonly getModel: ChatParts['getModel'];
  readonly modelPlaces: () => Promise<ModelPlaces>;
  readonly hubToken: HubToken;
  readonly cuda: Cuda;
  /** What a model can have, by the settings as they are; what the loaded one takes counts as free. */
  readonly machine: () => Promise<MachineFacts>;
  /** How fast this machine is, with the settings as they are. Throws as `testMachine` does. */
  readonly testMachine: (
    onProgress: (event: ProgressEvent) => void,
    signal: AbortSignal,
  ) => Promise<MachineTest>;
  readonly storedReadings: StoredReadings;
  readonly indexing: Indexing;
  /** Ends everything; what ran can be continued. */
  readonly close: () => Promise<void>;
}

/** As `resolveModel` and `lookUpModel` take them. */
export interface ModelPlaces {
  readonly folder?: string;
  readonly access: HubAccess;
  readonly proxy?: string;
}

export interface WindowQuestion extends Pick<
  AskRequest,
  'question' | 'pins' | 'history' | 'answerSoFar' | 'continueOn' | 'background'
> {
  /** Instead of what the settings say. */
  readonly readingLimit?: number | 'all';
  /** Instead of what the settings say. */
  readonly maxAnswerTokens?: number;
  /** Another answer than the one before is wanted. */
  readonly anew?: boolean;
}

export interface AskWindowOptions {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly onChange: (changes: readonly PageChange[]) => void;
  readonly onEngine: (engine: EngineView) => void;
}

/** A question that is asked anew is answered otherwise only if the answer is not greedy. */
const anewTemperature = 0.7;
const changesRestMs = 1_000;

export async function openAskWindow({
  context,
  log,
  onChange,
  onEngine,
}: AskWindowOptions): Promise<AskWindow> {
  const grammars = createGrammars(readGrammarFile);
  const hubToken = keepHubToken(context.secrets);
  let notices: readonly string[] = [];
  /** Of the engine that runs, in the order in which they were heard. */
  const engineNotices = new Set<string>();
  let view: EngineView = { state: 'stopped' };
  const setView = (next: EngineView): void => {
    view = next;
    onEngine(view);
  };

  const cuda = keepCuda(context, {
    log,
    proxy: () => httpProxy(),
    restartEngine: () => engine.stopWhenUnused(),
  });
  const engine = new IdleEngine({
    start: () =>
      startEngine({
        ...bundledEngine(cuda.engineOptions()),
        onStderrLine: (line) => log.info(`engine: ${line}`),
      }),
    idleMinutes: readSettings().settings.idleMinutes,
    registryFolder: vscode.Uri.joinPath(context.globalStorageUri, 'engines').fsPath,
    onChange: (condition) => {
      log.info(`engine: ${condition.state}`);
      if (condition.state === 'loading') engineNotices.clear();
      if (condition.state === 'ready') for (const notice of condition.loaded.notices) tellOfEngine(notice);
      if (condition.state === 'failed') log.error(condition.error);
      setView(idleView());
    },
  });
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      const { settings } = readSettings();
      engine.setIdleMinutes(settings.idleMinutes);
      // A process has the libraries of one kind of device.
      if (event.affectsConfiguration(`${settingsSection}.${known.device.key}`)) engine.stopWhenUnused();
      if (!event.affectsConfiguration(`${settingsSection}.${known.index.key}`)) return;
      if (settings.index) indexing.soon();
      else void indexing.stop();
    }),
  );

  const readings = storedReadings(context, log, (view) =>
    onChange([{ change: 'state', state: { storedReadings: view } }]),
  );

  /** What a question or the index works with, as the editors and the settings are now. */
  const partsNow = (): AskParts => {
    const unsaved = unsavedDocuments();
    const { modelFolder: folder } = readSettings().settings;
    return {
      findFiles: (folders, options) =>
        findFiles(folders, { ...options, isUnsaved: (path) => unsaved.has(path) }),
      readDocuments: readingUnsaved(unsaved),
      grammars,
      resolveModel: (name, options) =>
        resolveModel(name, { ...options, mayDownload: false, ...(folder === undefined ? {} : { folder }) }),
      engine: () => engine.engine(),
    };
  };

  const pausedKey = 'indexingPaused';
  const indexing = createIndexing({
    async *index(signal) {
      const states = readings.folder();
      if (states === undefined) throw errors.indexNotKept();
      const { model, device, kvCacheType } = readSettings().settings;
      const request = {
        folders: workspaceFolders(),
        states,
        device,
        kvCacheType,
        ...(model === undefined ? {} : { model }),
      };
      yield* indexWorkspace({ ...request, background: true }, partsNow(), () => undefined, signal);
      void readings.refresh();
    },
    findHeads: async (signal) => {
      await (await engine.engine()).request('findHeads', { background: true }, signal);
    },
    mayBegin: () => {
      if (engine.condition.state !== 'ready') return 'nothing';
      return readSettings().settings.index && readings.folder() !== undefined ? 'index' : 'heads';
    },
    paused: {
      get: () => context.workspaceState.get(pausedKey, false),
      set: async (paused) => context.workspaceState.update(pausedKey, paused),
    },
    log,
    onChange: () => {
      if (view.state === 'ready') setView(idleView());
    },
  });
  const idleView = (): EngineView => {
    const percent = indexing.percent();
    const now = engineViewOf(engine.condition);
    return now.state === 'ready' && percent !== undefined ? { ...now, indexing: percent } : now;
  };

  const tellOfEngine = (notice: EngineNotice): void => {
    const text = noticeText(notice);
    if (engineNotices.has(text)) return;
    engineNotices.add(text);
    log.warn(text);
    onChange([{ change: 'state', state: { notices: [...notices, ...engineNotices] } }]);
  };

  const tellOfOthers = async (): Promise<void> => {
    const others = engine.condition.state === 'ready' ? [] : await engine.othersInMemory();
    notices = others.map(({ model, bytes }) =>
      vscode.l10n.t(
        'Another window holds {0} in memory ({1} MB). This window takes that memory a second time.',
        model,
        (bytes / 1e6).toFixed(0),
      ),
    );
    const { problems } = readSettings();
    for (const problem of problems) log.warn(problem);
    for (const notice of notices) log.info(notice);
    notices = [...notices, ...problems];
    onChange([{ change: 'state', state: { notices: [...notices, ...engineNotices] } }]);
  };

  async function* answer(
    question: WindowQuestion,
    confirm: AskParts['confirmReading'],
    signal: AbortSignal,
  ): AsyncGenerator<AnswerEvent, void, undefined> {
    const { settings } = readSettings();
    await tellOfOthers();
    // The engine stays while the user decides.
    let release = (): void => undefined;
    void engine.use(() => new Promise<void>((resolve) => (release = resolve)));
    try {
      const { anew = false, ...asked } = question;
      const states = readings.folder();
      const events = ask(
        {
          ...settings,
          ...asked,
          folders: workspaceFolders(),
          ...(states === undefined ? {} : { states }),
          temperature: anew ? Math.max(settings.temperature, anewTemperature) : settings.temperature,
          seed: anew ? Math.floor(Math.random() * 2 ** 31) : 0,
        },
        {
          ...partsNow(),
          ...(settings.confirmLongReadings && confirm !== undefined ? { confirmReading: confirm } : {}),
        },
        signal,
      );
      for await (const event of events) {
        if (event.event === 'progress') setView(viewDuring(view, event));
        if (event.event === 'notice') tellOfEngine(event.notice);
        yield event;
      }
    } finally {
      release();
      void readings.refresh();
      setView(idleView());
      if (question.background !== true) indexing.soon();
    }
  }

  const machine = (): Promise<MachineFacts> => {
    const { condition } = engine;
    const loaded = condition.state === 'ready' ? condition.loaded.placement : [];
    return readMachine(() => engineDevices(readSettings().settings.device, cuda.engineOptions()), loaded);
  };

  /** Where models are kept and come from. */
  const modelPlaces = async (): Promise<ModelPlaces> => {
    const { modelFolder: folder, modelMirror: endpoint } = readSettings().settings;
    const token = await hubToken.get();
    const access = {
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(token === undefined ? {} : { token }),
    };
    const proxy = httpProxy();
    return { access, ...(folder === undefined ? {} : { folder }), ...(proxy === undefined ? {} : { proxy }) };
  };
  const getModel: ChatParts['getModel'] = async (name, onProgress, signal) => {
    const model = await takeOffer(name);
    await resolveModel(model, {
      ...(await modelPlaces()),
      signal,
      onProgress: (progress) => onProgress(modelProgressEvent(progress)),
    });
  };

  const folder = vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, 'conversations').fsPath;
  const store = new ConversationStore(folder, ({ kind, path, problem }) => {
    log.error(`${kind} ${path}: ${problem}`);
    void vscode.window.showWarningMessage(
      kind === 'damaged'
        ? vscode.l10n.t('A conversation could not be read and was set aside: {0}', path)
        : vscode.l10n.t('A conversation could not be stored: {0}', problem),
    );
  });
  const chat = await Chat.open({
    store,
    answer,
    getModel,
    missingModel: async (signal) => missingModel({ ...(await modelPlaces()), signal }, machine),
    loaded: () => {
      const { condition } = engine;
      if (condition.state !== 'ready') return undefined;
      return { model: condition.loaded.modelName, device: condition.loaded.deviceName };
    },
    changedFiles: async (record) => {
      const { signal } = new AbortController();
      const readDocuments = readingUnsaved(unsavedDocuments());
      return (await readPassagesAgain(record, workspaceFolders(), readDocuments, signal)).changed.length;
    },
    describe: (error) => {
      log.error(error instanceof Error ? error : String(error));
      return describeFailure(error);
    },
    interrupted: interruptedFailure,
    onChange,
    now: () => Date.now(),
    newId: () => randomUUID(),
  });

  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((event) => {
      const keys = [known.model.key, known.modelFolder.key];
      if (keys.some((key) => event.affectsConfiguration(`${settingsSection}.${key}`))) chat.modelChanged();
    }),
  );

  const watcher = onFileChanges(
    (uri) => {
      const place = placeOfUri(uri);
      return place !== undefined && chat.hasRead(place.workspace, place.path);
    },
    () => {
      chat.checkChanges().catch((error: unknown) => log.error(String(error)));
    },
  );
  context.subscriptions.push(watcher);
  void readings.refresh();

  return {
    chat,
    ask: (question, signal) => answer(question, undefined, signal),
    getModel,
    modelPlaces,
    hubToken,
    cuda,
    machine,
    testMachine: (onProgress, signal) =>
      engine.use(() =>
        testMachine(
          { ...readSettings().settings, folders: workspaceFolders() },
          partsNow(),
          onProgress,
          signal,
        ),
      ),
    storedReadings: readings,
    indexing,
    engineView: () => view,
    notices: () => [...notices, ...engineNotices],
    async close() {
      await indexing.stop();
      await chat.close();
      await engine.dispose();
    },
  };
}

/** VS Code's own setting, for programs that are started: undefined when it is empty. */
function httpProxy(): string | undefined {
  return vscode.workspace.getConfiguration('http').get<string>('proxy') || undefined;
}

/** Calls `work` once changes of the files that matter, or of their unsaved texts, have come to rest. */
function onFileChanges(matters: (uri: vscode.Uri) => boolean, work: () => void): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const soon = (uri: vscode.Uri): void => {
    if (!matters(uri)) return;
    clearTimeout(timer);
    timer = setTimeout(work, changesRestMs);
  };
  const watcher = vscode.workspace.createFileSystemWatcher('**/*');
  return vscode.Disposable.from(
    watcher,
    watcher.onDidCreate(soon),
    watcher.onDidChange(soon),
    watcher.onDidDelete(soon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon(document.uri)),
    { dispose: () => clearTimeout(timer) },
  );
}

function engineViewOf(condition: EngineCondition): EngineView {
  if (condition.state !== 'ready') return { state: condition.state };
  const { modelName: model, deviceName: device } = condition.loaded;
  return { state: 'ready', model, device, details: loadedDetails(condition.loaded) };
}

function viewDuring(view: EngineView, event: Extract<AnswerEvent, { event: 'progress' }>): EngineView {
  const { state: _state, percent: _percent, indexing: _indexing, ...loaded } = view;
  if (event.stage === 'reading' && event.total !== undefined && event.total > 0) {
    return { ...loaded, state: 'reading', percent: (100 * event.done) / event.total };
  }
  return event.stage === 'answering' ? { ...loaded, state: 'answering' } : view;
}
