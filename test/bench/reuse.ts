/**
 * `npm run bench -- reuse`: what is saved by keeping readings, and by the index. 300 files of a real package are asked,
 * asked on, and asked again after a restart, then indexed, asked something new, and indexed again after one was edited,
 * through the same steps as in the product; all times are of one run.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import koffi from 'koffi';
import { z } from 'zod';
import { ask, type AskParts, type AskRequest } from '../../extension/ask.ts';
import { createReadingStores } from '../../extension/engine/kvState/readingStore.ts';
import { restoreReading } from '../../extension/engine/kvState/readingState.ts';
import { bundledEngine } from '../../extension/engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../../extension/engineClient/engineClient.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import type { CompletedAnswer } from '../../extension/protocol/answerEvents.ts';
import type { ReadingRecord } from '../../extension/protocol/conversation.ts';
import { indexWorkspace, type IndexProgress } from '../../extension/indexWorkspace.ts';
import { resolveModel } from '../../extension/models/findModel.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { loadEngine, neverAborted } from './likelihood.ts';
import { npmPackage } from './npmPackage.ts';

const resultsPath = 'test/bench/results/reuse.json';
const packageName = 'lodash@4.17.21';
/** Its internal modules: 300 files, one function each. */
const isMeasured = (name: string): boolean => /^_.*\.js$/.test(name);
const question = 'How is a deep clone of a value made?';
const followUp = 'What is done about objects that refer to themselves?';
const newQuestion = 'Where is the hash of a string key looked up, and what if it is not there?';
const edited = '_baseSortedIndexBy.js';
const capBytes = 10e9;
const restoreRounds = 9;

export const usage = 'npm run bench -- reuse';

