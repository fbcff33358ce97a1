/** Handlers without a model, that do what the question's first word says; the rest of it is the argument. */
import { AskError, errors } from '../../../extension/errors.ts';
import type { AskStream, EngineHandlers } from '../../../extension/engine/server.ts';
import type { AskParams, AskResult } from '../../../extension/protocol/engine.ts';

export function createEngineHandlers(): EngineHandlers {
  let loadedModel: string | null = null;
  return {
    devices: () => Promise.resolve({ libraryVersion: 'none', devices: [] }),
    load: (params) => {
      loadedModel = params.modelPath;
      return Promise.reject(errors.modelNotFound(params.modelPath));
    },
    countTokens: ({ texts }) => Promise.resolve({ counts: texts.map((text) => text.length) }),
    findReading: () => Promise.resolve({ stored: false }),
    findHeads: () => Promise.resolve({}),
    findIndexed: ({ files }) =>
      Promise.resolve({ served: false, knowsHeads: true, indexed: files.map(() => false) }),
    index: () => Promise.reject(errors.internal('nothing is indexed', undefined)),
    rank: ({ files }) => Promise.resolve({ scores: files.map(() => null) }),
    ask,
    status: () => ({ loadedModel }),
    dispose: () => {
      console.log('disposed');
      return Promise.resolve();
    },
  };
}

async function ask(params: AskParams, { signal, progress, text }: AskStream): Promise<AskResult> {
  const [deed = '', ...words] = params.question.split(' ');
  switch (deed) {
    case 'say':
      for (const word of words) {
        text(word);
        if (word.endsWith('.')) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return answer(words.join(''));
    case 'report':
      text('before');
      progress({ stage: 'reading', done: 1, total: 2, tokensPerSecond: 3, secondsLeft: 4 });
      text('after');
      return answer('beforeafter');
    case 'wait':
      await untilAborted(signal);
      throw signal.reason;
    case 'waitAsNodeDoes':
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('This was aborted', 'AbortError')));
      });
      throw new Error('unreachable');
    case 'refuse':
      throw errors.questionTooLong(600, 512);
    case 'throw':
      throw new TypeError(words.join(' '));
    case 'sayAndThrow':
      text(words.join(' '));
      throw new Error('after the text');
    case 'throwString':
      AbortSignal.abort(words.join(' ')).throwIfAborted();
      throw new Error('unreachable');
    case 'throwLater':
      setTimeout(() => {
        throw new Error(words.join(' '));
      });
      return untilAborted(signal);
    case 'print':
      console.log(words.join(' '));
      console.info(words.join(' '));
      return answer('printed');
    default:
      throw new Error(`no such deed: ${deed}`);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as AskError));
  });
}

function answer(text: string): AskResult {
  return {
    outcome: 'answered',
    text,
    citations: [],
    evidence: [],
    thinEvidence: false,
    stopReason: 'endOfGeneration',
    statistics: {
      documentTokens: 0,
      keptTokens: 0,
      tokenBudget: 0,
      prefillTokens: 0,
      prefillSeconds: 0,
      scoreSeconds: 0,
      evictSeconds: 0,
      generatedTokens: 0,
      generateSeconds: 0,
      kvCacheBytes: 0,
      peakEngineBytes: 0,
      reused: 'none',
    },
  };
}

export function questionOf(text: string, requestId = 'q1'): AskParams {
  return {
    requestId,
    question: text,
    history: [],
    answerSoFar: '',
    passages: [],
    preset: 'default',
    tokenBudget: 512,
    maxAnswerTokens: 16,
    temperature: 0,
    seed: 1,
  };
}
