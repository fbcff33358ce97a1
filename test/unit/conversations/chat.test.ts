import { describe, expect, it, vi } from 'vitest';
import { errors } from '../../../extension/errors.ts';
import {
  asked,
  changes,
  open,
  says,
  settled,
  turn,
  hangs,
  streamsUntilStopped,
  waitsFor,
  completed,
} from './openChat.ts';

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
      missingModel: () => Promise.resolve(here ? null : { name: 'small', bytes: 98, haveBytes: 0 }),
      getModel: (_, onProgress) => {
        onProgress({ event: 'progress', stage: 'downloading', done: 1, total: 2 });
        here = true;
        return Promise.resolve();
      },
    });
    const id = chat.ask('One?', []);
    await turn();
    expect(chat.state.activities[id]).toEqual({ kind: 'needsModel', name: 'small', bytes: 98, haveBytes: 0 });
    expect(asked).toEqual([]);
    chat.decide(id, { model: 'small' });
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('answered');
    const shown = changes.filter((change) => change.change === 'activity').map(({ activity }) => activity);
    expect(shown).toContainEqual({ kind: 'progress', stage: 'downloading', done: 1, total: 2 });
  });

  it('gets what was offered and chosen, and nothing else', async () => {
    const others = [{ name: 'smaller', bytes: 9 }];
    const got: (string | undefined)[] = [];
    const chat = await open({
      answer: says('Yes.'),
      missingModel: () => Promise.resolve({ name: 'small', bytes: 98, haveBytes: 0, others }),
      getModel: (name) => {
        got.push(name);
        return Promise.resolve();
      },
    });
    const id = chat.ask('One?', []);
    await turn();
    for (const model of ['elsewhere', 'smaller']) {
      chat.decide(id, { model });
      await turn();
    }
    await settled(chat);
    expect(got).toEqual(['smaller']);
  });

  it('looks again when another model is set, and is answered when that one is here', async () => {
    let here = false;
    const chat = await open({
      answer: says('Yes.'),
      missingModel: () => Promise.resolve(here ? null : { name: 'small', bytes: 98, haveBytes: 0 }),
      getModel: () => Promise.reject(new Error('it was not asked for')),
    });
    const id = chat.ask('One?', []);
    await turn();
    expect(chat.awaitsModel).toBe(true);
    chat.modelChanged();
    await turn();
    expect(chat.state.activities[id]?.kind).toBe('needsModel');
    here = true;
    chat.modelChanged();
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('answered');
    expect(chat.awaitsModel).toBe(false);
  });

  it('pauses the download where the user wants it, and goes on from there', async () => {
    let haveBytes = 0;
    const begun: number[] = [];
    const chat = await open({
      answer: says('Yes.'),
      missingModel: () => Promise.resolve(haveBytes === 98 ? null : { name: 'small', bytes: 98, haveBytes }),
      getModel: async (_, onProgress, signal) => {
        begun.push(haveBytes);
        haveBytes += 49;
        onProgress({ event: 'progress', stage: 'downloading', done: haveBytes, total: 98 });
        if (haveBytes === 98) return;
        await new Promise((_, reject) => signal.addEventListener('abort', reject));
      },
    });
    const id = chat.ask('One?', []);
    await turn();
    chat.decide(id, { model: 'small' });
    await turn();
    chat.pauseModel(id);
    await turn();
    expect(chat.state.activities[id]).toMatchObject({ kind: 'needsModel', haveBytes: 49 });
    chat.pauseModel(id); // nothing is under way
    chat.decide(id, { model: 'small' });
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('answered');
    expect(begun).toEqual([0, 49]);
  });

  it('is stopped while its model arrives', async () => {
    const chat = await open({
      missingModel: () => Promise.resolve({ name: 'small', bytes: 98, haveBytes: 0 }),
      getModel: (_, __, signal) => new Promise((___, reject) => signal.addEventListener('abort', reject)),
    });
    const id = chat.ask('One?', []);
    await turn();
    chat.decide(id, { model: 'small' });
    await turn();
    chat.stop(id);
    await settled(chat);
    expect(chat.exchange(id)?.state).toBe('stopped');
    expect(asked).toEqual([]);
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
    // It is on the disk a moment later.
    const again = await vi.waitFor(async () => {
      const next = await open({});
      expect(next.state.draft.text).toBe('half a quest');
      return next;
    }, 10_000);
    again.ask('Whole?', []);
    expect(again.state.draft.text).toBe('');
  });
});
