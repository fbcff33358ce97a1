/** What the answers of a conversation go on with. */
import { describe, expect, it } from 'vitest';
import { asked, changes, open, says, settled, turn, readsUntilStopped } from './openChat.ts';
import { recordOf } from './recordOf.ts';

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
