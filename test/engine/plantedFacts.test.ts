/** The short form of `npm run bench -- facts`: the first two of its documents, which have about 2,000 tokens each. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
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
