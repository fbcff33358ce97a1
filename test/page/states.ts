/** What a host has sent to the page at the stations of a conversation. */
import type { Activity, PageState } from '../../extension/protocol/chat.ts';
import type { AnswerFacts, Exchange } from '../../extension/protocol/conversation.ts';

export const workspace = 'app';

export const emptyState: PageState = {
  conversation: null,
  conversations: [],
  activities: {},
  queue: [],
  engine: { state: 'ready', model: 'Qwen2.5 Coder 3B', device: 'CPU' },
  draft: { text: '', pins: [] },
  storedReadings: { bytes: 312_000_000, capBytes: 10e9 },
  changedFiles: {},
  markedExchange: null,
  notices: [],
  folders: [workspace],
  trusted: true,
};

export const facts: AnswerFacts = {
  citations: [
    { workspace, path: 'src/reader/chunks.ts', startLine: 12, endLine: 20, source: 'answer' },
    {
      workspace,
      path: 'src/reader/veryLongNameOfAFileThatDoesNotFit.ts',
      startLine: 7,
      endLine: 7,
      source: 'evidence',
    },
  ],
  evidence: [
    { workspace, path: 'src/reader/chunks.ts', startLine: 1, endLine: 40, weight: 0.62 },
    { workspace, path: 'README.md', startLine: 3, endLine: 9, weight: 0.08 },
  ],
  thinEvidence: true,
  coverage: { filesFound: 418, filesRead: 412 },
  statistics: {
    documentTokens: 61_204,
    keptTokens: 1_024,
    tokenBudget: 1_024,
    prefillTokens: 66_000,
    prefillSeconds: 80,
    scoreSeconds: 2,
    evictSeconds: 1,
    generatedTokens: 240,
    generateSeconds: 12,
    kvCacheBytes: 80_000_000,
    peakEngineBytes: 3_000_000_000,
    reused: 'none',
  },
  model: 'Qwen2.5 Coder 3B',
  device: 'CPU',
  seconds: 96,
};

export const answered: Exchange = {
  id: 'e1',
  question: 'How is a file cut into chunks?',
  pins: [
    { kind: 'folder', workspace, path: 'src/reader' },
    { kind: 'lines', workspace, path: 'src/index.ts', startLine: 3, endLine: 8 },
  ],
  askedAt: 1_760_000_000_000,
  state: 'answered',
  text: 'By lines, in `src/reader/chunks.ts:12-20`:\n\n```ts\nexport function cut(text: string): string[] {\n  return text.split("\\n"); // one chunk a line, however long it is, so that this line is wider than the view\n}\n```\n\n| What | Where |\n| --- | --- |\n| Lines | here |\n',
  facts,
};

const unfinished: Exchange = {
  ...answered,
  id: 'e2',
  question: 'And who calls it?',
  pins: [],
  state: 'waiting',
  text: '',
};
delete (unfinished as { facts?: AnswerFacts }).facts;

export const conversations = [
  { id: 'c1', title: answered.question, changedAt: 1_760_000_000_000, exchangeCount: 1 },
  { id: 'c2', title: 'Where do errors go?', changedAt: 1_750_000_000_000, exchangeCount: 3 },
  { id: 'c3', title: 'Tests', changedAt: 1_740_000_000_000, exchangeCount: 2 },
];

export function stateWith(exchanges: readonly Exchange[], change: Partial<PageState> = {}): PageState {
  const conversation = { id: 'c1', title: answered.question, createdAt: 0, changedAt: 0, exchanges };
  return { ...emptyState, conversation, conversations, ...change };
}

function doing(activity: Activity, change: Partial<PageState> = {}): PageState {
  return stateWith([unfinished], { activities: { e2: activity }, ...change });
}

const failure = {
  reason: 'outOfMemory',
  message: 'The model needs 4.2 GB and 2.9 GB are free.',
  remedy: 'Choose a smaller model, or close other programs.',
  actions: [
    { action: 'chooseModel', label: 'Choose model' },
    { action: 'showLog', label: 'Show log' },
  ],
} as const;

export const states: Readonly<Record<string, PageState>> = {
  empty: emptyState,
  'no folder': { ...emptyState, folders: [] },
  restricted: {
    ...emptyState,
    trusted: false,
    notices: ['Another window has a model loaded: both together need 6.1 GB.'],
    engine: { state: 'failed' },
  },
  needsModel: doing({ kind: 'needsModel', name: 'Qwen2.5 Coder 3B', bytes: 2_104_932_000, haveBytes: 0 }),
  recommended: doing({
    ...{
      kind: 'needsModel',
      name: 'Qwen2.5-Coder-0.5B-Instruct',
      bytes: 491_000_000,
      about: true,
      haveBytes: 0,
    },
    reason:
      'Good answers for the time that reading takes. Reads 10,000 tokens in about 2 min on the processor.',
    others: [{ name: 'SmolLM2-135M-Instruct', bytes: 98_362_432 }],
  }),
  paused: doing({
    kind: 'needsModel',
    name: 'Qwen2.5 Coder 3B',
    bytes: 2_104_932_000,
    haveBytes: 912_000_000,
  }),
  confirm: doing({ kind: 'confirm', seconds: 130, tokens: 61_204, smaller: { tokens: 8_000, seconds: 30 } }),
  queued: doing(
    { kind: 'queued', ahead: 1 },
    {
      queue: [
        { conversationId: 'c2', exchangeId: 'e9', question: 'Where do errors go?', running: true },
        { conversationId: 'c1', exchangeId: 'e2', question: unfinished.question, running: false },
      ],
    },
  ),
  finding: doing({ kind: 'progress', stage: 'finding', done: 120 }),
  reading: doing(
    {
      kind: 'progress',
      stage: 'reading',
      done: 20_000,
      total: 61_204,
      tokensPerSecond: 410,
      secondsLeft: 100,
      path: 'src/reader/aFolderWithALongName/chunks.ts',
      filesDone: 130,
      filesTotal: 412,
    },
    { engine: { state: 'reading', model: 'Qwen2.5 Coder 3B', device: 'CPU', percent: 32 } },
  ),
  stopping: doing({ kind: 'stopping' }),
  streaming: stateWith([answered, { ...unfinished, state: 'running', text: 'Only `read.ts` does, since' }], {
    activities: { e2: { kind: 'progress', stage: 'answering', done: 40, tokensPerSecond: 19 } },
  }),
  answered: stateWith([answered]),
  failed: stateWith([{ ...unfinished, state: 'failed', failure }]),
  stopped: stateWith([{ ...unfinished, state: 'stopped', text: 'Only' }]),
  interrupted: stateWith([{ ...unfinished, state: 'interrupted', text: 'Only', failure }]),
};
