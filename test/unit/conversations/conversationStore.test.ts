import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newConversation, newExchange, withExchange } from '../../../extension/conversations/conversation.ts';
import { ConversationStore, type StoreProblem } from '../../../extension/conversations/conversationStore.ts';
import { recordOf } from './recordOf.ts';
import type { StoredConversation } from '../../../extension/conversations/storedConversation.ts';

let parent: string;
let folder: string;
let problems: StoreProblem[];
let store: ConversationStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'conversations 会話 '));
  folder = join(parent, 'made when needed');
  problems = [];
  store = new ConversationStore(folder, (problem) => problems.push(problem));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('what is written', () => {
  it('is read again as it was', async () => {
    const stored = storedOf('a', 'Where is the port?');
    await store.write(stored);
    expect(await store.read('a')).toEqual(stored);
    expect(await new ConversationStore(folder, () => undefined).read('a')).toEqual(stored);
  });

  it('is the latest of many writes, and leaves no other file', async () => {
    const writes = Array.from({ length: 50 }, (_, index) => store.write(storedOf('a', `Question ${index}`)));
    await Promise.all(writes);
    expect((await store.read('a'))?.conversation.title).toBe('Question 49');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('can be removed', async () => {
    await store.write(storedOf('a', 'One'));
    await store.remove('a');
    expect(await store.read('a')).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });

  it('lists the latest first, and is found by what was asked, whatever its case', async () => {
    await store.write(storedOf('a', 'Where is the Port?', 1));
    await store.write(storedOf('b', 'What does the queue do?', 2));
    expect((await store.list()).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(await store.find('pORT')).toEqual(['a']);
    expect(await store.find('nothing like it')).toEqual([]);
  });
});

describe('what cannot be read', () => {
  const damaged = ['', '{', '[]', 'null', '{"version":1}', '{"version":2,"conversation":{},"skipped":{}}'];
  it.each(damaged)('is set aside and told, and the others are listed: %j', async (content) => {
    await store.write(storedOf('whole', 'Still here'));
    await writeFile(join(folder, 'broken.json'), content);
    expect((await store.list()).map(({ id }) => id)).toEqual(['whole']);
    expect(problems.map(({ kind }) => kind)).toEqual(['damaged']);
    const aside = (await readdir(folder)).find((name) => name.startsWith('broken.json.damaged-'));
    expect(await readFile(join(folder, aside ?? ''), 'utf8')).toBe(content);
  });

  it('is nothing outside the folder', async () => {
    await writeFile(
      join(parent, 'outside.json'),
      JSON.stringify({ version: 1, ...storedOf('outside', 'No') }),
    );
    expect(await store.read('../outside')).toBeUndefined();
  });

  it('is a file whose name is not its own id', async () => {
    await store.write(storedOf('a', 'One'));
    await writeFile(join(folder, 'b.json'), await readFile(join(folder, 'a.json')));
    expect((await store.list()).map(({ id }) => id)).toEqual(['a']);
  });
});

it('tells when it cannot write, and goes on', async () => {
  await writeFile(folder, 'a file where the folder should be');
  await store.write(storedOf('a', 'One'));
  expect(problems.map(({ kind }) => kind)).toEqual(['notWritten']);
  await rm(folder);
  await mkdir(folder);
  await store.write(storedOf('a', 'One'));
  expect((await store.read('a'))?.conversation.id).toBe('a');
});

it('remembers what the panel showed', async () => {
  expect(await store.readPanel()).toEqual({ shown: null, drafts: {} });
  const panel = { shown: 'a', drafts: { '': { text: 'half a quest', pins: [] } } };
  await store.writePanel(panel);
  expect(await store.readPanel()).toEqual(panel);
});

function storedOf(id: string, question: string, now = 1): StoredConversation {
  const conversation = newConversation(id, question, now);
  return {
    conversation: withExchange(conversation, newExchange(`${id}1`, question, [], now), now),
    readings: { records: { r1: recordOf(question) }, of: { [`${id}1`]: 'r1' } },
  };
}
