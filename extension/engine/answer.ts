/** One question in the engine: passages in, answer out. The function to read first in this folder. */
import { errors, isAskError } from '../errors.ts';
import type {
  AskParams,
  AskResult,
  EngineNotice,
  EngineProgress,
  FindReadingParams,
} from '../protocol/engine.ts';
import type { Passage } from '../protocol/nouns.ts';
import { citationsOf } from './citations.ts';
import { presetOptions, type CompressionOptions } from './compression/options.ts';
import { tokenizePassages, type DocumentTokens } from './documentTokens.ts';
import { weighEvidence } from './evidence.ts';
import type { CompressionInput } from './compression/compress.ts';
import { maxDraftTokens } from './draft.ts';
import { decodeSuffix } from './finalAttention.ts';
import { notHeldFocus, thinEvidenceFocus } from './focusLimits.ts';
import { generate } from './generate.ts';
import type { ReadingStore } from './kvState/readingStore.ts';
import type { LoadedEngine, OpenedContext } from './loadedEngine.ts';
import { buildPrompt, scoringTokensOf, type Prompt } from './prompt.ts';
import { isRead, readOnce } from './reading.ts';
import { peakResidentBytes } from './peakMemory.ts';

export interface AnswerHooks {
  readonly signal: AbortSignal;
  progress(progress: Omit<EngineProgress, 'requestId'>): void;
  text(text: string): void;
}

/** The shortest chunk that is worth an eviction, tokens. */
const minChunkTokens = 64;

/**
 * Reads the passages under the question, compressed, and answers. What was read so before is not read again.
 * @param store null: nothing is taken from the disk or left there
 * @throws errors.questionTooLong, errors.tokenBudgetTooLarge, errors.cancelled, errors.decodeFailed,
 *   errors.notEnoughMemory
 */
export async function answer(
  engine: LoadedEngine,
  params: AskParams,
  hooks: AnswerHooks,
  store: ReadingStore | null = null,
): Promise<AskResult> {
  const { opened, prepared, notices } = openFitting(engine, params);
  const { prompt, input, options, maxAnswerTokens } = prepared;
  const { document } = input;

  const onlyStored = params.readUnder !== undefined;
  const cache = await readOnce(
    engine,
    opened,
    input,
    options,
    { store, onlyStored },
    {
      signal: hooks.signal,
      pace: engine.pace,
      onRead: readingProgress(document, params.passages, engine, hooks),
    },
  );
  if (cache === null) return { outcome: 'notStored' };
  const keptTokens = opened.context.length - prompt.prefix.length;
  const attention = await decodeSuffix(engine, opened, cache, document, prompt, hooks.signal);

  const dropped = keptTokens < document.tokens.length;
  if (
    onlyStored &&
    dropped &&
    attention.focus !== null &&
    attention.focus < notHeldFocus(keptTokens) * engine.focusScale
  ) {
    return { outcome: 'notHeld', focus: attention.focus };
  }

  const generated = await generate(
    opened.context,
    {
      ...{ maxAnswerTokens, temperature: params.temperature, seed: params.seed },
      ...{ read: document.tokens, draftCosts: engine.draftCosts },
    },
    {
      signal: hooks.signal,
      onText(text, tokens, seconds) {
        hooks.text(text);
        const tokensPerSecond = tokens / Math.max(seconds, 1e-3);
        const secondsLeft = (maxAnswerTokens - tokens) / tokensPerSecond;
        hooks.progress({
          stage: 'answering',
          done: tokens,
          total: maxAnswerTokens,
          tokensPerSecond,
          secondsLeft,
        });
      },
    },
  );

  const evidence = weighEvidence(cache.lists, document, params.passages, attention.byEntry);
  return {
    outcome: 'answered',
    text: generated.text,
    citations: citationsOf(params.answerSoFar + generated.text, params.passages, evidence),
    evidence: evidence.map(({ workspace, path, startLine, endLine, weight }) => ({
      workspace,
      path,
      startLine,
      endLine,
      weight,
    })),
    thinEvidence:
      attention.focus !== null &&
      attention.focus < thinEvidenceFocus(keptTokens, dropped) * engine.focusScale,
    ...(notices.length > 0 ? { notices } : {}),
    stopReason: generated.stopReason,
    statistics: {
      documentTokens: document.tokens.length,
      keptTokens,
      tokenBudget: options.tokenBudget,
      prefillTokens: cache.prefillTokens + attention.prefillTokens,
      prefillSeconds: cache.seconds.prefill,
      scoreSeconds: cache.seconds.score,
      evictSeconds: cache.seconds.evict,
      generatedTokens: generated.tokens.length,
      generateSeconds: generated.seconds,
      kvCacheBytes: kvCacheBytes(opened),
      peakEngineBytes: peakResidentBytes(),
      ...(cache.restoredFrom === null ? { reused: 'none' } : { reused: 'state', readAt: cache.restoredFrom }),
    },
  };
}

/** Whether `answer` with these parameters would find everything read before. */
export async function findReading(
  engine: LoadedEngine,
  params: FindReadingParams,
  store: ReadingStore | null,
): Promise<boolean> {
  const { input, options } = prepare(engine, { ...params, answerSoFar: '' });
  return isRead(engine, input, options, store);
}

