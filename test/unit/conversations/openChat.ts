/** A chat over a real folder, whose answers are given. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { Chat } from '../../../extension/conversations/chat.ts';
import type { ChatParts, ChatQuestion } from '../../../extension/conversations/chatParts.ts';
import { ConversationStore } from '../../../extension/conversations/conversationStore.ts';
import { errors } from '../../../extension/errors.ts';
import type { AnswerEvent, CompletedAnswer } from '../../../extension/protocol/answerEvents.ts';
import type { PageChange } from '../../../extension/protocol/chat.ts';
import type { Failure } from '../../../extension/protocol/conversation.ts';
import { result } from '../standInEngine.ts';
import { recordOf } from './recordOf.ts';

export let folder: string;
/** What was asked, in order. */
export let asked: ChatQuestion[];
/** What was told. */
export let changes: PageChange[];
let lastId: number;
const opened: Chat[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-'));
  asked = [];
  changes = [];
  lastId = 0;
});
afterEach(async () => {
  for (const chat of opened.splice(0)) await chat.close();
  await rm(folder, { recursive: true, force: true });
});

export type Answer = ChatParts['answer'];

export async function open(parts: Partial<ChatParts>): Promise<Chat> {
  const { answer = says('Yes.'), ...others } = parts;
  const store = new ConversationStore(folder, ({ problem }) => {
    throw new Error(problem);
  });
  // What another window wrote just now is on the disk.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const chat = await Chat.open({
    store,
    answer: (question, confirm, signal) => {
      asked.push(question);
      return answer(question, confirm, signal);
    },
    changedFiles: () => Promise.resolve(0),
    missingModel: () => Promise.resolve(null),
    getModel: () => Promise.resolve(),
    loaded: () => ({ model: 'tiny', device: 'CPU' }),
    describe: failureOf,
    interrupted: () => failureOf(new Error('interrupted')),
    onChange: (more) => changes.push(...more),
    now: () => 1_000,
    newId: () => `${process.pid}-${performance.now()}-${lastId++}`.replaceAll('.', '_'),
    ...others,
  });
  opened.push(chat);
  return chat;
}

export function failureOf(error: unknown): Failure {
  return { reason: 'x', message: String(error), remedy: '', actions: [] };
}

/** Streams texts, then ends; an error ends it. */
export function says(...parts: readonly (string | Error)[]): Answer {
  return async function* ({ question, continueOn }) {
    if (continueOn === undefined) yield planOf(question);
    for (const part of parts) {
      await turn();
      if (part instanceof Error) throw part;
      yield { event: 'text', text: part };
    }
    yield completed(parts.join(''));
  };
}

export function waitsFor(promise: Promise<void>): Answer {
  return async function* () {
    await promise;
    yield completed('');
  };
}

export const hangs: Answer = async function* (_question, _confirm, signal) {
  await aborted(signal);
  yield* [];
  throw errors.cancelled();
};

export const streamsUntilStopped: Answer = async function* (_question, _confirm, signal) {
  yield { event: 'text', text: 'half' };
  await aborted(signal);
  throw errors.cancelled();
};

export const readsUntilStopped: Answer = async function* ({ question }, _confirm, signal) {
  yield planOf(question);
  await aborted(signal);
  throw errors.cancelled();
};

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

export function completed(text: string): CompletedAnswer & AnswerEvent {
  return {
    event: 'answer',
    text,
    citations: [],
    evidence: [],
    thinEvidence: false,
    coverage: {
      filesFound: 2,
      filesRead: 1,
      skipped: [{ workspace: 'w', path: 'a.pem', reason: 'secret' }],
    },
    statistics: result.statistics,
  };
}

export function planOf(question: string): AnswerEvent {
  const reading = recordOf(question);
  const { tokens: documentTokens, everything } = reading;
  const filesToRead = reading.files.length;
  return {
    ...{ event: 'plan', documentTokens, filesToRead, everything, estimatedSeconds: 1, slow: false },
    ...{ stored: false, reading },
  };
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Until nothing is asked any more. */
export async function settled(chat: Chat): Promise<void> {
  await expect.poll(() => chat.state.queue, { interval: 2 }).toEqual([]);
  await turn();
}
