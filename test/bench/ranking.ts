/**
 * `npm run bench -- ranking`: finds functions by what their docstrings said, after these were taken out, by words, by the
 * model's attention over stored keys, and by both.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { scoreByAttention } from '../../extension/engine/chunkIndex/attentionRanking.ts';
import { PassageIndexer, type PassageKeys } from '../../extension/engine/chunkIndex/passageIndexer.ts';
import { indexPrefix, questionForm } from '../../extension/engine/chunkIndex/questionForm.ts';
import { rankingHeadsOf } from '../../extension/engine/chunkIndex/rankingHeads.ts';
import { indexKey, restoreKeys, saveKeys } from '../../extension/engine/chunkIndex/storedKeys.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import { fuseScores } from '../../extension/retrieval/fuseScores.ts';
import { passageOf } from '../../extension/retrieval/lines.ts';
import { splitPassages } from '../../extension/retrieval/passages.ts';
import { startRanking } from '../../extension/retrieval/ranking.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { openStateStore, type StateStore } from '../../extension/stateStore/stateStore.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocument } from '../../extension/workspace/readSourceDocument.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { loadEngine, neverAborted } from './likelihood.ts';
import { pythonPackage } from './pythonPackage.ts';
import { foundWithin, meanRatio, type Wanted } from './recall.ts';
import { withoutDocumentation, type UndocumentedPackage } from './undocumented.ts';

const resultsPath = 'test/bench/results/ranking.json';
const defaultPackages = ['click==8.5.1'];
const budgets = [1024, 2048, 4096, 8192];
/** The budget for which the ratio is wanted, and the ratio. */
const judged = { budget: 2048, ratio: 1.15 };
const capBytes = 10e9;
/** Read plainly, to know the time that reading everything would take. */
const speedTokens = 1024;

const usage = `npm run bench -- ranking [options] [package==version or folder, default ${defaultPackages.join(' ')}]
  --seconds N   stops indexing after so long; the next run goes on from there; default: no limit
  --index PATH  where the index is kept; default in the user's cache folder`;

export async function rankingBench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: 'Infinity' },
      index: { type: 'string', default: join(homedir(), '.cache/ask-codebase/bench') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const until = performance.now() + Number(values.seconds) * 1000;
  const store = openStateStore({ folder: join(values.index, 'keys'), capBytes, log: console.error });
  const modelPath = await smolLm2Path();
  const engine = loadEngine(modelPath, 'cpu');
  const ranking = rankingHeadsOf(
    engine.model.metadata('general.basename'),
    engine.model.metadata('general.size_label'),
  );
  if (ranking === null) throw new Error(`no ranking heads are known for ${modelPath}`);
  const indexer = new PassageIndexer(engine.model, ranking, indexPrefix(engine.model));
  try {
    const measured: MeasuredPackage[] = [];
    for (const name of positionals.length > 0 ? positionals : defaultPackages) {
      const folder = name.includes('==') ? await pythonPackage(name, values.index) : name;
      const prepared = await prepare(basename(folder), folder);
      const index = await indexed(prepared.passages, { engine, indexer, store, until, ranking });
      if (index === null) {
        console.log('The time is up: run it again to go on.');
        return;
      }
      measured.push(await measure(prepared, index, { engine, indexer }));
    }
    report(measured, await secondsPerToken(engine), basename(modelPath));
  } finally {
    indexer.dispose();
    engine.dispose();
  }
}

interface Prepared extends UndocumentedPackage {
  readonly name: string;
  readonly passages: readonly Passage[];
}

async function prepare(name: string, rootPath: string): Promise<Prepared> {
  const { files } = await findFiles([{ name, rootPath }], { signal: neverAborted });
  const documents = [];
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const document = await readSourceDocument(file);
    if (!isSkipped(document)) documents.push(document);
  }
  const hidden = await withoutDocumentation(documents, createGrammars(readGrammarFile));
  const passages = hidden.documents.flatMap((document) =>
    splitPassages(document).map((span) => passageOf(document, span)),
  );
  return { ...hidden, name, passages };
}

