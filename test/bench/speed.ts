/**
 * What the compression costs and saves: reading and generating by the engine over the same by a plain user of the
 * same libraries, without callback, compression or short batches. All in one run, taken in turns, so that a machine
 * that is busy for a while slows both.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compress, type CompressedCache } from '../../extension/engine/compression/compress.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import { tokenizePassages, type DocumentTokens } from '../../extension/engine/documentTokens.ts';
import { generate } from '../../extension/engine/generate.ts';
import { LlamaContext, maxBatchTokens } from '../../extension/engine/llama/llamaContext.ts';
import { Sampler } from '../../extension/engine/llama/sampler.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { buildPrompt } from '../../extension/engine/prompt.ts';
import { decodeQuestion } from '../../extension/engine/queries.ts';
import type { DeviceName } from '../../extension/protocol/engine.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { errors } from '../../extension/errors.ts';
import { findFiles } from '../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocuments } from '../../extension/workspace/readSourceDocument.ts';
import { memoryBandwidth } from './bandwidth.ts';
import { loadEngine, neverAborted } from './likelihood.ts';
import { peakOf, tellPeak } from './peak.ts';
import { productModel } from './productModel.ts';
import { measureQuoting, tokensFrom, type Quoting } from './quoting.ts';

/** All in tokens. */
const tokenBudget = 512;
const questionTokens = 24;
const answerTokens = 64;
/** Of what is quoted. */
const quotedTokens = 8_400;
/** An answer that quotes is drafted to half at least. */
const quotingShare = 0.5;
/** The most that reading may take, over plain reading, from so many tokens on. */
const wantedReading = [
  { from: 0, atMost: 1.03 },
  { from: 7_000, atMost: 0.75 },
  { from: 32_000, atMost: 0.3 },
];
/** Of generating on the compressed cache over plain generating with as many cells. */
const wantedGeneration = 1.05;
/** The same where the answer quotes: at least 1.3 times as fast. */
const wantedQuoting = 1 / 1.3;
/** Where two logits differ by less, the rounding of a batch may decide. */
const roundingGap = 0.01;
/** Both in 16 bits. */
const bytesOfKeyAndValue = 4;
/** Share of scoring and eviction in the time of reading. */
const wantedCompressionShare = 0.08;
/** Of the largest memory of a process that reads so many tokens, over that of one that reads them plain. */
const wantedPeak = 1;
const peakTokens = 4_000;

export const usage = `npm run bench -- speed [options]
  --device NAME   cpu (the default), vulkan, cuda, metal or auto
  --model PATH    a GGUF file; the default model when absent
  --readings N,…  document tokens of each reading; 2000,7000 by default, to which 32000 adds half an hour
  --rounds N      how often each is measured, of which the median counts; 5 by default
  --rounds-beyond N  the same of readings that the window does not hold; as many by default
  --output FILE   where the figures are written as JSON; test/bench/results/speed.json by default`;

interface Measured {
  readonly name: string;
  readonly wanted: number;
  readonly measured: number;
  /** Of a reading. */
  readonly rounds?: number;
  /** Median milliseconds per token of the engine and of plain llama.cpp; absent for a share. */
  readonly millisecondsPerToken?: { readonly engine: number; readonly plain: number };
  /** The bytes that a token has to move, over the bandwidth of the memory; where that bounds it. */
  readonly limitMilliseconds?: number;
  readonly megabytes?: { readonly engine: number; readonly plain: number };
}

