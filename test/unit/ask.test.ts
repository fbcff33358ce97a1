/** The story of a question over real files and the real retrieval; only the engine is a stand-in, to break it at will. */
import { truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask, longestQuestion, type AskRequest } from '../../extension/ask.ts';
import { errors, type ErrorReason } from '../../extension/errors.ts';
import type { AnswerEvent, PlanEvent } from '../../extension/protocol/answerEvents.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import {
  answered,
  changingBefore,
  failureOf,
  lines,
  makeFiles,
  partsWith,
  reasons,
  request,
  root,
  run,
  shop,
} from './askedQuestions.ts';
import {
  loaded,
  progress,
  result,
  standInEngine,
  tokensOf,
  untilAborted,
  type Faults,
} from './standInEngine.ts';

describe('a question that is answered', () => {
  test('stages, plan, text and answer come in this order', async () => {
    const { events } = await answered(shop);
    expect(events.map((event) => (event.event === 'progress' ? event.stage : event.event))).toEqual(
      expect.arrayContaining(['finding', 'ranking', 'loading', 'plan', 'reading', 'text', 'answer']),
    );
    const order = events.map(({ event }) => event).filter((event) => event !== 'progress');
    expect(order).toEqual(['plan', 'text', 'text', 'answer']);
  });

  test('the best passage is read last, next to the question', async () => {
    const { asked } = await answered(shop);
    expect(asked.passages.at(-1)).toMatchObject({ path: 'src/discount.ts', startLine: 1, endLine: 3 });
  });

  test('everything found is either read or left out for a reason', async () => {
    const { answer } = await answered(shop);
    expect(answer.coverage.filesRead).toBe(3);
    expect(answer.coverage.filesFound).toBe(7);
    expect(reasons(answer)).toEqual({
      '.env': 'secret',
      'empty.ts': 'empty',
      'logo.png': 'binary',
      'node_modules/': 'generated',
    });
  });

  test('notifications of other questions are not taken for ours', async () => {
    const { events } = await answered(shop, {
      ask: async (params, tell) => {
        tell.text({ requestId: 'another', text: 'not ours' });
        tell.progress({ ...progress, requestId: 'another', path: 'not ours' });
        tell.text({ requestId: params.requestId, text: 'ours' });
        return Promise.resolve(result);
      },
    });
    expect(JSON.stringify(events)).not.toContain('not ours');
    expect(JSON.stringify(events)).toContain('"ours"');
  });

  test.each<[tokensPerSecond: number, readingLimit: AskRequest['readingLimit'], Partial<PlanEvent>]>([
    [1000, undefined, { everything: true, slow: false }],
    [10, undefined, { everything: true, slow: true }],
    [1000, 'all', { everything: true, slow: false }],
    [1000, 200, { everything: false, slow: false, filesToRead: 2 }],
  ])('at %d tokens/s with the limit %s the plan says %j', async (speed, readingLimit, expected) => {
    const { plan } = await answered(
      shop,
      { load: () => ({ ...loaded, prefillTokensPerSecond: speed }) },
      readingLimit === undefined ? {} : { readingLimit },
    );
    expect(plan).toMatchObject(expected);
    expect(plan.estimatedSeconds).toBeCloseTo(plan.documentTokens / speed);
  });
});

describe('the reading limit', () => {
  const big = Object.fromEntries(
    Array.from({ length: 60 }, (_, file) => [
      `src/module${file}.ts`,
      lines(120, (n) => `export const value${file}x${n} = ${n % 7 === 0 ? 'discount' : 'nothing'};`),
    ]),
  );

  test.each([100, 300, 1000, 4000, 20_000])('of %d tokens is used well and never passed', async (limit) => {
    const { plan, asked, answer } = await answered(big, {}, { readingLimit: limit });
    const tokens = asked.passages.reduce((sum, passage) => sum + tokensOf(passageText(passage)), 0);
    expect(plan.documentTokens).toBe(tokens);
    expect(tokens).toBeLessThanOrEqual(limit);
    // A passage is some 500 tokens of this tokenizer: two of them with their headers do not fit 1000.
    expect(tokens).toBeGreaterThan(limit * 0.5);
    const read = new Set(asked.passages.map(({ path }) => path));
    expect(answer.coverage.filesRead).toBe(read.size);
    expect(answer.coverage.skipped.filter(({ reason }) => reason === 'readingLimit')).toHaveLength(
      60 - read.size,
    );
  });

  test.each<[tokensPerSecond: number, tokenBudget: number, limit: number]>([
    [10, 1024, 3000],
    [400, 4096, 12_000],
    [400, 512, 4096],
    [400, 256, 3000],
  ])('at %d tokens/s with a budget of %d is %d by default', async (speed, tokenBudget, limit) => {
    const load = () => ({ ...loaded, prefillTokensPerSecond: speed });
    const { plan } = await answered(big, { load }, { tokenBudget });
    expect(plan.everything).toBe(false);
    expect(plan.documentTokens).toBeLessThanOrEqual(limit);
    expect(plan.documentTokens).toBeGreaterThan(limit * 0.6);
  });

  test('holds for text whose every character is a token', async () => {
    const { plan } = await answered(
      { 'a.md': lines(200, () => '割引は一度だけ適用されます。') },
      { count: (text) => text.length },
      { readingLimit: 500 },
    );
    expect(plan.everything).toBe(false);
    expect(plan.documentTokens).toBeLessThanOrEqual(500);
    expect(plan.documentTokens).toBeGreaterThan(250);
  });
});