interface IndexParts {
  readonly engine: LoadedEngine;
  readonly indexer: PassageIndexer;
  readonly ranking: NonNullable<ReturnType<typeof rankingHeadsOf>>;
  readonly store: StateStore;
  /** As of performance.now(). */
  readonly until: number;
}

/** The keys of all passages, from the store as far as it has them; null when the time does not suffice. */
async function indexed(passages: readonly Passage[], parts: IndexParts): Promise<PassageKeys[] | null> {
  const { engine, indexer, ranking, store, until } = parts;
  const hooks = { pace: engine.pace, signal: neverAborted };
  const all: PassageKeys[] = [];
  for (const path of new Set(passages.map((passage) => passage.path))) {
    const own = passages.filter((passage) => passage.path === path);
    const tokens = own.map((passage) => tokensOf(engine, passage));
    const name = `${indexKey({
      model: engine.fingerprint,
      libraryVersion: engine.library.version,
      // What is measured does not change with the bench's own text, of which the build is made.
      engineBuild: '',
      device: engine.deviceName,
      offloadedLayers: engine.offloadedLayers,
      ranking,
      prefix: indexPrefix(engine.model),
      passages: tokens,
    })}.keys`;
    const stored = await store.read(name);
    let keys = stored === null ? null : restoreKeys(stored, indexer.headDim * indexer.heads);
    if (keys === null) {
      keys = [];
      for (const passage of tokens) {
        if (performance.now() > until) return null;
        keys.push(await indexer.keysOf(passage, hooks));
      }
      const { header, sections } = saveKeys(keys);
      await store.write(name, header, sections, neverAborted);
      process.stderr.write(`indexed ${path}\n`);
    }
    all.push(...keys);
  }
  return all;
}

function tokensOf({ model }: LoadedEngine, passage: Passage): Token[] {
  return model.tokenize(passageText(passage), { special: false });
}

interface MeasuredPackage {
  readonly name: string;
  readonly tokens: number;
  readonly passages: number;
  /** By ranking, then budget: found or not, by question. */
  readonly found: ReadonlyMap<string, readonly (readonly boolean[])[]>;
  readonly questionTokens: number;
  readonly questionSeconds: number;
}

async function measure(
  { name, documents, functions, passages }: Prepared,
  index: readonly PassageKeys[],
  { engine, indexer }: Pick<IndexParts, 'engine' | 'indexer'>,
): Promise<MeasuredPackage> {
  const hooks = { pace: engine.pace, signal: neverAborted };
  const scores = {
    lexical: [] as Float64Array[],
    attention: [] as Float64Array[],
    fused: [] as Float64Array[],
  };
  let [questionTokens, questionSeconds] = [0, 0];
  for (const { description } of functions) {
    const ranking = startRanking(description);
    for (const document of documents) ranking.add(document);
    const byPlace = new Map(ranking.rank().map((ranked) => [placeOf(ranked), ranked.score]));
    const lexical = Float64Array.from(passages, (passage) => byPlace.get(placeOf(passage))!);

    const begin = performance.now();
    const { tokens, rows } = questionForm(engine.model, description);
    const queries = await indexer.queriesOf(tokens, rows, hooks);
    const ratios = index.map((keys) => indexer.attentionOn(keys, queries));
    const attention = scoreByAttention(ratios, rows.length, indexer.heads);
    const fused = fuseScores(attention, lexical);
    questionSeconds += (performance.now() - begin) / 1000;
    questionTokens += tokens.length;
    scores.lexical.push(lexical);
    scores.attention.push(attention);
    scores.fused.push(fused);
    process.stderr.write(`\r${name}: question ${scores.fused.length} of ${functions.length}`);
  }
  process.stderr.write('\n');
  const lengths = passages.map((passage) => tokensOf(engine, passage).length);
  const wanted = functions.map((hidden): Wanted => {
    const lines = hidden.endLine - hidden.startLine + 1;
    return new Map(
      passages.flatMap(({ path, startLine, endLine }, passage) => {
        const common = Math.min(endLine, hidden.endLine) - Math.max(startLine, hidden.startLine) + 1;
        return path === hidden.path && common > 0 ? [[passage, common / lines] as const] : [];
      }),
    );
  });
  return {
    name,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    passages: passages.length,
    found: new Map(
      Object.entries(scores).map(([ranking, byQuestion]) => [
        ranking,
        budgets.map((budget) => foundWithin(byQuestion, wanted, lengths, budget)),
      ]),
    ),
    questionTokens: questionTokens / functions.length,
    questionSeconds: questionSeconds / functions.length,
  };
}

