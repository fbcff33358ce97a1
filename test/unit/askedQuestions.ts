/** Questions over real files and the real retrieval, to an engine that is only a stand-in. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { ask, type AskParts, type AskRequest } from '../../extension/ask.ts';
import { isAskError, type ErrorReason } from '../../extension/errors.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import type { AnswerEvent, CompletedAnswer, PlanEvent } from '../../extension/protocol/answerEvents.ts';
import type { AskParams } from '../../extension/protocol/engine.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { standInEngine, type Faults, type StandIn } from './standInEngine.ts';

export let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ask '));
});
afterEach(() => rm(root, { recursive: true }));

export const shop = {
  'src/price.ts': lines(40, (n) => `export const price${n} = taxed(${n});`),
  'src/discount.ts': `export function applyDiscount(total: number): number {\n  return total * 0.9;\n}\n`,
  'docs/説明 書.md': '# Handbook\n\nDiscounts are applied once.\n',
  'node_modules/left/index.js': 'module.exports = 1;\n',
  'logo.png': '\u0089PNG\r\n\u001a\n\0\0\0',
  '.env': 'TOKEN=abc\n',
  'empty.ts': '',
};

export function request(): AskRequest {
  return {
    question: 'How is a discount applied?',
    pins: [],
    history: [],
    answerSoFar: '',
    folders: [{ name: 'shop', rootPath: root }],
    device: 'cpu',
    kvCacheType: 'f16',
    preset: 'default',
    tokenBudget: 1024,
    maxAnswerTokens: 400,
    temperature: 0,
    seed: 0,
  };
}

export function partsWith(stand: StandIn, instead: Partial<AskParts> = {}): AskParts {
  return {
    findFiles,
    readDocuments: readSourceDocuments,
    grammars: createGrammars(readGrammarFile),
    resolveModel: () => Promise.resolve({ path: '/model.gguf', name: 'stand-in', entry: null }),
    engine: stand.start,
    ...instead,
  };
}

export async function run(
  askRequest: AskRequest,
  stand: StandIn,
  instead: Partial<AskParts> = {},
): Promise<AnswerEvent[]> {
  const events: AnswerEvent[] = [];
  for await (const event of ask(askRequest, partsWith(stand, instead), new AbortController().signal))
    events.push(event);
  return events;
}

export async function answered(
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
export function changingBefore(nth: number, change: () => Promise<unknown>): AskParts['readDocuments'] {
  let times = 0;
  return async function* (files, options) {
    times++;
    if (times === nth) await change();
    yield* readSourceDocuments(files, options);
  };
}

export async function failureOf(
  running: Promise<unknown>,
): Promise<{ reason: ErrorReason; message: string }> {
  try {
    await running;
  } catch (error) {
    if (isAskError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export function reasons(answer: CompletedAnswer): Record<string, string> {
  return Object.fromEntries(answer.coverage.skipped.map(({ path, reason }) => [path, reason]));
}

export async function makeFiles(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

export function lines(count: number, line: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('');
}