export async function reuseBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { restore: { type: 'string' } } });
  if (values.restore !== undefined) {
    console.log(JSON.stringify(await restoreTimes(await smolLm2Path(), values.restore)));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-reuse-files-'));
  const source = await npmPackage(packageName, join(homedir(), '.cache/ask-codebase/bench'));
  for (const name of readdirSync(source).filter(isMeasured))
    copyFileSync(join(source, name), join(folder, name));
  const states = { path: mkdtempSync(join(tmpdir(), 'ask-codebase-reuse-')), capBytes };
  const modelPath = await smolLm2Path();
  const request: AskRequest = {
    ...{
      question,
      pins: [],
      history: [],
      answerSoFar: '',
      model: modelPath,
      device: 'cpu',
      kvCacheType: 'f16',
      preset: 'default',
    },
    ...{
      readingLimit: 'all',
      tokenBudget: 512,
      maxAnswerTokens: 16,
      temperature: 0,
      seed: 0,
    },
    ...{ states, folders: [{ name: packageName, rootPath: folder }] },
  };
  try {
    let engine = await startEngine(bundledEngine());
    const first = await timed(engine, request);
    const { reading } = first;
    if (reading === undefined) throw new Error('nothing was planned');
    const history = [{ question, answer: first.answer.text }];
    const next = await timed(engine, { ...request, question: followUp, history, continueOn: reading });
    await engine.dispose();

    engine = await startEngine(bundledEngine());
    await engine.request('load', { modelPath, device: 'cpu' });
    const restored = await timed(engine, { ...request, question: followUp, history, continueOn: reading });
    const same = await timed(engine, request);

    const index = await indexed(engine, request);
    const { readingLimit: _, ...automatic } = request;
    const asked = await timed(engine, { ...automatic, question: newQuestion });
    if (asked.answer.statistics.reused !== 'index') throw new Error('the index was not used');
    appendFileSync(join(folder, edited), '\n// Sorted arrays alone.\n');
    const again = await indexed(engine, request);
    await engine.dispose();
    const forwards = (answer: CompletedAnswer): number => answer.statistics.documentTokens;

    const { bytes, fromDisk, fromMemory } = restoreTimesAlone(states.path);
    const share = (seconds: number): number => seconds / first.seconds;
    const measured = [
      {
        name: 'follow-up, first token, share of the first question',
        wanted: 0.02,
        measured: share(next.seconds),
      },
      { name: 'the same after a restart', wanted: 0.02, measured: share(restored.seconds) },
      { name: 'the same question again', wanted: 0.02, measured: share(same.seconds) },
      {
        name: 'restoring a state, times a plain read from the disk',
        wanted: 3,
        measured: fromDisk.restoring / fromDisk.reading,
      },
      {
        name: 'a new question with the index, share of the document tokens read',
        wanted: 1 / 12,
        measured: forwards(asked.answer) / forwards(first.answer),
      },
      {
        name: 'a new question with the index, first token, share of the first question',
        wanted: 0.1,
        measured: share(asked.seconds),
      },
      {
        name: 'indexing again after an edit, share of the time, over the share of the tokens',
        wanted: 3,
        measured: again.seconds / index.seconds / (again.tokens / index.tokens),
      },
    ];
    for (const { answer } of [next, restored, same]) {
      if (answer.statistics.reused !== 'state') throw new Error('it was read again');
    }
    const settings = {
      ...{ package: packageName, documentTokens: first.answer.statistics.documentTokens, stateBytes: bytes },
      ...{ firstQuestionSeconds: round(first.seconds), followUpSeconds: round(next.seconds) },
      ...{ restartedSeconds: round(restored.seconds), sameQuestionSeconds: round(same.seconds) },
      ...{ restoreMilliseconds: rounded(fromDisk), restoreFromMemoryMilliseconds: rounded(fromMemory) },
      ...{ files: index.files, indexTokens: index.tokens, indexSeconds: round(index.seconds) },
      ...{ indexedQuestionTokens: forwards(asked.answer), indexedQuestionSeconds: round(asked.seconds) },
      ...{ editedTokens: again.tokens, editedSeconds: round(again.seconds) },
    };
    const date = new Date().toISOString().slice(0, 10);
    const report = { date, model: basename(modelPath), device: cpus()[0]?.model, ...settings, measured };
    console.log(JSON.stringify(report, null, 2));
    mkdirSync(dirname(resultsPath), { recursive: true });
    writeFileSync(resultsPath, `${JSON.stringify(report, null, 2)}\n`);
    for (const { name, wanted, measured: value } of measured) {
      console.log(`${value > wanted ? 'MISSED' : 'met   '} ${name}: ${value.toFixed(4)}, at most ${wanted}`);
    }
  } finally {
    for (const path of [states.path, folder]) rmSync(path, { recursive: true, force: true });
  }
}

interface Timed {
  /** To the first text of the answer. */
  readonly seconds: number;
  readonly reading: ReadingRecord | undefined;
  readonly answer: CompletedAnswer;
}

async function timed(engine: EngineClient, request: AskRequest): Promise<Timed> {
  const begin = performance.now();
  let seconds: number | undefined;
  let reading: ReadingRecord | undefined;
  let lastPercent = -1;
  const events = ask(request, partsWith(engine), neverAborted);
  for await (const event of events) {
    if (event.event === 'plan') reading = event.reading;
    if (event.event === 'text') seconds ??= (performance.now() - begin) / 1000;
    if (event.event === 'progress' && event.stage === 'reading' && event.total !== undefined) {
      const percent = Math.floor((10 * event.done) / event.total) * 10;
      if (percent !== lastPercent) console.log(`reading ${percent} %`);
      lastPercent = percent;
    }
    if (event.event === 'answer') {
      seconds ??= (performance.now() - begin) / 1000;
      console.log(`${request.question} ${seconds.toFixed(2)} s to the first token`);
      return { seconds, reading, answer: event };
    }
  }
  throw new Error('no answer');
}

