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
import type { LineRange, Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import { fuseScores } from '../../extension/retrieval/fuseScores.ts';
import { passageOf } from '../../extension/retrieval/lines.ts';
import { CHUNK_PASSAGES, splitPassages } from '../../extension/retrieval/passages.ts';
import { startRanking } from '../../extension/retrieval/ranking.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { textHash } from '../../extension/textHash.ts';
import { openStateStore, type StateStore } from '../../extension/stateStore/stateStore.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocument } from '../../extension/workspace/readSourceDocument.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { loadEngine, neverAborted } from './likelihood.ts';
import { pythonPackage } from './pythonPackage.ts';
import { foundWithin, meanRatio, type Interval, type Wanted } from './recall.ts';
import { withoutDocumentation, type HiddenFunction, type UndocumentedPackage } from './undocumented.ts';

const resultsPath = 'test/bench/results/ranking.json';
const defaultPackages = ['click==8.5.1', 'jinja2==3.1.6'];
const budgets = [1024, 2048, 4096, 8192];
/** The budget for which the ratio is wanted, and the ratio. */
const judged = { budget: 2048, ratio: 1.15 };
const capBytes = 10e9;
/** Read plainly, to know the time that reading everything would take. */
const speedTokens = 1024;

export const usage = `npm run bench -- ranking [options] [package==version or folder, default ${defaultPackages.join(' ')}]
  --seconds N   stops indexing after so long; the next run goes on from there; default: no limit
  --index PATH  where the index is kept; default in the user's cache folder`;

export async function rankingBench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: 'Infinity' },
      index: { type: 'string', default: join(homedir(), '.cache/ask-codebase/bench') },
    },
  });
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
      const index = await indexed(prepared.chunks, { engine, indexer, store, until, ranking });
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
  /** What is read together. */
  readonly chunks: readonly Passage[];
  /** What is ranked. */
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
  const passages = (share: number): Passage[] =>
    hidden.documents.flatMap((document) =>
      splitPassages(document, share).map((span) => passageOf(document, span)),
    );
  return { ...hidden, name, chunks: passages(CHUNK_PASSAGES), passages: passages(1) };
}

interface IndexParts {
  readonly engine: LoadedEngine;
  readonly indexer: PassageIndexer;
  readonly ranking: NonNullable<ReturnType<typeof rankingHeadsOf>>;
  readonly store: StateStore;
  /** As of performance.now(). */
  readonly until: number;
}