/** Prints a table of what is wanted and what was measured, and writes it as JSON. */
export async function speedBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      device: { type: 'string', default: 'cpu' },
      model: { type: 'string' },
      readings: { type: 'string', default: '2000,7000' },
      rounds: { type: 'string', default: '5' },
      'rounds-beyond': { type: 'string' },
      output: { type: 'string', default: join(repository, 'test/bench/results/speed.json') },
      peak: { type: 'string' },
    },
  });
  const { path, name } = await productModel(values.model, deviceOf(values.device));
  const engine = loadEngine(path, deviceOf(values.device));
  try {
    if (values.peak !== undefined) {
      await readOnce(engine, values.peak, Number(values.readings));
      tellPeak();
      return;
    }
    const bandwidth = memoryBandwidth(engine);
    const readings = values.readings.split(',').map(Number);
    const rounds = Number(values.rounds);
    const roundsOf = (documentTokens: number): number =>
      documentTokens > engine.model.contextWindow ? Number(values['rounds-beyond'] ?? rounds) : rounds;
    const measured = [
      ...(await measure(engine, readings, roundsOf, bandwidth)),
      peakMemory(['--device', values.device, '--model', path, '--readings', String(peakTokens)]),
    ];
    const report = {
      date: new Date().toISOString().slice(0, 10),
      model: name,
      device:
        engine.offloadedLayers > 0
          ? engine.deviceName
          : `${cpus()[0]?.model ?? 'CPU'}, ${cpus().length} cores`,
      system: `${platform()} ${arch()}, Node ${process.version}`,
      memoryGigabytesPerSecond: Number((bandwidth / 1e9).toFixed(1)),
      rounds,
      settings: { tokenBudget, chunkTokens: optionsFor(engine).chunkTokens, questionTokens, answerTokens },
      measured,
    };
    print(report, measured);
    mkdirSync(dirname(values.output), { recursive: true });
    writeFileSync(values.output, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    engine.dispose();
  }
}

async function measure(
  engine: LoadedEngine,
  readings: readonly number[],
  roundsOf: (documentTokens: number) => number,
  bandwidth: number,
): Promise<Measured[]> {
  const longest = Math.max(...readings);
  const document = await ownSources(engine, longest);
  // Beyond the model's window what it reads means nothing, and the time is that of reading all the same.
  const contextSize = Math.max(engine.model.contextWindow, longest + maxBatchTokens);
  const plain = new LlamaContext(engine.model, { contextSize, probe: false });
  try {
    const taken = readings.map(() => ({
      engine: [] as number[],
      plain: [] as number[],
      share: [] as number[],
    }));
    const generating = { engine: [] as number[], plain: [] as number[] };
    const quoting = await measureQuoting(engine, await ownSources(engine, quotedTokens));
    let moved = 0;
    const prompt = buildPrompt(engine.model, question);
    const rounds = Math.max(...readings.map(roundsOf));
    for (let round = 0; round < rounds; round++) {
      for (const [index, documentTokens] of readings.entries()) {
        if (round >= roundsOf(documentTokens)) continue;
        const part = tokensFrom(document, 0, documentTokens);
        const { seconds, context } = await readCompressed(engine, part);
        taken[index]!.engine.push(seconds.all);
        taken[index]!.share.push((seconds.score + seconds.evict) / seconds.all);
        taken[index]!.plain.push(readPlain(plain, [...prompt.prefix, ...part.tokens]));

        await decodeQuestion(context, prompt.suffix.slice(0, -1), new Set(), {
          pace: engine.pace,
          signal: neverAborted,
        });
        const cells = context.length + 1;
        moved = bytesOfToken(engine, context, cells);
        generating.engine.push(await generateByEngine(context, prompt.suffix.slice(-1)));
        generating.plain.push(generatePlain(plain, cells, prompt.suffix.slice(-1)));
      }
      console.log(`round ${round + 1} of ${rounds}`);
    }
    return [
      ...readings.map((documentTokens, index) => ({
        name: `reading ${documentTokens} tokens`,
        rounds: roundsOf(documentTokens),
        wanted: wantedReading.findLast(({ from }) => documentTokens >= from)!.atMost,
        ...ratio(taken[index]!, documentTokens),
      })),
      ...quotingOf(quoting),
      {
        name: `generating ${answerTokens} tokens`,
        wanted: wantedGeneration,
        ...ratio(generating, 1),
        limitMilliseconds: Number(((1000 * moved) / bandwidth).toFixed(3)),
      },
      {
        name: 'scoring and eviction, share of reading',
        wanted: wantedCompressionShare,
        measured: Math.max(...taken.map(({ share }) => median(share))),
      },
    ];
  } finally {
    plain.dispose();
  }
}