/** What was read into the index now; the seconds are those of reading it. */
async function indexed(
  engine: EngineClient,
  { folders, model, device, kvCacheType, states }: AskRequest,
): Promise<{ files: number; tokens: number; seconds: number }> {
  if (model === undefined || states === undefined) throw new Error('no model, or nowhere to keep an index');
  const request = { folders, model, device, kvCacheType, states };
  let last: IndexProgress | undefined;
  for await (const progress of indexWorkspace(request, partsWith(engine), () => undefined, neverAborted))
    last = progress;
  if (last === undefined || last.indexed !== last.filesTotal) throw new Error('not everything is indexed');
  console.log(`indexed ${last.tokens} tokens in ${last.seconds.toFixed(2)} s`);
  return { files: last.indexed, tokens: last.tokens, seconds: last.seconds };
}

function partsWith(engine: EngineClient): AskParts {
  return {
    findFiles,
    readDocuments: readSourceDocuments,
    grammars: createGrammars(readGrammarFile),
    resolveModel,
    engine: () => Promise.resolve(engine),
  };
}

/** Milliseconds, medians of rounds that alternate: to restore it, and to read its file. */
const restoreTimeSchema = z.object({ restoring: z.number(), reading: z.number() });
/** From the disk, and when the system has the file in its memory. */
const restoreTimesSchema = z.object({
  bytes: z.number(),
  fromDisk: restoreTimeSchema,
  fromMemory: restoreTimeSchema,
});

type RestoreTime = z.infer<typeof restoreTimeSchema>;
type RestoreTimes = z.infer<typeof restoreTimesSchema>;

/**
 * By this bench itself in a process of its own, whose heap is as small as an engine's: with the heap of this one,
 * collecting garbage would be measured, too.
 */
function restoreTimesAlone(folder: string): RestoreTimes {
  const args = [process.argv[1]!, 'reuse', '--restore', folder];
  return restoreTimesSchema.parse(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })));
}

/** Of the first state that was stored. */
async function restoreTimes(modelPath: string, folder: string): Promise<RestoreTimes> {
  const name = readdirSync(folder)
    .filter((one) => one.endsWith('.kv'))
    .sort((a, b) => statSync(join(folder, a)).birthtimeMs - statSync(join(folder, b)).birthtimeMs)[0]!;
  const path = join(folder, name);
  const engine = loadEngine(modelPath, 'cpu');
  const opened = engine.open(2048, 1100);
  const { open } = createReadingStores(console.error);
  const store = open({ path: folder, capBytes });
  const measure = async (prepare: () => void): Promise<RestoreTime> => {
    const [restoring, reading]: [number[], number[]] = [[], []];
    for (let round = 0; round < restoreRounds; round++) {
      prepare();
      const begin = performance.now();
      const bytes = readFileSync(path);
      reading.push(performance.now() - begin);
      if (bytes.length === 0) throw new Error('an empty state');
      prepare();
      const restoreBegin = performance.now();
      const stored = await store.read(name);
      const held = stored === null ? 'gone' : restoreReading(opened, stored, name.replace('.kv', ''));
      restoring.push(performance.now() - restoreBegin);
      if (typeof held === 'string') throw new Error(held);
    }
    return { restoring: median(restoring), reading: median(reading) };
  };
  try {
    return {
      bytes: statSync(path).size,
      fromDisk: await measure(() => dropFromMemory(path)),
      fromMemory: await measure(() => undefined),
    };
  } finally {
    engine.dispose();
  }
}

/** posix_fadvise with POSIX_FADV_DONTNEED; another program would do it too, but starting one slows what is measured. */
function dropFromMemory(path: string): void {
  const advise = koffi
    .load('libc.so.6')
    .func('int posix_fadvise(int fd, int64 offset, int64 length, int advice)');
  const file = openSync(path, 'r');
  try {
    const failure: unknown = advise(file, 0, 0, 4);
    if (failure !== 0) throw new Error(`posix_fadvise failed: ${String(failure)}`);
  } finally {
    closeSync(file);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function rounded({ restoring, reading }: RestoreTime): RestoreTime {
  return { restoring: round(restoring), reading: round(reading) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
