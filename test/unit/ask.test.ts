/** The story of a question over real files and the real retrieval; only the engine is a stand-in, to break it at will. */
import { mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, longestQuestion, type AskParts, type AskRequest } from '../../extension/ask.ts';
import { errors, isAskError, type ErrorReason } from '../../extension/errors.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import type { AnswerEvent, CompletedAnswer, PlanEvent } from '../../extension/protocol/answerEvents.ts';
import type { Pin } from '../../extension/protocol/conversation.ts';
import type { AskParams } from '../../extension/protocol/engine.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import {
  loaded,
  progress,
  result,
  standInEngine,
  tokensOf,
  untilAborted,
  type Faults,
  type StandIn,
} from './standInEngine.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ask '));
});
afterEach(() => rm(root, { recursive: true }));

const shop = {
  'src/price.ts': lines(40, (n) => `export const price${n} = taxed(${n});`),
  'src/discount.ts': `export function applyDiscount(total: number): number {\n  return total * 0.9;\n}\n`,
  'docs/説明 書.md': '# Handbook\n\nDiscounts are applied once.\n',
  'node_modules/left/index.js': 'module.exports = 1;\n',
  'logo.png': '\u0089PNG\r\n\u001a\n\0\0\0',
  '.env': 'TOKEN=abc\n',
  'empty.ts': '',
};

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
    expect(tokens).toBeGreaterThan(limit * 0.6);
    const read = new Set(asked.passages.map(({ path }) => path));
    expect(answer.coverage.filesRead).toBe(read.size);
    expect(answer.coverage.skipped.filter(({ reason }) => reason === 'readingLimit')).toHaveLength(
      60 - read.size,
    );
  });

  test.each<[tokensPerSecond: number, limit: number]>([
    [10, 4000],
    [400, 12_000],
  ])('at %d tokens/s is %d by default', async (prefillTokensPerSecond, limit) => {
    const { plan } = await answered(big, { load: () => ({ ...loaded, prefillTokensPerSecond }) });
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

function named(kind: 'file' | 'folder', path: string): Pin {
  return { kind, workspace: 'shop', path };
}

function namedLines(path: string, startLine: number, endLine: number): Pin {
  return { kind: 'lines', workspace: 'shop', path, startLine, endLine };
}

function request(): AskRequest {
  return {
    question: 'How is a discount applied?',
    pins: [],
    history: [],
    answerSoFar: '',
    folders: [{ name: 'shop', rootPath: root }],
    device: 'cpu',
    preset: 'default',
    tokenBudget: 1024,
    maxAnswerTokens: 400,
    temperature: 0,
    seed: 0,
  };
}

function partsWith(stand: StandIn, instead: Partial<AskParts> = {}): AskParts {
  return {
    findFiles,
    readDocuments: readSourceDocuments,
    grammars: createGrammars(readGrammarFile),
    resolveModel: () => Promise.resolve({ path: '/model.gguf', name: 'stand-in', entry: null }),
    engine: stand.start,
    ...instead,
  };
}

async function run(
  askRequest: AskRequest,
  stand: StandIn,
  instead: Partial<AskParts> = {},
): Promise<AnswerEvent[]> {
  const events: AnswerEvent[] = [];
  for await (const event of ask(askRequest, partsWith(stand, instead), new AbortController().signal))
    events.push(event);
  return events;
}

async function answered(
  files: Record<string, string>,
  faults: Faults = {},
  options: Partial<AskRequest> = {},
  instead: Partial<AskParts> = {},
): Promise<{ events: AnswerEvent[]; plan: PlanEvent; asked: AskParams; answer: CompletedAnswer }> {
  await makeFiles(files);
  const stand = standInEngine(faults);
  const events = await run({ ...request(), ...options }, stand, instead);
  const plan = events.find((event) => event.event === 'plan');
  const answer = events.at(-1);
  if (plan === undefined || answer?.event !== 'answer' || stand.asked === undefined)
    throw new Error('no answer');
  return { events, plan, asked: stand.asked, answer };
}

/** Reads as always, with a change to the files before the nth time. The first time is for ranking. */
function changingBefore(nth: number, change: () => Promise<unknown>): AskParts['readDocuments'] {
  let times = 0;
  return async function* (files, options) {
    times++;
    if (times === nth) await change();
    yield* readSourceDocuments(files, options);
  };
}

async function failureOf(running: Promise<unknown>): Promise<{ reason: ErrorReason; message: string }> {
  try {
    await running;
  } catch (error) {
    if (isAskError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function reasons(answer: CompletedAnswer): Record<string, string> {
  return Object.fromEntries(answer.coverage.skipped.map(({ path, reason }) => [path, reason]));
}

async function makeFiles(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

function lines(count: number, line: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('');
}
