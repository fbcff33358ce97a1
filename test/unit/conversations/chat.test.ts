import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Chat } from '../../../extension/conversations/chat.ts';
import type { ChatParts, ChatQuestion } from '../../../extension/conversations/chatParts.ts';
import { ConversationStore } from '../../../extension/conversations/conversationStore.ts';
import { errors } from '../../../extension/errors.ts';
import type { AnswerEvent, CompletedAnswer } from '../../../extension/protocol/answerEvents.ts';
import type { PageChange } from '../../../extension/protocol/chat.ts';
import type { Failure } from '../../../extension/protocol/conversation.ts';
import { result } from '../standInEngine.ts';
import { recordOf } from './recordOf.ts';

let folder: string;
let asked: ChatQuestion[];
let changes: PageChange[];
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

describe('a question', () => {
  it('is answered, told as it streams, and stored', async () => {
    const chat = await open({ answer: says('The port ', 'is 8080.') });
    const id = chat.ask('Which port?', []);
    await settled(chat);
    expect(chat.exchange(id)).toMatchObject({ state: 'answered', text: 'The port is 8080.' });
    const texts = changes.filter((change) => change.change === 'text');
    expect(texts.map(({ offset, text }) => [offset, text])).toEqual([
      [0, 'The port '],
      [9, 'is 8080.'],
    ]);
    expect(chat.skippedOf(id)).toEqual([{ workspace: 'w', path: 'a.pem', reason: 'secret' }]);

    const again = await open({});
    expect(again.shown?.exchanges).toEqual(chat.shown?.exchanges);
  });

  it('has the turns before it, and not its own', async () => {
    const chat = await open({ answer: says('Yes.') });
    chat.ask('One?', []);
    await settled(chat);
    chat.ask('Two?', []);
    await settled(chat);
    expect(asked.map(({ history }) => history)).toEqual([[], [{ question: 'One?', answer: 'Yes.' }]]);
  });

  it('waits for the one before it, and is told how many are', async () => {
    let openGate = (): void => undefined;
    const gate = new Promise<void>((resolve) => (openGate = resolve));
    const chat = await open({ answer: waitsFor(gate) });
    chat.ask('One?', []);
    const second = chat.ask('Two?', []);
    await turn();
    expect(chat.state.queue.map(({ question, running }) => [question, running])).toEqual([
      ['One?', true],
      ['Two?', false],
    ]);
    expect(chat.state.activities[second]).toEqual({ kind: 'queued', ahead: 1 });
    openGate();
    await settled(chat);
    expect(chat.shown?.exchanges.map(({ state }) => state)).toEqual(['answered', 'answered']);
  });

  it('leaves the queue when it is stopped, and keeps its text when it runs', async () => {
    const chat = await open({ answer: streamsUntilStopped });
    const first = chat.ask('One?', []);
    const second = chat.ask('Two?', []);
    await turn();
    chat.stop(second);
    expect(chat.exchange(second)?.state).toBe('stopped');
    chat.stop(first);
    expect(chat.state.activities[first]).toEqual({ kind: 'stopping' });
    await settled(chat);
    expect(chat.exchange(first)).toMatchObject({ state: 'stopped', text: 'half' });
    expect(asked).toHaveLength(1);
  });

  it('is interrupted when the engine goes away after the first words, and is continued from them', async () => {
    const chat = await open({ answer: says('The port ', errors.engineStopped('signal SIGKILL')) });
    const id = chat.ask('Which port?', []);
    await settled(chat);
    expect(chat.exchange(id)).toMatchObject({ state: 'interrupted', text: 'The port ' });
    chat.continue(id);
    await settled(chat);
    expect(asked.at(-1)?.answerSoFar).toBe('The port ');
  });

  it.each([
    ['before the first word', says(errors.engineStopped('signal SIGKILL'))],
    ['of another kind', says('The ', errors.diskFull('folder', 1, 2))],
  ])('fails with a failure %s', async (_, answer) => {
    const chat = await open({ answer });
    const id = chat.ask('Which port?', []);
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('failed');
    expect(chat.exchange(id)?.failure?.message).not.toBe('');
  });

  it('waits for the user where the model is missing, then for the model, then is answered', async () => {
    let here = false;
    const chat = await open({
      answer: says('Yes.'),
      missingModel: () => Promise.resolve(here ? null : { name: 'small', bytes: 98 }),
      getModel: (onProgress) => {
        onProgress({ event: 'progress', stage: 'downloading', done: 1, total: 2 });
        here = true;
        return Promise.resolve();
      },
    });
    const id = chat.ask('One?', []);
    await turn();
    expect(chat.state.activities[id]).toEqual({ kind: 'needsModel', name: 'small', bytes: 98 });
    expect(asked).toEqual([]);
    chat.decide(id, 'planned');
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('answered');
    const shown = changes.filter((change) => change.change === 'activity').map(({ activity }) => activity);
    expect(shown).toContainEqual({ kind: 'progress', stage: 'downloading', done: 1, total: 2 });
  });

  it('waits for the choice of a long reading', async () => {
    const plan = { tokens: 90, seconds: 60, smaller: { tokens: 40, seconds: 30 } };
    const choices: string[] = [];
    const chat = await open({
      answer: async function* (_question, confirm, signal) {
        choices.push(await confirm(plan, signal));
        yield completed('Yes.');
      },
    });
    const id = chat.ask('One?', []);
    await turn();
    expect(chat.state.activities[id]).toEqual({ kind: 'confirm', ...plan });
    chat.decide(id, 'smaller');
    await settled(chat);
    expect(choices).toEqual(['smaller']);
  });
});

