/** Gemma 3 as it is: layers with a window of 512 tokens, and every sixth without. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compress } from '../../extension/engine/compression/compress.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import { LlamaContext } from '../../extension/engine/llama/llamaContext.ts';
import { LoadedEngine, type OpenedContext } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { gemmaPath } from '../modelFiles.ts';
import { steadyPace } from '../tinyEngine.ts';
import { ownSource } from './engineProcess.ts';

const window = 512;
const hooks = { signal: new AbortController().signal, pace: steadyPace() };
let engine: LoadedEngine;
let opened: OpenedContext;
/** More than a window. */
let text: Token[];
const question = 'The port of the staging server is';

beforeAll(async () => {
  engine = new LoadedEngine(await gemmaPath(), { device: 'cpu' }, null);
  opened = engine.open(1024, 900);
  text = engine.model
    .tokenize(ownSource('extension/engine/answer.ts').text, { special: false })
    .slice(0, 560);
});
afterAll(() => engine.dispose());

test('every sixth layer sees all tokens', () => {
  const seeingAll = engine.model.windows.flatMap((size, layer) => (size === null ? [layer] : []));
  expect(seeingAll).toEqual([5, 11, 17]);
  expect(new Set(engine.model.windows)).toEqual(new Set([window, null]));
  const bases = opened.context.layouts().map(({ rope }) => rope?.freqBase);
  expect(bases).toEqual(engine.model.windows.map((size) => (size === null ? 1_000_000 : 10_000)));
});

test('keeping everything changes no bit of what llama.cpp alone computes', () => {
  const { context, operations } = opened;
  const plain = new LlamaContext(engine.model, { contextSize: 1024, probe: false });
  let expected: Float32Array;
  try {
    expected = nextLogits(plain);
  } finally {
    plain.dispose();
  }
  read(context);
  operations.rememberKeys(0, text.length);
  const all = operations.layouts.map(() => ({ shared: Int32Array.from(text.keys()) }));
  operations.keep(all, all);
  context.decode(tokensOf(question), { logits: 'last' });
  expect(context.logits()).toEqual(expected);

  function nextLogits(one: LlamaContext): Float32Array {
    read(one);
    one.decode(tokensOf(question), { logits: 'last' });
    return one.logits();
  }
});

test('a fact from before the window is found in what is kept', async () => {
  const { context, operations } = opened;
  const tokens = [...tokensOf('The port of the staging server is 48213.\n'), ...text, ...text.slice(0, 100)];
  const document = {
    tokens,
    lineOf: new Int32Array(tokens.length),
    lines: [{ passage: 0, sourceLine: 1 }],
  };
  const options = { ...presetOptions('perHead', window, null), chunkTokens: 256 };
  const asked = tokensOf(question);
  const input = { prefix: beginning(), document, question: asked, contentFree: asked };
  const { windowed } = await compress(context, operations, input, options, hooks);
  expect(context.length).toBe(input.prefix.length + window);
  expect([...windowed!.entries]).toEqual(
    Array.from({ length: context.length }, (_, cell) => tokens.length - context.length + cell),
  );
  let answer = '';
  for (let next = tokensOf(question); answer.length < 6;) {
    context.decode(next, { logits: 'last' });
    const logits = context.logits();
    const best = logits.indexOf(logits.reduce((a, b) => Math.max(a, b))) as Token;
    answer += new TextDecoder().decode(engine.model.piece(best));
    next = [best];
  }
  expect(answer).toBe(' 48213');
});

function read(context: LlamaContext): void {
  context.clear();
  for (let start = 0; start < text.length; start += 256)
    context.decode(text.slice(start, start + 256), { logits: 'none' });
}

function tokensOf(plain: string): Token[] {
  return engine.model.tokenize(plain, { special: false });
}

function beginning(): Token[] {
  const { beginToken } = engine.model;
  return beginToken === null ? [] : [beginToken];
}
