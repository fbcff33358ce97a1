/**
 * `npm run bench -- reuse`: what is saved by keeping readings. A real package is asked, asked on, and asked again after
 * a restart, through the same steps as in the product; all times are of one run.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { ask, type AskRequest } from '../../extension/ask.ts';
import { createReadingStores } from '../../extension/engine/kvState/readingStore.ts';
import { restoreReading } from '../../extension/engine/kvState/readingState.ts';
import { bundledEngine } from '../../extension/engineClient/bundledEngine.ts';
import { startEngine, type EngineClient } from '../../extension/engineClient/engineClient.ts';
import { readGrammarFile } from '../../extension/grammarFiles.ts';
import type { CompletedAnswer } from '../../extension/protocol/answerEvents.ts';
import type { ReadingRecord } from '../../extension/protocol/conversation.ts';
import { resolveModel } from '../../extension/models/findModel.ts';
import { createGrammars } from '../../extension/retrieval/syntax.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { loadEngine } from './likelihood.ts';

const resultsPath = 'test/bench/results/reuse.json';
const packageName = 'mocha';
const question = 'How are the tests of a suite run one after the other?';
const followUp = 'What happens when a hook of the suite fails?';
const capBytes = 10e9;
const restoreRounds = 9;

export async function reuseBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { tokens: { type: 'string', default: '61000' } },
  });
  const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
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
      preset: 'default',
    },
    ...{
      readingLimit: Number(values.tokens),
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
    await engine.dispose();

    const { milliseconds, plain, bytes } = await restoreTimes(modelPath, states.path);
    const share = (seconds: number): number => seconds / first.seconds;
    const measured = [
      {
        name: 'follow-up, first token, share of the first question',
        wanted: 0.02,
        measured: share(next.seconds),
      },
      { name: 'the same after a restart', wanted: 0.02, measured: share(restored.seconds) },
      { name: 'the same question again', wanted: 0.02, measured: share(same.seconds) },
      { name: 'restoring a state, times a plain read', wanted: 3, measured: milliseconds / plain },
    ];
    for (const { answer } of [next, restored, same]) {
      if (answer.statistics.reused !== 'state') throw new Error('it was read again');
    }
    const settings = {
      ...{ package: packageName, documentTokens: first.answer.statistics.documentTokens, stateBytes: bytes },
      ...{ firstQuestionSeconds: round(first.seconds), followUpSeconds: round(next.seconds) },
      ...{ restartedSeconds: round(restored.seconds), sameQuestionSeconds: round(same.seconds) },
      ...{ restoreMilliseconds: round(milliseconds), plainReadMilliseconds: round(plain) },
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
    rmSync(states.path, { recursive: true, force: true });
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
  const events = ask(
    request,
    {
      findFiles,
      readDocuments: readSourceDocuments,
      grammars: createGrammars(readGrammarFile),
      resolveModel,
      engine: () => Promise.resolve(engine),
    },
    new AbortController().signal,
  );
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

/** Of the stored state: milliseconds to restore it, and to read its file; medians of rounds that alternate. */
async function restoreTimes(
  modelPath: string,
  folder: string,
): Promise<{ milliseconds: number; plain: number; bytes: number }> {
  const name = readdirSync(folder).find((one) => one.endsWith('.kv'))!;
  const path = join(folder, name);
  const engine = loadEngine(modelPath, 'cpu');
  const opened = engine.open(2048, 1100);
  const { open } = createReadingStores(console.error);
  const store = open({ path: folder, capBytes });
  const restoring: number[] = [];
  const reading: number[] = [];
  try {
    for (let round = 0; round < restoreRounds; round++) {
      const begin = performance.now();
      const bytes = readFileSync(path);
      reading.push(performance.now() - begin);
      if (bytes.length === 0) throw new Error('an empty state');
      const restoreBegin = performance.now();
      const stored = await store.read(name);
      const held = stored === null ? 'gone' : restoreReading(opened, stored, name.replace('.kv', ''));
      restoring.push(performance.now() - restoreBegin);
      if (typeof held === 'string') throw new Error(held);
    }
  } finally {
    engine.dispose();
  }
  return { milliseconds: median(restoring), plain: median(reading), bytes: statSync(path).size };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