function placeOf({ path, startLine }: { readonly path: string; readonly startLine: number }): string {
  return `${path}:${startLine}`;
}

async function secondsPerToken(engine: LoadedEngine): Promise<number> {
  const { context } = engine.open(speedTokens, speedTokens);
  context.clear();
  const tokens = Array.from(
    { length: speedTokens / 2 },
    (_, i) => ((i * 37) % engine.model.vocabularySize) as Token,
  );
  const begin = performance.now();
  for (let half = 0; half < 2; half++) context.decode(tokens, { logits: 'none' });
  await Promise.resolve();
  return (performance.now() - begin) / 1000 / speedTokens;
}

function report(measured: readonly MeasuredPackage[], perToken: number, model: string): void {
  const numbers = (ranking: string, budget: number): number[] =>
    measured.flatMap(({ found }) => found.get(ranking)![budget]!.map(Number));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = budgets.map((budget, index) => {
    const [lexical, attention, fused] = ['lexical', 'attention', 'fused'].map((r) => numbers(r, index)) as [
      number[],
      number[],
      number[],
    ];
    return {
      budget,
      ...{ lexical: mean(lexical), attention: mean(attention), fused: mean(fused) },
      ratio: meanRatio(fused, lexical),
    };
  });
  const packages = measured.map(({ name, tokens, passages, questionTokens, questionSeconds, found }) => ({
    ...{ name, tokens, passages, questions: found.get('fused')![0]!.length },
    ...{ questionTokens, questionSeconds, readingSeconds: tokens * perToken },
  }));
  const date = new Date().toISOString().slice(0, 10);
  const result = { date, model, device: cpus()[0]?.model, packages, recall: rows };
  mkdirSync(dirname(resultsPath), { recursive: true });
  writeFileSync(resultsPath, `${JSON.stringify(result, null, 2)}\n`);

  console.log('tokens   BM25  attention  both   both / BM25 (95 %)');
  for (const { budget, lexical, attention, fused, ratio } of rows) {
    const share = (value: number): string => value.toFixed(3);
    console.log(
      `${String(budget).padStart(6)}  ${share(lexical)}  ${share(attention).padStart(9)}  ${share(fused)}  ` +
        `${ratio.value.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    );
  }
  for (const one of packages) {
    console.log(
      `${one.name}: ${one.questions} questions, ${one.passages} passages, ${one.tokens} tokens; a question ` +
        `${one.questionTokens.toFixed(0)} tokens and ${one.questionSeconds.toFixed(2)} s, reading all ${one.readingSeconds.toFixed(0)} s`,
    );
  }
  const { ratio } = rows.find(({ budget }) => budget === judged.budget)!;
  const isMet = ratio.value >= judged.ratio && ratio.low > 1;
  const isNeverLower = rows.every(({ fused, lexical }) => fused >= lexical);
  console.log(
    `${isMet ? 'met   ' : 'MISSED'} both at least ${judged.ratio} times BM25 at ${judged.budget} tokens, interval clear of 1`,
  );
  console.log(`${isNeverLower ? 'met   ' : 'MISSED'} both never below BM25`);
}