describe('asking again', () => {
  it('brings the old answer back when it is stopped before a word came', async () => {
    let first = true;
    const chat = await open({
      answer: (question, confirm, signal) => {
        const answer = first ? says('Yes.') : hangs;
        first = false;
        return answer(question, confirm, signal);
      },
    });
    const id = chat.ask('One?', []);
    await settled(chat);
    const before = chat.exchange(id);
    chat.regenerate(id);
    await turn();
    expect(asked.at(-1)?.anew).toBe(true);
    chat.stop(id);
    await settled(chat);
    expect(chat.exchange(id)).toEqual(before);
  });

  it('replaces the last question when it is edited', async () => {
    const chat = await open({ answer: says('Yes.') });
    const id = chat.ask('One?', []);
    await settled(chat);
    chat.edit(id, 'Other?', []);
    await settled(chat);
    expect(chat.shown?.exchanges.map(({ question }) => question)).toEqual(['Other?']);
  });

  it('leaves what came after an edited question in the old conversation', async () => {
    const chat = await open({ answer: says('Yes.') });
    chat.ask('One?', []);
    const second = chat.ask('Two?', []);
    chat.ask('Three?', []);
    await settled(chat);
    const old = chat.shown?.id ?? '';
    chat.edit(second, 'Two otherwise?', []);
    await settled(chat);
    expect(chat.shown?.exchanges.map(({ question }) => question)).toEqual(['One?', 'Two otherwise?']);
    await chat.show(old);
    expect(chat.shown?.exchanges).toHaveLength(3);
  });
});

describe('conversations', () => {
  it('come back after they were deleted and that was undone', async () => {
    const chat = await open({ answer: says('Yes.') });
    chat.ask('One?', []);
    await settled(chat);
    const id = chat.shown?.id ?? '';
    const undo = await chat.delete(id);
    expect(chat.state.conversations).toEqual([]);
    expect(chat.shown).toBeNull();
    await undo?.();
    expect(chat.shown?.id).toBe(id);
  });

  it('are renamed, and a name of nothing is none', async () => {
    const chat = await open({ answer: says('Yes.') });
    chat.ask('One?', []);
    await settled(chat);
    const id = chat.shown?.id ?? '';
    await chat.rename(id, '  Ports \n and more ');
    await chat.rename(id, ' ');
    expect(chat.state.conversations.map(({ title }) => title)).toEqual(['Ports and more']);
  });

  it('that ran when the window closed are found interrupted, with what was written', async () => {
    const chat = await open({ answer: streamsUntilStopped });
    const id = chat.ask('One?', []);
    await turn();
    await chat.close();
    const again = await open({});
    expect(again.exchange(id)).toMatchObject({ state: 'interrupted', text: 'half' });
  });

  it('keep their drafts', async () => {
    const chat = await open({ answer: says('Yes.') });
    chat.setDraft({ text: 'half a quest', pins: [] });
    const again = await open({});
    expect(again.state.draft.text).toBe('half a quest');
    again.ask('Whole?', []);
    expect(again.state.draft.text).toBe('');
  });
});

