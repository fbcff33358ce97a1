/** How likely the right answer is after a reading: negative log likelihood per token, by the product's own steps. */
import { compress, type CompressedCache } from '../../extension/engine/compression/compress.ts';
import { presetOptions, type CompressionOptions } from '../../extension/engine/compression/options.ts';
import { tokenizePassages, type DocumentTokens } from '../../extension/engine/documentTokens.ts';
import { decodeSuffix } from '../../extension/engine/finalAttention.ts';
import { LoadedEngine, type OpenedContext } from '../../extension/engine/loadedEngine.ts';
import { buildPrompt } from '../../extension/engine/prompt.ts';
import { evidenceHeadsOf } from '../../extension/models/evidenceHeads.ts';
import { readGgufHeader } from '../../extension/models/ggufFile.ts';
import type { DeviceName, KvCacheType } from '../../extension/protocol/engine.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import type { Fact } from './facts.ts';

/** Tokens of the longest answer, its lead included, whose likelihood is taken. */
const maxAnswerTokens = 64;

/** A document in the cache, of which several questions can be asked. */
export interface Reading {
  readonly opened: OpenedContext;
  readonly cache: CompressedCache;
  readonly document: DocumentTokens;
  readonly keptTokens: number;
}

export interface Likelihood {
  /** Mean negative log likelihood of the answer's tokens, nats. */
  readonly nll: number;
  /** See `FinalAttention`. */
  readonly focus: number | null;
}

/** The engine with the evidence heads that its model's file is known for. */
export function loadEngine(
  modelPath: string,
  device: DeviceName,
  kvCacheType: KvCacheType = 'f16',
): LoadedEngine {
  const { metadata } = readGgufHeader(modelPath);
  const text = (key: string): string | null => {
    const value = metadata.get(key);
    return typeof value === 'string' ? value : null;
  };
  const heads = evidenceHeadsOf(text('general.basename'), text('general.size_label'));
  return new LoadedEngine(
    modelPath,
    { device, kvCacheType },
    heads?.map(([layer, head]) => ({ layer, head })) ?? null,
  );
}

/** Reads the passages under the question with the options; without options uncompressed. */
export async function read(
  engine: LoadedEngine,
  passages: readonly Passage[],
  question: string,
  given?: CompressionOptions,
): Promise<Reading> {
  const document = tokenizePassages(engine.model, passages);
  const prompt = buildPrompt(engine.model, question);
  const documentTokens = document.tokens.length;
  const options = given ?? presetOptions('perHead', Math.max(1, documentTokens), null);
  const { prefix, scoring, contentFree, suffix } = prompt;
  const rows = prefix.length + Math.min(documentTokens, options.tokenBudget + options.chunkTokens);
  const behind = Math.max(scoring.length, contentFree.length, suffix.length + maxAnswerTokens);
  const opened = engine.open(rows + behind, rows, maxAnswerTokens);
  const cache = await compress(
    opened.context,
    opened.operations,
    { prefix, document, question: scoring, contentFree },
    options,
    {
      signal: neverAborted,
      pace: engine.pace,
    },
  );
  return { opened, cache, document, keptTokens: opened.context.length - prefix.length };
}

/** The likelihood of the answer, behind its lead, to the question after the reading, which is left as it was. */
export async function likelihoodOf(
  engine: LoadedEngine,
  reading: Reading,
  { question, lead, answer }: Pick<Fact, 'question' | 'lead' | 'answer'>,
): Promise<Likelihood> {
  const { answers, focus } = await likelihoodsOf(engine, reading, { question, lead }, [answer]);
  return { nll: answers[0]!.nll, focus };
}

export interface AnswerLikelihood extends Pick<Likelihood, 'nll'> {
  /** Whether greedy generation writes just this. */
  readonly greedy: boolean;
}

export interface AnswersLikelihood extends Pick<Likelihood, 'focus'> {
  /** One for each answer. */
  readonly answers: readonly AnswerLikelihood[];
  /** What follows the document until the answer can begin. */
  readonly suffixSeconds: number;
}

/** As `likelihoodOf`, of several answers behind one lead. */
export async function likelihoodsOf(
  engine: LoadedEngine,
  { opened, cache, document }: Reading,
  { question, lead }: Pick<Fact, 'question' | 'lead'>,
  answers: readonly string[],
): Promise<AnswersLikelihood> {
  const { context } = opened;
  const begin = performance.now();
  const cells = context.length;
  const prompt = buildPrompt(engine.model, question);
  const { focus } = await decodeSuffix(engine, opened, cache, document, prompt, neverAborted);
  const suffixSeconds = (performance.now() - begin) / 1000;
  const asked = context.length;
  const given = engine.model.tokenize(lead, { special: false });
  const measured = answers.map((answer) => {
    const counted = engine.model.tokenize(answer, { special: false });
    context.truncate(asked);
    context.decode([...given, ...counted.slice(0, -1)], { logits: 'all' });
    const steps = counted.map((token, i) => stepOf(context.logits(given.length - 1 + i), token));
    return {
      nll: steps.reduce((sum, step) => sum + step.nll, 0) / counted.length,
      greedy: steps.every((step) => step.greedy),
    };
  });
  context.truncate(cells);
  return { answers: measured, focus, suffixSeconds };
}

export const neverAborted = new AbortController().signal;

function stepOf(logits: Float32Array, token: number): AnswerLikelihood {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const all = logits.reduce((sum, value) => sum + Math.exp(value - max), 0);
  return { nll: max + Math.log(all) - logits[token]!, greedy: logits[token] === max };
}