/** What one token reads: all weights, and the keys and values of the cells before it. */
function bytesOfToken({ model }: LoadedEngine, context: LlamaContext, cells: number): number {
  const rows = context.layouts().reduce((sum, { headDim, kvHeads }) => sum + headDim * kvHeads, 0);
  return model.bytes + cells * rows * bytesOfKeyAndValue;
}

function peakMemory(args: readonly string[]): Measured {
  const megabytes = {
    engine: Math.round(peakOf('speed', 'engine', args) / 1e6),
    plain: Math.round(peakOf('speed', 'plain', args) / 1e6),
  };
  const measured = Number((megabytes.engine / megabytes.plain).toFixed(3));
  return { name: `peak memory, ${peakTokens} tokens read`, wanted: wantedPeak, measured, megabytes };
}

/** In a process of which the memory is measured. */
async function readOnce(engine: LoadedEngine, way: string, tokens: number): Promise<void> {
  const document = await ownSources(engine, tokens);
  if (way === 'engine') {
    await readCompressed(engine, document);
    return;
  }
  const plain = new LlamaContext(engine.model, { contextSize: tokens + maxBatchTokens, probe: false });
  readPlain(plain, document.tokens);
  plain.dispose();
}

/** Of the medians over the answers that quote, and over the others; tells on the console where texts part. */
function quotingOf(quoting: readonly Quoting[]): Measured[] {
  const gaps = quoting.flatMap(({ gap }) => gap ?? []);
  const wide = gaps.filter((gap) => gap >= roundingGap);
  console.log(
    `${quoting.length} quotes; ${gaps.length} texts part, ${wide.length} of them where the logits differ by ${roundingGap} or more` +
      (wide.length === 0 ? '' : ` (${wide.map((gap) => gap.toFixed(3)).join(', ')})`),
  );
  const rowOf = (name: string, wanted: number, isIn: (quote: Quoting) => boolean): Measured[] => {
    const some = quoting.filter(isIn);
    if (some.length === 0) return [];
    const share = median(some.map((one) => one.share));
    const times = { engine: some.map(({ drafted }) => drafted), plain: some.map(({ plain }) => plain) };
    return [
      { name: `${some.length} ${name}, ${(100 * share).toFixed(0)} % drafted`, wanted, ...ratio(times, 1) },
    ];
  };
  return [
    ...rowOf('answers that quote', wantedQuoting, ({ share }) => share >= quotingShare),
    ...rowOf('answers that quote less', wantedGeneration, ({ share }) => share < quotingShare),
  ];
}

const question =
  'How does the compression decide which tokens of the document stay in the cache, and when is a kept key rotated?';

/** The sources of this checkout as one document of so many tokens. */
async function ownSources(engine: LoadedEngine, tokens: number): Promise<DocumentTokens> {
  const rootPath = join(repository, 'extension');
  const { files } = await findFiles([{ name: 'extension', rootPath }], { signal: neverAborted });
  const passages: Passage[] = [];
  for await (const document of readSourceDocuments(files, { signal: neverAborted })) {
    if (isSkipped(document)) continue;
    passages.push({ ...document, startLine: 1, endLine: document.text.split('\n').length });
  }
  const all = tokenizePassages(engine.model, passages);
  if (all.tokens.length < tokens)
    throw new Error(`${rootPath} has ${all.tokens.length} tokens, not ${tokens}`);
  return tokensFrom(all, 0, tokens);
}

function optionsFor(engine: LoadedEngine) {
  return presetOptions('default', tokenBudget, engine.evidenceHeads);
}

interface CompressedReading {
  readonly seconds: CompressedCache['seconds'] & { readonly all: number };
  readonly context: LlamaContext;
}

