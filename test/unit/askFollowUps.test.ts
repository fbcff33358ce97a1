/** Questions that go on with what was read for an earlier one, over real files; only the engine is a stand-in. */
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AskRequest } from '../../extension/ask.ts';
import { readPassagesAgain } from '../../extension/earlierReading.ts';
import type { AnswerEvent } from '../../extension/protocol/answerEvents.ts';
import type { ReadingRecord } from '../../extension/protocol/conversation.ts';
import type { AskResult } from '../../extension/protocol/engine.ts';
import { steadySpeed } from '../../extension/steadySpeed.ts';
import { readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { answered, makeFiles, request, root, run, shop } from './askedQuestions.ts';
import { loaded, result, standInEngine } from './standInEngine.ts';

const { signal } = new AbortController();

/** The first question of a conversation, and a follow-up on it. */
async function conversation(): Promise<{ record: ReadingRecord; followUp: AskRequest }> {
  const { plan } = await answered(shop);
  const record = plan.reading;
  const followUp = {
    ...request(),
    question: 'And twice?',
    history: [{ question: request().question, answer: 'Once.' }],
    continueOn: record,
  };
  return { record, followUp };
}

describe('a follow-up', () => {
  test('is asked over the same passages, under the question that they were read under', async () => {
    const first = await answered(shop);
    const { followUp } = await conversation();
    const stand = standInEngine({});
    const events = await run(followUp, stand);
    expect(stand.asked?.passages).toEqual(first.asked.passages);
    expect(stand.asked?.readUnder).toEqual({ question: request().question });
    expect(stand.asked?.question).toBe('And twice?');
    expect(events.map(({ event }) => event).filter((event) => event !== 'progress')).toEqual([
      'text',
      'text',
      'answer',
    ]);
    expect(events.at(-1)).toMatchObject({ coverage: first.answer.coverage });
    expect(events.some((event) => event.event === 'progress' && event.stage === 'finding')).toBe(false);
  });

  test.each<[name: string, change: () => Promise<unknown>, files: number]>([
    ['edited', () => writeFile(join(root, 'src/discount.ts'), 'export const discount = 0;\n'), 1],
    ['gone', () => unlink(join(root, 'src/price.ts')), 1],
    [
      'both changed',
      async () => {
        await unlink(join(root, 'src/price.ts'));
        await writeFile(join(root, 'src/discount.ts'), 'discount\n');
      },
      2,
    ],
  ])('reads again when a file is %s, and says so', async (_, change, files) => {
    const { followUp } = await conversation();
    await change();
    const stand = standInEngine({});
    const events = await run(followUp, stand);
    expect(events.find(({ event }) => event === 'readAgain')).toEqual({
      event: 'readAgain',
      why: { reason: 'filesChanged', files },
    });
    expect(planned(events)?.question).toBe('And twice?');
    expect(stand.asked?.readUnder).toBeUndefined();
  });

  test.each<AskResult & { outcome: 'notStored' | 'notHeld' }>([
    { outcome: 'notStored' },
    { outcome: 'notHeld', focus: 0.001 },
  ])('reads again when the engine says $outcome', async (outcome) => {
    const { followUp } = await conversation();
    const readUnder: unknown[] = [];
    const stand = standInEngine({
      ask: (params) => {
        readUnder.push(params.readUnder);
        return Promise.resolve(readUnder.length === 1 ? outcome : result);
      },
    });
    const events = await run(followUp, stand);
    expect(events.find(({ event }) => event === 'readAgain')).toMatchObject({
      why: { reason: outcome.outcome },
    });
    expect(readUnder).toEqual([{ question: request().question }, undefined]);
    expect(events.at(-1)?.event).toBe('answer');
  });

  test('that touches no file of the reading stays with it', async () => {
    const { followUp } = await conversation();
    await makeFiles({ 'src/new.ts': 'export const discount = 2;\n' });
    const stand = standInEngine({});
    expect(planned(await run(followUp, stand))).toBeUndefined();
  });

  const scopes: readonly [name: string, changed: (followUp: AskRequest) => Partial<AskRequest>][] = [
    ['with a pin of its own', () => ({ pins: [{ kind: 'file', workspace: 'shop', path: 'src/price.ts' }] })],
    ['with another limit', () => ({ readingLimit: 'all' })],
    ['of more folders', ({ folders }) => ({ folders: [...folders, { name: 'other', rootPath: root }] })],
  ];
  test.each(scopes)('%s is read for itself', async (_, changed) => {
    const { followUp } = await conversation();
    const events = await run({ ...followUp, ...changed(followUp) }, standInEngine({}));
    expect(planned(events)?.question).toBe('And twice?');
    expect(events.some(({ event }) => event === 'readAgain')).toBe(false);
  });
});

test('the same question goes on with its own reading, which may still have to be finished', async () => {
  const { record } = await conversation();
  const stand = standInEngine({});
  await run({ ...request(), answerSoFar: 'It is', continueOn: record }, stand);
  expect(stand.asked?.readUnder).toBeUndefined();
  expect(stand.asked?.answerSoFar).toBe('It is');
});

test('what is stored takes no time and asks for no confirmation', async () => {
  const { plan } = await answered(
    shop,
    { stored: true, load: () => ({ ...loaded, prefillTokensPerSecond: 0.1 }) },
    { readingLimit: 'all' },
    { confirmReading: () => Promise.reject(new Error('asked')) },
  );
  expect(plan).toMatchObject({ stored: true, estimatedSeconds: 0, slow: false });
});

test('unsaved text counts as the file', async () => {
  const { record } = await conversation();
  const edited = await readPassagesAgain(
    record,
    request().folders,
    (files, options) => readSourceDocuments(files, { ...options, unsaved: () => 'not what it was' }),
    signal,
  );
  expect(edited.changed).toHaveLength(record.files.length);
  expect(edited.passages).toEqual([]);
});

test.each(['../secret.txt', '/etc/hostname', 'src/../../secret.txt', '', '.'])(
  'a record that names %j opens nothing outside of its folder',
  async (path) => {
    const { record } = await conversation();
    const opened: string[] = [];
    const { changed } = await readPassagesAgain(
      { ...record, files: [{ workspace: 'shop', path, hash: '' }] },
      request().folders,
      async function* (files) {
        opened.push(...files.map(({ absolutePath }) => absolutePath));
        await Promise.resolve();
        yield* [];
      },
      signal,
    );
    expect(opened.filter((one) => !one.startsWith(join(root, '/')))).toEqual([]);
    expect(changed).toHaveLength(1);
  },
);

test('the speed that a limit follows from is remembered until it differs much', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'speed-'));
  const at = (prefillTokensPerSecond: number, modelName = 'm') =>
    steadySpeed({ ...loaded, modelName, prefillTokensPerSecond }, folder);
  try {
    expect(await at(300)).toBe(300);
    expect(await at(320)).toBe(300);
    expect(await at(210)).toBe(300);
    expect(await at(50, 'other')).toBe(50);
    expect(await at(190)).toBe(190);
    expect(await at(300)).toBe(300);
    await writeFile(join(folder, 'reading-speed.json'), '{"m on CPU": "fast"');
    expect(await at(280)).toBe(280);
    expect(await steadySpeed({ ...loaded, prefillTokensPerSecond: 7 }, undefined)).toBe(7);
    expect(
      await steadySpeed({ ...loaded, prefillTokensPerSecond: 7 }, join(folder, 'reading-speed.json')),
    ).toBe(7);
  } finally {
    await rm(folder, { recursive: true });
  }
});

function planned(events: readonly AnswerEvent[]): ReadingRecord | undefined {
  return events.find((event) => event.event === 'plan')?.reading;
}
