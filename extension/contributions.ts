/**
 * Every id that stands in package.json and in code: written once here, and a unit test holds package.json to it.
 * Nothing is imported, so that whatever needs an id can have it.
 */

export const commands = {
  ask: 'askCodebase.ask',
  askAboutFile: 'askCodebase.askAboutFile',
  askAboutFolder: 'askCodebase.askAboutFolder',
  askAboutSelection: 'askCodebase.askAboutSelection',
  explainSymbol: 'askCodebase.explainSymbol',
  explainFile: 'askCodebase.explainFile',
  newConversation: 'askCodebase.newConversation',
  focusInput: 'askCodebase.focusInput',
  stop: 'askCodebase.stop',
  showFiles: 'askCodebase.showFiles',
  markEvidence: 'askCodebase.markEvidence',
  unmarkEvidence: 'askCodebase.unmarkEvidence',
  chooseModel: 'askCodebase.chooseModel',
  getModel: 'askCodebase.getModel',
  manageModels: 'askCodebase.manageModels',
  getCuda: 'askCodebase.getCuda',
  setHubToken: 'askCodebase.setHubToken',
  removeHubToken: 'askCodebase.removeHubToken',
  exportConversation: 'askCodebase.exportConversation',
  clearStoredReadings: 'askCodebase.clearStoredReadings',
  indexWorkspace: 'askCodebase.indexWorkspace',
  testMachine: 'askCodebase.testMachine',
  /** Pauses, and goes on when it was paused. */
  pauseIndexing: 'askCodebase.pauseIndexing',
  showLog: 'askCodebase.showLog',
  openSettings: 'askCodebase.openSettings',
  /** What a click on the status bar item opens. */
  showMenu: 'askCodebase.showMenu',
} as const;
export type CommandName = keyof typeof commands;
export type CommandId = (typeof commands)[CommandName];

/** Called by what the light bulb offers alone, so that package.json has none of it. */
export const lightBulbCommand = 'askCodebase.askFromLightBulb';

/**
 * `@repo` says what answers, is short, and is nobody's: VS Code has `@workspace`, `@vscode`, `@terminal` and `@github`,
 * and `#codebase` is its own search, so that `@codebase` would be taken for it; "ask" is one of its modes.
 * The tool is called as that of the MCP server is.
 */
export const agents = {
  participant: 'askCodebase.repo',
  participantName: 'repo',
  tool: 'ask_codebase',
  /** After a `#` in a prompt. */
  toolReference: 'askCodebase',
} as const;

/**
 * The container begins in the activity bar, where its icon is seen without a search and takes no place from the
 * built-in chat; the user moves it or its view to the secondary side bar, and VS Code remembers that.
 */
export const views = {
  container: 'askCodebase',
  chat: 'askCodebase.chat',
} as const;

/**
 * The one key. No default keybinding of VS Code has this chord on any platform ("ctrl+k ctrl+a", which only lists the
 * keybindings of a command, is another), and its second key is a plain "a", for ask. A single key with ctrl+alt would be
 * AltGr and a letter on Windows and Linux, where many layouts type with it; alt and a letter opens menus on Windows and
 * types a sign on macOS; what is free with ctrl+shift is not the same on all three.
 * An extension's chord goes before a default key that is its beginning, so it must not be waited for where cmd+k alone
 * has a meaning on macOS: it clears the terminal and the debug console.
 */
export const askKey = {
  key: 'ctrl+k a',
  mac: 'cmd+k a',
  when: "!terminalFocus && !accessibleViewIsShown && focusedView != 'workbench.panel.repl.view'",
} as const;

/** Set by the extension, read by the `when` clauses of package.json. All are booleans that begin as false. */
export const contextKeys = {
  /** A question is waiting, read or answered. */
  running: 'askCodebase.running',
  /** The shown conversation has an answer with evidence. */
  hasEvidence: 'askCodebase.hasEvidence',
  /** The lines of an answer's evidence are marked in the editors. */
  evidenceMarked: 'askCodebase.evidenceMarked',
  /** The shown conversation has at least one question. */
  hasConversation: 'askCodebase.hasConversation',
} as const;
export type ContextKey = (typeof contextKeys)[keyof typeof contextKeys];