/** The keys of all chunks, from the store as far as it has them; null when the time does not suffice. */
async function indexed(chunks: readonly Passage[], parts: IndexParts): Promise<PassageKeys[] | null> {
  const { engine, indexer, ranking, store, until } = parts;
  const hooks = { pace: engine.pace, signal: neverAborted };
  const all: PassageKeys[] = [];
  for (const path of new Set(chunks.map((chunk) => chunk.path))) {
    const own = chunks.filter((chunk) => chunk.path === path);
    const name = `${indexKey({
      model: engine.fingerprint,
      libraryVersion: engine.library.version,
      // What is measured does not change with the bench's own text, of which the build is made.
      engineBuild: '',
      device: engine.deviceName,
      offloadedLayers: engine.offloadedLayers,
      ranking,
      prefix: indexPrefix(engine.model),
      file: {
        path,
        textHash: textHash(own.map(({ text }) => text).join('')),
        chunkStarts: own.map(({ startLine }) => startLine),
      },
    })}.keys`;
    const stored = await store.read(name);
    let keys = stored === null ? null : restoreKeys(stored, indexer.tokenBytes);
    if (keys === null) {
      keys = [];
      for (const passage of own) {
        if (performance.now() > until) return null;
        keys.push(await indexer.keysOf(tokensOf(engine, passage), hooks));
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

/** By words, of passages as long as the chunks and of the shorter ones; by attention, of the chunks; by both, of the shorter. */
type RankingName = 'wordsOfLong' | 'words' | 'attention' | 'both';

interface MeasuredPackage {
  readonly name: string;
  readonly tokens: number;
  readonly passages: number;
  /** By budget: found or not, by question. */
  readonly found: Readonly<Record<RankingName, readonly (readonly boolean[])[]>>;
  readonly questionTokens: number;
  readonly questionSeconds: number;
}

/** Scores by question, then passage. */
interface Scored {
  readonly passages: readonly Passage[];
  readonly byQuestion: readonly Float64Array[];
}

async function measure(
  { name, documents, functions, chunks, passages }: Prepared,
  index: readonly PassageKeys[],
  { engine, indexer }: Pick<IndexParts, 'engine' | 'indexer'>,
): Promise<MeasuredPackage> {
  const hooks = { pace: engine.pace, signal: neverAborted };
  const lexical = (share: number, of: readonly Passage[]): Scored => ({
    passages: of,
    byQuestion: functions.map(({ description }) => {
      const ranking = startRanking(description, '', share);
      for (const document of documents) ranking.add(document);
      const byPlace = new Map(ranking.rank().map((ranked) => [placeOf(ranked), ranked.score]));
      return Float64Array.from(of, (passage) => byPlace.get(placeOf(passage))!);
    }),
  });
  const [longWords, words] = [lexical(CHUNK_PASSAGES, chunks), lexical(1, passages)];
  const chunkOf = passages.map((passage) => chunkAround(passage, chunks));
  const attention: Float64Array[] = [];
  const both: Float64Array[] = [];
  let [questionTokens, questionSeconds] = [0, 0];
  for (const [question, { description }] of functions.entries()) {
    const begin = performance.now();
    const { tokens, rows } = questionForm(engine.model, description);
    const queries = await indexer.queriesOf(tokens, rows, hooks);
    const ratios = index.map((keys) => indexer.attentionOn(keys, queries));
    const ofChunks = scoreByAttention(ratios, rows.length, indexer.heads);
    both.push(
      fuseScores(
        words.byQuestion[question]!,
        Float64Array.from(chunkOf, (chunk) => ofChunks[chunk]!),
      ),
    );
    questionSeconds += (performance.now() - begin) / 1000;
    questionTokens += tokens.length;
    attention.push(ofChunks);
    process.stderr.write(`\r${name}: question ${both.length} of ${functions.length}`);
  }
  process.stderr.write('\n');
  const rankings: Readonly<Record<RankingName, Scored>> = {
    wordsOfLong: longWords,
    words,
    attention: { passages: chunks, byQuestion: attention },
    both: { passages, byQuestion: both },
  };
  const lengths = (of: readonly Passage[]): number[] => of.map((passage) => tokensOf(engine, passage).length);
  const found = (ranking: RankingName): boolean[][] => {
    const { passages: of, byQuestion } = rankings[ranking];
    const tokens = lengths(of);
    const wanted = functions.map((hidden) => wantedOf(hidden, of));
    return budgets.map((budget) => foundWithin(byQuestion, wanted, tokens, budget));
  };
  return {
    name,
    tokens: lengths(chunks).reduce((sum, length) => sum + length, 0),
    passages: passages.length,
    found: {
      wordsOfLong: found('wordsOfLong'),
      words: found('words'),
      attention: found('attention'),
      both: found('both'),
    },
    questionTokens: questionTokens / functions.length,
    questionSeconds: questionSeconds / functions.length,
  };
}

function wantedOf(hidden: HiddenFunction, passages: readonly Passage[]): Wanted {
  const lines = hidden.endLine - hidden.startLine + 1;
  return new Map(
    passages.flatMap((passage, index) => {
      const common = commonLines(passage, hidden);
      return common > 0 ? [[index, common / lines] as const] : [];
    }),
  );
}

/** The index of the chunk that holds most of the passage. */
function chunkAround(passage: Passage, chunks: readonly Passage[]): number {
  const common = chunks.map((chunk) => commonLines(chunk, passage));
  return common.indexOf(Math.max(...common));
}

function commonLines(a: LineRange, b: LineRange): number {
  return a.path === b.path ? Math.min(a.endLine, b.endLine) - Math.max(a.startLine, b.startLine) + 1 : 0;
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
  const found = (ranking: RankingName, budget: number): number[] =>
    measured.flatMap((one) => one.found[ranking][budget]!.map(Number));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const recall = budgets.map((budget, index) => {
    const all = {
      wordsOfLong: found('wordsOfLong', index),
      words: found('words', index),
      attention: found('attention', index),
      both: found('both', index),
    };
    return {
      budget,
      ...{ wordsOfLong: mean(all.wordsOfLong), words: mean(all.words), attention: mean(all.attention) },
      both: mean(all.both),
      overWords: meanRatio(all.both, all.words),
      overWordsOfLong: meanRatio(all.both, all.wordsOfLong),
    };
  });
  const packages = measured.map(({ found: byRanking, tokens, ...one }) => ({
    ...{ ...one, tokens, questions: byRanking.both[0]!.length, readingSeconds: tokens * perToken },
  }));
  const date = new Date().toISOString().slice(0, 10);
  const result = { date, model, device: cpus()[0]?.model, packages, recall };
  mkdirSync(dirname(resultsPath), { recursive: true });
  writeFileSync(resultsPath, `${JSON.stringify(result, null, 2)}\n`);

  console.log(
    'tokens  words, long passages  words  attention   both  both / words     both / words, long passages',
  );
  for (const row of recall) {
    const shares = [
      row.wordsOfLong.toFixed(3).padStart(20),
      row.words.toFixed(3),
      row.attention.toFixed(3).padStart(9),
      row.both.toFixed(3),
    ];
    console.log(
      [String(row.budget).padStart(6), ...shares, text(row.overWords), text(row.overWordsOfLong)].join('  '),
    );
  }
  for (const one of packages) {
    console.log(
      `${one.name}: ${one.questions} questions, ${one.passages} passages, ${one.tokens} tokens; a question ` +
        `${one.questionTokens.toFixed(0)} tokens and ${one.questionSeconds.toFixed(2)} s, ` +
        `reading everything ${one.readingSeconds.toFixed(0)} s`,
    );
  }
  const { overWords, overWordsOfLong } = recall.find(({ budget }) => budget === judged.budget)!;
  const wanted = `${judged.ratio} times at ${judged.budget} tokens, interval clear of 1`;
  const isMet = ({ value, low }: Interval): boolean => value >= judged.ratio && low > 1;
  const verdict = (met: boolean): string => (met ? 'met   ' : 'MISSED');
  console.log(`${verdict(isMet(overWordsOfLong))} both over words of long passages, ${wanted}`);
  console.log(`${verdict(isMet(overWords))} both over words of the same passages, ${wanted}`);
  console.log(`${verdict(recall.every(({ both, words }) => both >= words))} both never below words`);
}

function text({ low, value, high }: Interval): string {
  return `${value.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
}
