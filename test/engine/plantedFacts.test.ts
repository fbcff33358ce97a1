/** The short forms of `npm run bench -- facts` and `followups`: the first two of their documents, 2,000 tokens each. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import { answer } from '../../extension/engine/answer.ts';
import { tokenizePassages } from '../../extension/engine/documentTokens.ts';
import type { AskParams, AskResult } from '../../extension/protocol/engine.ts';
import { documentSizes, plantDocument } from '../bench/facts.ts';
import { heldShareOf } from '../bench/followUps.ts';
import { loadEngine } from '../bench/likelihood.ts';
import { measure, type Measured } from '../bench/measureFacts.ts';
import { summaries, summarize } from '../bench/summary.ts';
import { smolLm2Path } from '../modelFiles.ts';

const documents = [0, 1];
/** Share of the facts whose answer must be closer to that after reading everything than to that after nothing. */
const wantedShare = 0.8;

let engine: LoadedEngine;

beforeAll(async () => {
  engine = loadEngine(await smolLm2Path(), 'cpu');
});

afterAll(() => {
  engine.dispose();
});

test('planted facts are answered from the compressed cache as if everything had been read', async () => {
  const rows: Measured[] = [];
  for (const cache of ['nothing', 'everything', 'default']) {
    for await (const row of measure(engine, cache, () => true, documents)) rows.push(row);
  }
  // The published method, for comparison: it costs as much again, so for one fact of each place alone.
  const shown = new Set(
    ['early', 'middle', 'late'].map((place) => rows.find((row) => row.place === place)?.fact),
  );
  for await (const row of measure(engine, 'paper', ({ fact }) => shown.has(fact), [0])) rows.push(row);
  console.log(summarize(rows));
  const found = summaries(rows).find(({ cache }) => cache === 'default')!;
  expect(found.facts).toBe(12);
  expect(found.everything).toBeLessThan(found.nothing);
  expect(found.closer).toBeGreaterThanOrEqual(wantedShare);
  for (const row of rows) if (row.cache === 'default') expect(row.keptTokens).toBe(512);
});

test('a follow-up is answered from what is kept when that holds it, and otherwise is not', async () => {
  const { model } = engine;
  const countTokens = (text: string): number => model.tokenize(text, { special: false }).length;
  const { passages, planted } = plantDocument(0, documentSizes[0], countTokens);
  const first = planted[0]!.fact.question;
  const ask = (params: Partial<AskParams>): Promise<AskResult> =>
    answer(
      engine,
      {
        ...{ requestId: 'q', question: first, history: [], answerSoFar: '', passages, preset: 'default' },
        ...{ tokenBudget: 512, maxAnswerTokens: 4, temperature: 0, seed: 1, ...params },
      },
      { signal: new AbortController().signal, progress: () => undefined, text: () => undefined },
    );
  await ask({});
  const { lists } = engine.held!;
  const document = tokenizePassages(model, passages);
  const answered: string[] = [];
  const readAgain: string[] = [];
  for (const { fact } of planted.slice(1)) {
    const held = heldShareOf({ lists, document }, fact, passages);
    const { outcome } = await ask({
      question: fact.question,
      history: [{ question: first, answer: planted[0]!.fact.answer }],
      readUnder: { question: first },
    });
    if (outcome === 'answered') answered.push(fact.name);
    else readAgain.push(fact.name);
    // What is held is never read again for nothing. What is gone is not always noticed.
    if (held === 1) expect(answered).toContain(fact.name);
    expect(outcome).not.toBe('notStored');
  }
  console.log(`answered: ${answered.join(', ')}; read again: ${readAgain.join(', ')}`);
  expect(answered.length).toBeGreaterThan(0);
  expect(readAgain.length).toBeGreaterThan(0);
});