describe('files that change after they were ranked', () => {
  test.each<[string, (path: string) => Promise<void>, reason: string]>([
    ['gone', unlink, 'unreadable'],
    ['empty', (path) => truncate(path, 0), 'empty'],
  ])('%s: left out with its reason', async (_, change, reason) => {
    const { answer, plan } = await answered(
      shop,
      {},
      {},
      {
        readDocuments: changingBefore(2, () => change(join(root, 'src/price.ts'))),
      },
    );
    expect(reasons(answer)['src/price.ts']).toBe(reason);
    expect(answer.coverage.filesRead).toBe(2);
    expect(plan.everything).toBe(false);
  });

  test('shorter: only lines that exist are read', async () => {
    const { asked } = await answered(
      shop,
      {},
      { readingLimit: 'all' },
      {
        readDocuments: changingBefore(2, () =>
          writeFile(join(root, 'src/price.ts'), 'export const price1 = 1;\n'),
        ),
      },
    );
    expect(asked.passages.filter(({ path }) => path === 'src/price.ts')).toMatchObject([
      { startLine: 1, endLine: 1, text: 'export const price1 = 1;' },
    ]);
  });
});

describe('a question that cannot be answered', () => {
  test.each<[string, string, Record<string, string>, Partial<AskRequest>, ErrorReason, string]>([
    ['empty question', ' \n', shop, {}, 'badArgument', 'The question is missing'],
    [
      'huge question',
      'x'.repeat(longestQuestion + 1),
      shop,
      {},
      'badArgument',
      'The question has 100001 characters, and 100000 are the limit',
    ],
    ['empty folder', 'why?', {}, {}, 'nothingToRead', 'There is nothing to read: 0 files found, 0 left out'],
    [
      'only files that are left out',
      'why?',
      { '.env': 'TOKEN=abc\n', 'empty.ts': '' },
      {},
      'nothingToRead',
      'There is nothing to read: 2 files found, 2 left out',
    ],
    [
      'limit too small for any passage',
      'why?',
      shop,
      { readingLimit: 1 },
      'badArgument',
      'The reading limit of 1 tokens is too small: one line and its header have 21',
    ],
  ])('%s', async (_, question, files, options, reason, message) => {
    await makeFiles(files);
    const failure = await failureOf(run({ ...request(), ...options, question }, standInEngine({})));
    expect(failure).toMatchObject({ reason, message });
  });

  test.each<[string, Faults]>([
    ['start', { start: () => Promise.reject(errors.engineStopped('at start')) }],
    ['load', { load: () => Promise.reject(errors.engineStopped('at load')) }],
    [
      'countTokens',
      {
        count: () => {
          throw errors.engineStopped('at countTokens');
        },
      },
    ],
    ['ask', { ask: () => Promise.reject(errors.engineStopped('at ask')) }],
  ])('the engine stops at %s', async (stage, faults) => {
    await makeFiles(shop);
    const failure = await failureOf(run(request(), standInEngine(faults)));
    expect(failure).toMatchObject({
      reason: 'engineStopped',
      message: `The engine process stopped (at ${stage})`,
    });
  });

  test('when the workspace fails, the download of the model is stopped', async () => {
    let stopped = false;
    const failure = await failureOf(
      run({ ...request(), folders: [{ name: 'gone', rootPath: join(root, 'gone') }] }, standInEngine({}), {
        resolveModel: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              stopped = true;
              reject(errors.cancelled());
            });
          }),
      }),
    );
    expect(failure.reason).toBe('workspaceNotFound');
    expect(stopped).toBe(true);
  });

  test('what nobody foresaw is an error of the catalogue', async () => {
    await makeFiles(shop);
    const failure = await failureOf(
      run(request(), standInEngine({ load: () => Promise.reject(new TypeError('x is y')) })),
    );
    expect(failure).toMatchObject({ reason: 'internal', message: 'Something unexpected failed: x is y' });
  });
});

describe('cancelling', () => {
  test.each<AnswerEvent['event'] | 'finding' | 'loading' | 'reading'>([
    'finding',
    'loading',
    'plan',
    'reading',
    'text',
  ])('at %s ends with `cancelled`', async (stage) => {
    await makeFiles(shop);
    const controller = new AbortController();
    const failure = await failureOf(
      (async () => {
        for await (const event of ask(
          request(),
          partsWith(standInEngine({ ask: untilAborted })),
          controller.signal,
        )) {
          if (event.event === stage || (event.event === 'progress' && event.stage === stage))
            controller.abort();
        }
      })(),
    );
    expect(failure.reason).toBe('cancelled');
  });

  test('leaving the loop stops the engine before it returns', async () => {
    await makeFiles(shop);
    let stopped = false;
    const stand = standInEngine({
      ask: async (params, tell, signal) => {
        try {
          return await untilAborted(params, tell, signal);
        } finally {
          stopped = true;
        }
      },
    });
    for await (const event of ask(request(), partsWith(stand), new AbortController().signal)) {
      if (event.event === 'text') break;
    }
    expect(stopped).toBe(true);
  });
});