/** A context for the question, with a shorter chunk where the memory has no room for the usual one. */
function openFitting(
  engine: LoadedEngine,
  params: AskParams,
): { opened: OpenedContext; prepared: Prepared; notices: EngineNotice[] } {
  const notices: EngineNotice[] = [];
  for (;;) {
    const prepared = prepare(engine, params);
    try {
      return {
        opened: engine.open(prepared.contextSize, prepared.rows, 1 + maxDraftTokens),
        prepared,
        notices,
      };
    } catch (error) {
      const chunkTokens = Math.floor(prepared.options.chunkTokens / 2);
      const shortens = prepared.input.document.tokens.length > prepared.options.tokenBudget;
      if (!isAskError(error, 'notEnoughMemory') || !shortens || chunkTokens < minChunkTokens) throw error;
      engine.chunkTokens = chunkTokens;
      const { template, args } = error;
      notices.splice(0, 1, { kind: 'shorterChunks', chunkTokens, why: { template, args } });
    }
  }
}

interface Prepared extends FittedWindow {
  readonly prompt: Prompt;
  readonly input: CompressionInput;
}

function prepare(engine: LoadedEngine, params: FindReadingParams & Pick<AskParams, 'answerSoFar'>): Prepared {
  const { model } = engine;
  const asked = buildPrompt(model, params.question, params);
  const { readUnder } = params;
  const prompt = readUnder === undefined ? asked : { ...asked, scoring: scoringTokensOf(model, readUnder) };
  const document = tokenizePassages(model, params.passages);
  // Layers with a window would otherwise lose some of the last tokens.
  const tokenBudget = Math.max(params.tokenBudget, ...model.windows.map((window) => window ?? 0));
  const chosen = presetOptions(params.preset, tokenBudget, engine.evidenceHeads);
  const preset = { ...chosen, chunkTokens: Math.min(chosen.chunkTokens, engine.chunkTokens) };
  return {
    prompt,
    input: {
      prefix: prompt.prefix,
      document,
      question: prompt.scoring,
      contentFree: prompt.contentFree,
    },
    ...fitWindow(preset, prompt, document.tokens.length, params.maxAnswerTokens, model.contextWindow),
  };
}

export interface FittedWindow {
  readonly options: CompressionOptions;
  /** Cells of the KV cache. */
  readonly contextSize: number;
  /** What the cache holds at most before a question is decoded behind it. */
  readonly rows: number;
  readonly maxAnswerTokens: number;
}

/**
 * What fits the model's window: a shorter chunk first, then a shorter answer, down to the least of each.
 * @throws errors.questionTooLong when the question leaves no room, errors.tokenBudgetTooLarge when the budget alone does not fit
 */
export function fitWindow(
  preset: CompressionOptions,
  prompt: Prompt,
  documentTokens: number,
  wantedAnswerTokens: number,
  window: number,
): FittedWindow {
  const { tokenBudget } = preset;
  const kept = Math.min(tokenBudget, documentTokens);
  const afterDocument = prompt.history.length + prompt.suffix.length + prompt.begun.length;
  const afterReading = prompt.prefix.length + kept + afterDocument;
  const minAnswerTokens = Math.min(wantedAnswerTokens, 32);
  if (prompt.prefix.length + tokenBudget + minChunkTokens > window) {
    throw errors.tokenBudgetTooLarge(tokenBudget, window);
  }
  if (afterReading + minAnswerTokens > window) {
    throw errors.questionTooLong(afterDocument, window - prompt.prefix.length - kept - minAnswerTokens);
  }
  const compressed = documentTokens > tokenBudget;
  const beforeChunk = prompt.prefix.length + (compressed ? tokenBudget : 0);
  const behindChunk = compressed ? Math.max(prompt.scoring.length, prompt.contentFree.length) : 0;
  const chunkRoom = window - beforeChunk - behindChunk;
  if (compressed && chunkRoom < minChunkTokens) throw errors.questionTooLong(prompt.suffix.length, chunkRoom);
  const chunkTokens = compressed
    ? Math.min(preset.chunkTokens, chunkRoom, documentTokens)
    : preset.chunkTokens;
  const maxAnswerTokens = Math.min(wantedAnswerTokens, window - afterReading);
  const rows = compressed ? beforeChunk + chunkTokens : prompt.prefix.length + documentTokens;
  return {
    options: { ...preset, chunkTokens },
    rows,
    contextSize: Math.max(rows + behindChunk, afterReading + maxAnswerTokens),
    maxAnswerTokens,
  };
}

function readingProgress(
  document: DocumentTokens,
  passages: readonly Passage[],
  engine: LoadedEngine,
  hooks: AnswerHooks,
): (read: number) => void {
  const total = document.tokens.length;
  const fileOf = (passage: number): string => `${passages[passage]!.workspace}/${passages[passage]!.path}`;
  const filesTotal = new Set(passages.map((_, index) => fileOf(index))).size;
  const seen = new Set<string>();
  let passagesSeen = 0;
  return (read) => {
    const line = document.lines[document.lineOf[Math.min(read, total - 1)]!]!;
    for (; passagesSeen <= line.passage; passagesSeen++) seen.add(fileOf(passagesSeen));
    const { tokensPerSecond } = engine.pace;
    hooks.progress({
      stage: 'reading',
      done: read,
      total,
      tokensPerSecond,
      secondsLeft: (total - read) / tokensPerSecond,
      path: passages[line.passage]!.path,
      filesDone: seen.size,
      filesTotal,
    });
  };
}

function kvCacheBytes({ context, operations }: OpenedContext): number {
  return context.contextSize * context.cellBytes + operations.firstKeysBytes;
}
