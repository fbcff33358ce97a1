import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxDraftTokens, type BatchCost } from '../../extension/engine/draft.ts';
import { generate, type Generated } from '../../extension/engine/generate.ts';
import { maxBatchTokens } from '../../extension/engine/llama/llamaContext.ts';
import { Sampler } from '../../extension/engine/llama/sampler.ts';
import type { OpenedContext } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { openTinyEngine, randomTokens, type TinyEngine } from '../tinyEngine.ts';

const maxAnswerTokens = 60;
const greedy = { temperature: 0, seed: 0 };
const prompt = randomTokens(40, 3);
/** As on a device where a draft takes no longer than one token. */
const free: BatchCost[] = [0, 2, maxDraftTokens].map((drafted) => ({ drafted, seconds: 0.01 }));

let folder: string;
let tiny: TinyEngine;
let opened: OpenedContext;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ask drafts '));
  tiny = openTinyEngine(folder, { device: 'cpu' });
  opened = tiny.engine.open(1024, 900, 1 + maxDraftTokens);
});
afterAll(async () => {
  tiny.engine.dispose();
  await rm(folder, { recursive: true });
});

describe('an answer that quotes what was read', () => {
  test('has the tokens that are chosen one by one', async () => {
    const expected = oneByOne();
    const [plain, quoted] = [await written([]), await written(expected)];
    expect([plain.text, plain.tokens, plain.draftedTokens]).toEqual([textOf(expected), expected, 0]);
    expect([quoted.text, quoted.tokens]).toEqual([plain.text, plain.tokens]);
    expect(quoted.draftedTokens).toBeGreaterThan(expected.length / 2);
  });

  test('has them where drafts go wrong on their way', async () => {
    const expected = oneByOne();
    const misleading = expected.map((token, i) => (i % 7 === 6 ? ((token + 1) as Token) : token));
    const quoted = await written([...misleading, ...misleading.slice(3)]);
    expect(quoted.draftedTokens).toBeGreaterThan(0);
    expect(quoted.text).toBe(textOf(expected));
  });

  test.each<{ what: string; draftCosts: BatchCost[] }>([
    { what: 'a draft takes as long as its tokens one by one', draftCosts: free.map(costly) },
    { what: 'nothing is known of the costs', draftCosts: [] },
  ])('is written token by token where $what', async ({ draftCosts }) => {
    const expected = oneByOne();
    const quoted = await written(expected, { draftCosts });
    expect([quoted.tokens, quoted.draftedTokens]).toEqual([expected, 0]);
  });

  test('ends where the window is full', async () => {
    const room = 20;
    const filler = randomTokens(opened.context.contextSize - prompt.length - room, 9);
    const plain = await written([], { before: filler });
    const quoted = await written(oneByOne(filler), { before: filler });
    expect(quoted.draftedTokens).toBeGreaterThan(0);
    for (const { tokens, stopReason } of [plain, quoted]) {
      expect([tokens.length, stopReason]).toEqual([room + 1, 'windowFull']);
    }
    expect(quoted.text).toBe(plain.text);
  });

  test('is stopped within a draft', async () => {
    const stop = new AbortController();
    let told = 0;
    const onText = (): void => {
      if (++told === 20) stop.abort();
    };
    const stopped = written(oneByOne(), { signal: stop.signal, onText });
    await expect(stopped).rejects.toMatchObject({ reason: 'cancelled' });
  });
});

interface Circumstances {
  readonly before?: readonly Token[];
  readonly signal?: AbortSignal;
  readonly onText?: () => void;
  readonly draftCosts?: BatchCost[];
}

function costly({ drafted }: BatchCost): BatchCost {
  return { drafted, seconds: 1 + drafted };
}

function written(read: readonly Token[], given: Circumstances = {}): Promise<Generated> {
  const { before = [], onText = () => undefined, signal = new AbortController().signal } = given;
  decodePrompt(before);
  const options = { ...greedy, maxAnswerTokens, read, draftCosts: given.draftCosts ?? free };
  return generate(opened.context, options, { signal, onText });
}

/** The slow twin. */
function oneByOne(before: readonly Token[] = []): Token[] {
  decodePrompt(before);
  const { context } = opened;
  const sampler = new Sampler(context.model, greedy);
  const tokens: Token[] = [];
  for (;;) {
    const token = sampler.sample(context);
    if (context.model.isEndOfGeneration(token)) break;
    tokens.push(token);
    if (tokens.length === maxAnswerTokens || context.length === context.contextSize) break;
    context.decode([token], { logits: 'last' });
  }
  sampler.dispose();
  return tokens;
}

function decodePrompt(before: readonly Token[]): void {
  const { context } = opened;
  context.clear();
  for (let start = 0; start < before.length; start += maxBatchTokens)
    context.decode(before.slice(start, start + maxBatchTokens), { logits: 'none' });
  context.decode(prompt, { logits: 'last' });
}

function textOf(tokens: readonly Token[]): string {
  return Buffer.concat(tokens.map((token) => opened.context.model.piece(token))).toString('utf8');
}