/** What stands before every key of `settings`. */
export const settingsSection = 'askCodebase';

export type Setting = StringSetting | NumberSetting | BooleanSetting | StringsSetting;
export interface StringSetting {
  readonly key: string;
  readonly type: 'string';
  readonly default: string;
  /** Absent: any text. */
  readonly enum?: readonly string[];
}
export interface NumberSetting {
  readonly key: string;
  readonly type: 'integer' | 'number';
  readonly default: number;
  /** Inclusive, like `maximum`. */
  readonly minimum: number;
  readonly maximum: number;
}
export interface BooleanSetting {
  readonly key: string;
  readonly type: 'boolean';
  readonly default: boolean;
}
/** A list of texts. */
export interface StringsSetting {
  readonly key: string;
  readonly type: 'array';
  readonly default: readonly string[];
}

const mostTokens = 100_000_000; // beyond it a number is a slip of the finger
const minutesPerDay = 1440;
export const bytesPerGigabyte = 1e9;

export const settings = {
  // Where a model is and what it runs on belongs to a machine. Only the model may differ from workspace to workspace.
  /** Name in the catalogue, reference to Hugging Face or path of a GGUF file; empty: the default model. */
  model: { key: 'model', type: 'string', default: '' },
  /** Absolute path; empty: the platform's folder for caches. */
  modelFolder: { key: 'modelFolder', type: 'string', default: '' },
  /** Address of a mirror of Hugging Face; empty: Hugging Face itself. */
  modelMirror: { key: 'modelMirror', type: 'string', default: '' },
  device: {
    key: 'device',
    type: 'string',
    default: 'auto',
    enum: ['auto', 'cpu', 'vulkan', 'cuda', 'metal'],
  },
  /** How the engine stores what it keeps of what it reads; what runs with one type may not run with the other. */
  kvCacheType: { key: 'kvCacheType', type: 'string', default: 'f16', enum: ['f16', 'q8_0'] },
  idleMinutes: { key: 'idleMinutes', type: 'integer', default: 10, minimum: 0, maximum: minutesPerDay },
  /**
   * How much is read depends on the machine's speed, so it is not synchronised, and on the workspace, so it can be set
   * there; not for single folders, since one reading goes over all of them. The same holds for the token budget.
   */
  reading: {
    key: 'reading',
    type: 'string',
    default: 'automatic',
    enum: ['automatic', 'everything', 'limit'],
  },
  /** Tokens. */
  readingLimit: {
    key: 'readingLimit',
    type: 'integer',
    default: 20_000,
    minimum: 1_000,
    maximum: mostTokens,
  },
  /** Patterns as in a .gitignore, for each workspace folder. */
  exclude: { key: 'exclude', type: 'array', default: [] },
  confirmLongReadings: { key: 'confirmLongReadings', type: 'boolean', default: true },
  /** GB (10^9 bytes) of disk for this workspace's readings; 0: none is kept. */
  storedReadingsLimit: {
    key: 'storedReadingsLimit',
    type: 'number',
    default: 10,
    minimum: 0,
    maximum: 10_000,
  },
  /** Whether the workspace is indexed in idle time. */
  index: { key: 'index', type: 'boolean', default: true },
  /** Tokens per layer and KV head. */
  tokenBudget: { key: 'tokenBudget', type: 'integer', default: 1024, minimum: 64, maximum: mostTokens },
  preset: { key: 'preset', type: 'string', default: 'default', enum: ['default', 'perHead', 'paper'] },
  /** Tokens. */
  maxAnswerTokens: { key: 'maxAnswerTokens', type: 'integer', default: 400, minimum: 1, maximum: mostTokens },
  temperature: { key: 'temperature', type: 'number', default: 0, minimum: 0, maximum: 2 },
  /** Like `codeLens`, may differ from language to language. */
  hover: { key: 'hover', type: 'boolean', default: true },
  codeLens: { key: 'codeLens', type: 'boolean', default: false },
} as const satisfies Record<string, Setting>;
export type SettingName = keyof typeof settings;