describe('what was read', () => {
  it('is gone on with by a follow-up, by regenerating and by an edit, and not by asking again', async () => {
    const chat = await open({});
    const id = chat.ask('One?', []);
    await settled(chat);
    chat.ask('Two?', []);
    await settled(chat);
    chat.regenerate(id);
    await settled(chat);
    const last = chat.shown!.exchanges[1]!;
    chat.edit(last.id, 'Two, really?', []);
    await settled(chat);
    chat.askAgain(id);
    await settled(chat);
    expect(asked.map(({ question, continueOn }) => [question, continueOn?.question])).toEqual([
      ['One?', undefined],
      ['Two?', 'One?'],
      ['One?', 'One?'],
      ['Two, really?', 'One?'],
      ['One?', undefined],
    ]);
  });

  it('is gone on with in another window, and in a branch', async () => {
    const chat = await open({});
    const id = chat.ask('One?', []);
    await settled(chat);
    chat.ask('Two?', []);
    await settled(chat);
    await chat.close();
    const again = await open({});
    again.ask('Three?', []);
    await settled(again);
    expect(asked.at(-1)?.continueOn).toEqual(recordOf('One?'));
    const second = again.shown!.exchanges[1]!;
    again.edit(second.id, 'Another two?', []);
    await settled(again);
    expect(again.shown?.id).not.toBe(chat.shown?.id);
    expect(asked.at(-1)).toMatchObject({ question: 'Another two?', continueOn: { question: 'One?' } });
    expect(again.skippedOf(id)).toEqual([]);
    expect(again.skippedOf(again.shown!.exchanges[0]!.id)).toHaveLength(1);
  });

  it('and was cut off by a reload is gone on with by Continue', async () => {
    const chat = await open({ answer: readsUntilStopped });
    const id = chat.ask('One?', []);
    await expect.poll(() => chat.exchange(id)?.state).toBe('running');
    await turn();
    await chat.close();
    const again = await open({});
    expect(again.exchange(id)?.state).toBe('interrupted');
    again.continue(id);
    await settled(again);
    expect(asked.at(-1)?.continueOn).toEqual(recordOf('One?'));
    expect(again.exchange(id)?.state).toBe('answered');
  });

  it('anew is told with its reason, which stays', async () => {
    const why = { reason: 'filesChanged', files: 2 } as const;
    const chat = await open({
      answer: async function* (question, confirm, signal) {
        yield { event: 'readAgain', why };
        yield* says('Yes.')(question, confirm, signal);
      },
    });
    const id = chat.ask('One?', []);
    await settled(chat);
    expect(chat.exchange(id)?.readAgain).toEqual(why);
    const again = await open({});
    expect(again.exchange(id)?.readAgain).toEqual(why);
  });

  it('and has changed is told for exactly the answers that it was read for', async () => {
    let changed: Record<string, number> = {};
    const chat = await open({
      answer: async function* (question, confirm, signal) {
        // The third has a reading of its own.
        const { continueOn: _, ...own } = question;
        yield* says('Yes.')(question.question === 'Three?' ? own : question, confirm, signal);
      },
      changedFiles: ({ question }) => Promise.resolve(changed[question] ?? 0),
    });
    const ids: string[] = [];
    for (const question of ['One?', 'Two?', 'Three?']) {
      ids.push(chat.ask(question, []));
      await settled(chat);
    }
    expect(chat.state.changedFiles).toEqual({});
    changed = { 'One?': 2 };
    await chat.checkChanges();
    expect(chat.state.changedFiles).toEqual({ [ids[0]!]: 2, [ids[1]!]: 2 });
    expect(changes.at(-1)).toEqual({
      change: 'state',
      state: { changedFiles: { [ids[0]!]: 2, [ids[1]!]: 2 } },
    });
    changed = {};
    await chat.checkChanges();
    expect(chat.state.changedFiles).toEqual({});
  });
});

type Answer = ChatParts['answer'];

async function open(parts: Partial<ChatParts>): Promise<Chat> {
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

function failureOf(error: unknown): Failure {
  return { reason: 'x', message: String(error), remedy: '', actions: [] };
}

/** Streams texts, then ends; an error ends it. */
function says(...parts: readonly (string | Error)[]): Answer {
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

function waitsFor(promise: Promise<void>): Answer {
  return async function* () {
    await promise;
    yield completed('');
  };
}

const hangs: Answer = async function* (_question, _confirm, signal) {
  await aborted(signal);
  yield* [];
  throw errors.cancelled();
};

const streamsUntilStopped: Answer = async function* (_question, _confirm, signal) {
  yield { event: 'text', text: 'half' };
  await aborted(signal);
  throw errors.cancelled();
};

const readsUntilStopped: Answer = async function* ({ question }, _confirm, signal) {
  yield planOf(question);
  await aborted(signal);
  throw errors.cancelled();
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function completed(text: string): CompletedAnswer & AnswerEvent {
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

function planOf(question: string): AnswerEvent {
  const reading = recordOf(question);
  const { tokens: documentTokens, everything } = reading;
  const filesToRead = reading.files.length;
  return {
    ...{ event: 'plan', documentTokens, filesToRead, everything, estimatedSeconds: 1, slow: false },
    ...{ stored: false, reading },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

/** Until nothing is asked any more. */
async function settled(chat: Chat): Promise<void> {
  await expect.poll(() => chat.state.queue, { interval: 2 }).toEqual([]);
  await turn();
}
