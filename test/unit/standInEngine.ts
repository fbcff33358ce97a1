/** An engine that is only a stand-in: well-behaved but for the faults that it is given. */
import type { AskEngine } from '../../extension/ask.ts';
import { errors } from '../../extension/errors.ts';
import type {
  AnsweredResult,
  AskParams,
  EngineNotifications,
  EngineProgress,
  EngineRequests,
  IndexedFile,
  IndexParams,
} from '../../extension/protocol/engine.ts';

interface Tell {
  readonly text: (text: EngineNotifications['text']) => void;
  readonly progress: (progress: EngineProgress) => void;
}
export interface Faults {
  readonly start?: () => Promise<never>;
  readonly load?: () => EngineRequests['load']['result'] | Promise<EngineRequests['load']['result']>;
  readonly count?: (text: string) => number;
  /** Whether everything was read before. */
  readonly stored?: boolean;
  /** False: no index is made. */
  readonly served?: boolean;
  /** Absent: the heads of the model are known. */
  readonly findHeads?: () => Promise<void>;
  readonly indexed?: (file: IndexedFile) => boolean;
  /** Tokens that were read of a file; null: there is no room. */
  readonly index?: (params: IndexParams) => number | null;
  /** The attention on the chunks of a file; absent: nothing is indexed. */
  readonly rank?: (file: IndexedFile) => readonly number[] | null;
  readonly ask?: (
    params: AskParams,
    tell: Tell,
    signal: AbortSignal,
  ) => Promise<EngineRequests['ask']['result']>;
}
export interface StandIn {
  readonly start: () => Promise<AskEngine>;
  /** Parameters of the last `ask`. */
  asked?: AskParams;
}

export function standInEngine(faults: Faults): StandIn {
  const texts = new Set<Tell['text']>();
  const progresses = new Set<Tell['progress']>();
  const tell: Tell = {
    text: (text) => texts.forEach((listener) => listener(text)),
    progress: (progress) => progresses.forEach((listener) => listener(progress)),
  };
  const methods = {
    devices: () => Promise.resolve({ libraryVersion: 'none', devices: [] }),
    load: () => Promise.resolve((faults.load ?? (() => loaded))()),
    countTokens: ({ texts }: EngineRequests['countTokens']['params']) =>
      Promise.resolve({ counts: texts.map(faults.count ?? tokensOf) }),
    findReading: () => Promise.resolve({ stored: faults.stored ?? false }),
    rank: ({ files }: EngineRequests['rank']['params']) =>
      Promise.resolve({ scores: files.map(faults.rank ?? (() => null)) }),
    findHeads: async () => {
      await faults.findHeads?.();
      return {};
    },
    findIndexed: ({ files }: EngineRequests['findIndexed']['params']) =>
      Promise.resolve({
        served: faults.served ?? true,
        knowsHeads: faults.findHeads === undefined,
        indexed: files.map(faults.indexed ?? (() => false)),
      }),
    index: (params: IndexParams) => Promise.resolve({ tokens: faults.index?.(params) ?? null }),
    ask: (params: AskParams, signal: AbortSignal) => {
      stand.asked = params;
      return (faults.ask ?? answerInTwo)(params, tell, signal);
    },
  };
  const running: AskEngine = {
    // The types of a method's parameters and result are tied to its name, which a table of three cannot express.
    request: (async (method: keyof typeof methods, params: never, signal: AbortSignal) => {
      if (signal.aborted) throw errors.cancelled();
      return methods[method](params, signal);
    }) as AskEngine['request'],
    onProgress: (listener) => {
      progresses.add(listener);
      return () => void progresses.delete(listener);
    },
    onText: (listener) => {
      texts.add(listener);
      return () => void texts.delete(listener);
    },
  };
  const stand: StandIn = { start: faults.start ?? (() => Promise.resolve(running)) };
  return stand;
}

export const progress = {
  stage: 'reading',
  done: 1,
  total: 2,
  tokensPerSecond: 100,
  secondsLeft: 1,
} as const;

async function answerInTwo({ requestId }: AskParams, tell: Tell): Promise<EngineRequests['ask']['result']> {
  tell.progress({ ...progress, requestId });
  tell.text({ requestId, text: 'It is ' });
  await Promise.resolve();
  tell.text({ requestId, text: 'so.' });
  return result;
}

export function untilAborted({ requestId }: AskParams, tell: Tell, signal: AbortSignal): Promise<never> {
  tell.progress({ ...progress, requestId });
  tell.text({ requestId, text: 'It is' });
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(errors.cancelled());
    });
  });
}

export const loaded: EngineRequests['load']['result'] = {
  modelName: 'stand-in',
  architecture: 'llama',
  deviceName: 'CPU',
  libraryVersion: 'none',
  layers: 1,
  offloadedLayers: 0,
  contextWindow: 8192,
  prefillTokensPerSecond: 1000,
  loadSeconds: 0,
  estimatedBytes: 0,
  placement: [{ device: 'CPU', layers: 1, estimatedBytes: 0 }],
  chunkTokens: 512,
  notices: [],
};

export const result: AnsweredResult = {
  outcome: 'answered',
  text: 'It is so.',
  citations: [],
  evidence: [],
  thinEvidence: false,
  stopReason: 'endOfGeneration',
  statistics: {
    documentTokens: 1,
    keptTokens: 1,
    tokenBudget: 1,
    prefillTokens: 1,
    prefillSeconds: 1,
    scoreSeconds: 0,
    evictSeconds: 0,
    generatedTokens: 1,
    generateSeconds: 1,
    kvCacheBytes: 1,
    peakEngineBytes: 1,
    reused: 'none',
  },
};

/** A tokenizer with two characters a token. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 2);
}