async function readCompressed(engine: LoadedEngine, document: DocumentTokens): Promise<CompressedReading> {
  const { prefix, scoring, contentFree } = buildPrompt(engine.model, question);
  const asked = scoring.slice(0, questionTokens);
  const options = optionsFor(engine);
  const rows = prefix.length + tokenBudget + options.chunkTokens;
  const { context, operations } = engine.open(rows + scoring.length + answerTokens, rows);
  const begin = performance.now();
  const input = { prefix, document, question: asked, contentFree };
  const hooks = { signal: neverAborted, pace: engine.pace };
  const { seconds } = await compress(context, operations, input, options, hooks);
  return { seconds: { ...seconds, all: secondsSince(begin) }, context };
}

function readPlain(plain: LlamaContext, tokens: readonly Token[]): number {
  plain.clear();
  const begin = performance.now();
  for (let start = 0; start < tokens.length; start += maxBatchTokens) {
    plain.decode(tokens.slice(start, start + maxBatchTokens), { logits: 'none' });
  }
  return secondsSince(begin);
}

/** Seconds per generated token, what the engine does for each included. */
async function generateByEngine(context: LlamaContext, last: readonly Token[]): Promise<number> {
  context.decode(last, { logits: 'last' });
  const options = { maxAnswerTokens: answerTokens, temperature: 0, seed: 1, read: [], draftCosts: [] };
  const { tokens, seconds } = await generate(context, options, {
    signal: neverAborted,
    onText: () => undefined,
  });
  if (tokens.length < answerTokens / 4)
    throw new Error(`The model ended its answer after ${tokens.length} tokens`);
  return seconds / tokens.length;
}

/** Seconds per generated token, by the least that a program has to do. The cache is cut to `cells` first. */
function generatePlain(plain: LlamaContext, cells: number, last: readonly Token[]): number {
  plain.truncate(cells - 1);
  plain.decode(last, { logits: 'last' });
  const sampler = new Sampler(plain.model, { temperature: 0, seed: 1 });
  try {
    const begin = performance.now();
    for (let token = 1; token < answerTokens; token++)
      plain.decode([sampler.sample(plain)], { logits: 'last' });
    sampler.sample(plain);
    return secondsSince(begin) / answerTokens;
  } finally {
    sampler.dispose();
  }
}

/** @param tokens to which each time belongs */
function ratio(
  times: { readonly engine: readonly number[]; readonly plain: readonly number[] },
  tokens: number,
) {
  const [engine, plain] = [median(times.engine), median(times.plain)];
  const perToken = (seconds: number): number => Number(((seconds * 1000) / tokens).toFixed(3));
  return {
    measured: Number(median(times.engine.map((seconds, round) => seconds / times.plain[round]!)).toFixed(3)),
    millisecondsPerToken: { engine: perToken(engine), plain: perToken(plain) },
  };
}

function print(report: object, measured: readonly Measured[]): void {
  for (const [name, value] of Object.entries(report)) {
    if (name !== 'measured')
      console.log(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  }
  const row = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(40) : cell.padStart(10))).join('');
  console.log(row(['', 'at most', 'measured', 'ms/token', 'plain', 'limit']));
  for (const { name, wanted, measured: value, millisecondsPerToken: ms, ...more } of measured) {
    const times = ms === undefined ? ['', ''] : [ms.engine.toFixed(2), ms.plain.toFixed(2)];
    if (more.limitMilliseconds !== undefined) times.push(more.limitMilliseconds.toFixed(2));
    if (more.megabytes !== undefined)
      times.splice(0, 2, `${more.megabytes.engine} MB`, `${more.megabytes.plain} MB`);
    console.log(row([name, wanted.toFixed(2), value.toFixed(3), ...times]), value > wanted ? ' MISSED' : '');
  }
}

function deviceOf(name: string): DeviceName {
  const device = (['cpu', 'vulkan', 'cuda', 'metal', 'auto'] as const).find((known) => known === name);
  if (device === undefined)
    throw errors.badArgument('--device', `takes cpu, vulkan, cuda, metal or auto, not "${name}"`);
  return device;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1000;
}

/** The bundle lies in dist/. */
const repository = fileURLToPath(new URL('..', import.meta.url));
