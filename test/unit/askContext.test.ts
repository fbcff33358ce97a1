/** What comes with a question: files that it names, what was said before, and the user's word on a long reading. */
import { describe, expect, test } from 'vitest';
import { ask, type AskParts } from '../../extension/ask.ts';
import type { Pin } from '../../extension/protocol/conversation.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { answered, failureOf, lines, makeFiles, partsWith, request, run, shop } from './askedQuestions.ts';
import { loaded, standInEngine } from './standInEngine.ts';

describe('what the question names', () => {
  const big = {
    'src/discount.ts': lines(400, (n) => `export const discount${n} = applied(${n});`),
    'src/unrelated.ts': lines(400, (n) => `export const banana${n} = ${n};`),
    'src/more/other.ts': lines(40, (n) => `export const cherry${n} = ${n};`),
  };

  test.each<[what: string, pins: readonly Pin[], last: Partial<Passage>]>([
    ['a file', [named('file', 'src/unrelated.ts')], { path: 'src/unrelated.ts' }],
    ['a folder', [named('folder', 'src/more')], { path: 'src/more/other.ts', startLine: 1, endLine: 40 }],
    [
      'lines before a file',
      [named('file', 'src/more/other.ts'), namedLines('src/unrelated.ts', 203, 207)],
      { path: 'src/unrelated.ts' },
    ],
  ])('%s is read next to the question', async (_, pins, last) => {
    const { asked } = await answered(big, {}, { readingLimit: 1000, pins });
    expect(asked.passages.at(-1)).toMatchObject(last);
    for (const pin of pins) {
      if (pin.kind !== 'lines') continue;
      const { startLine = 0, endLine = 0 } = asked.passages.at(-1) ?? {};
      expect(startLine).toBeLessThanOrEqual(pin.startLine);
      expect(endLine).toBeGreaterThanOrEqual(pin.endLine);
    }
  });

  test('takes the limit before anything else does', async () => {
    const { asked } = await answered(
      big,
      {},
      { readingLimit: 300, pins: [named('file', 'src/unrelated.ts')] },
    );
    expect(new Set(asked.passages.map(({ path }) => path))).toEqual(new Set(['src/unrelated.ts']));
  });

  test.each<[Pin, message: string]>([
    [
      named('file', '.env'),
      '.env was named in the question and cannot be read: may hold a secret (key, credential, certificate or .env)',
    ],
    [
      named('file', 'src/gone.ts'),
      'src/gone.ts was named in the question and cannot be read: does not exist',
    ],
    [
      named('folder', 'node_modules'),
      'node_modules was named in the question and cannot be read: is generated or minified',
    ],
  ])('$path cannot be read', async (pin, message) => {
    await makeFiles(shop);
    const failure = await failureOf(run({ ...request(), pins: [pin] }, standInEngine({})));
    expect(failure).toMatchObject({ reason: 'pinNotRead', message });
  });
});

describe('a conversation', () => {
  test('its earlier turns and the answer so far reach the engine', async () => {
    const history = [{ question: 'What is a price?', answer: 'A number.' }];
    const { asked } = await answered(shop, {}, { history, answerSoFar: 'It is' });
    expect(asked).toMatchObject({ history, answerSoFar: 'It is' });
  });

  test('a follow-up is ranked by the question before it too', async () => {
    const history = [{ question: 'What is taxed?', answer: 'The price.' }];
    const follow = { question: 'And where is that called?' };
    const [alone, followUp] = [
      await answered(shop, {}, follow),
      await answered(shop, {}, { ...follow, history }),
    ];
    expect(alone.asked.passages.at(-1)?.path).not.toBe('src/price.ts');
    expect(followUp.asked.passages.at(-1)?.path).toBe('src/price.ts');
  });
});

describe('a reading that takes long', () => {
  const long = { 'src/discount.ts': lines(900, (n) => `export const discount${n} = applied(${n});`) };
  const slow = { load: () => ({ ...loaded, prefillTokensPerSecond: 10 }) };
  type Plan = Parameters<NonNullable<AskParts['confirmReading']>>[0];

  test.each(['planned', 'smaller'] as const)('is as the user chose: %s', async (choice) => {
    let seen: Plan | undefined;
    const confirmReading: AskParts['confirmReading'] = (plan) => {
      seen = plan;
      return Promise.resolve(choice);
    };
    const { plan, events } = await answered(long, slow, { readingLimit: 'all' }, { confirmReading });
    expect(seen?.seconds).toBeCloseTo((seen?.tokens ?? 0) / 10);
    expect(seen?.smaller).toEqual({ tokens: 3000, seconds: 300 });
    expect(events.filter(({ event }) => event === 'plan')).toHaveLength(1);
    if (choice === 'planned') expect(plan).toMatchObject({ documentTokens: seen?.tokens, everything: true });
    else {
      expect(plan.documentTokens).toBeLessThanOrEqual(3000);
      expect(plan.documentTokens).toBeGreaterThan(1800);
      expect(plan.everything).toBe(false);
    }
  });

  test.each<[what: string, tokensPerSecond: number, readingLimit: number | 'all']>([
    ['it is quick', 1000, 'all'],
    ['it is not larger than the smaller one', 10, 3000],
  ])('is not asked about where %s', async (_, prefillTokensPerSecond, readingLimit) => {
    const { plan } = await answered(
      long,
      { load: () => ({ ...loaded, prefillTokensPerSecond }) },
      { readingLimit },
      { confirmReading: () => Promise.reject(new Error('it was asked')) },
    );
    expect(plan.filesToRead).toBe(1);
  });

  test('is not read when the question is cancelled meanwhile', async () => {
    await makeFiles(long);
    const stand = standInEngine(slow);
    const controller = new AbortController();
    const parts = partsWith(stand, {
      confirmReading: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve('planned'));
          controller.abort();
        }),
    });
    const asked = (async () => {
      for await (const event of ask({ ...request(), readingLimit: 'all' }, parts, controller.signal))
        expect(event.event).toBe('progress');
    })();
    expect((await failureOf(asked)).reason).toBe('cancelled');
    expect(stand.asked).toBeUndefined();
  });
});

function named(kind: 'file' | 'folder', path: string): Pin {
  return { kind, workspace: 'shop', path };
}

function namedLines(path: string, startLine: number, endLine: number): Pin {
  return { kind: 'lines', workspace: 'shop', path, startLine, endLine };
}
