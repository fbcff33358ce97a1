/**
 * One question end to end: the story that every door (terminal, panel, chat) tells.
 *
 * The workspace is walked and ranked by words while the model is fetched and loaded, and then by what is indexed of it;
 * a plan chooses what fits the reading limit; what was chosen is read again, counted by the model's own tokenizer and
 * given to the engine. A follow-up goes on with what was read before, where that is still true and holds what is asked.
 *
 * Longer than other files, so that the whole story and what is asked at its start are read in one place.
 */
import { randomUUID } from 'node:crypto';
import { bothOrNeither } from './bothOrNeither.ts';
import { chooseReading, type ReadingChoice } from './chooseReading.ts';
import { hasSameScope, isUnderQuestion, readPassagesAgain, recordReading } from './earlierReading.ts';
import type { EngineClient } from './engineClient/engineClient.ts';
import { AskError, errors } from './errors.ts';
import { eventStream, progressPace } from './eventStream.ts';
import { chunkedFile, rankByIndex, type ChunkedFile } from './indexedFiles.ts';
import { loadModel } from './loadModel.ts';
import type { resolveModel } from './models/findModel.ts';
import type { AnswerEvent, CompletedAnswer, ReadAgainReason } from './protocol/answerEvents.ts';
import type { Pin, ReadingRecord } from './protocol/conversation.ts';
import type {
  AnsweredResult,
  AskResult,
  BackgroundParams,
  DeviceName,
  KvCacheType,
  EngineNotice,
  FindReadingParams,
  LoadResult,
  PresetName,
  ReadUnder,
  StateFolder,
} from './protocol/engine.ts';
import {
  absentText,
  skipReasonText,
  type Coverage,
  type Passage,
  type SkippedFile,
  type Turn,
} from './protocol/nouns.ts';
import { rankPinsFirst, unreadPin } from './retrieval/pins.ts';
import { steadySpeed } from './steadySpeed.ts';
import { startRanking, type AttentionScores, type RankedPassage } from './retrieval/ranking.ts';
import type { Grammars } from './retrieval/syntax.ts';
import type { findFiles, FoundFile, WorkspaceFolder } from './workspace/findFiles.ts';
import { isSkipped, type readSourceDocuments } from './workspace/readSourceDocument.ts';

/** Seconds of reading that the default limit allows, and beyond which a reading is announced as slow. */
export const patienceSeconds = 30;
/** What is read at least by default, tokens: an answer has to rest on something, on a slow machine too. */
export const leastDefaultReading = 3_000;
/**
 * Tokens that are read by default for each token that is kept, at most: of more, compression loses what is asked for
 * rather than what is not (`bench -- quality`, the ways `default` and `allRead`).
 */
export const readPerKept = 8;
/** Characters. Beyond it a file was pasted by mistake; the engine says how many tokens fit the model. */
export const longestQuestion = 100_000;

export interface AskRequest {
  readonly question: string;
  /** Read before everything else, as far as the reading limit allows, and placed next to the question. */
  readonly pins: readonly Pin[];
  /** Earlier questions with their answers, oldest first. */
  readonly history: readonly Turn[];
  /** What the answer has already: it is then continued, and the events' text is only what is new. '' otherwise. */
  readonly answerSoFar: string;
  /** What was read for an earlier answer, which this one goes on with. */
  readonly continueOn?: ReadingRecord;
  /** Where readings are kept on the disk; absent: none is. */
  readonly states?: StateFolder;
  readonly folders: readonly WorkspaceFolder[];
  /** Name in the catalogue or path of a GGUF file; the default model when absent. */
  readonly model?: string;
  readonly device: DeviceName;
  readonly kvCacheType: KvCacheType;
  readonly preset: PresetName;
  /** Tokens of source; from the measured speed when absent. */
  readonly readingLimit?: number | 'all';
  readonly tokenBudget: number;
  readonly maxAnswerTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
  /** Gives way to every other question, and says nothing before its answer. */
  readonly background?: true;
}

/** What differs between the doors, and what a test breaks. */
export interface AskParts {
  readonly findFiles: typeof findFiles;
  readonly readDocuments: typeof readSourceDocuments;
  readonly grammars: Grammars;
  readonly resolveModel: typeof resolveModel;
  /** A running engine, started when first asked for. The door owns it and ends it. */
  readonly engine: () => Promise<AskEngine>;
  /**
   * Asked before a reading that takes long, where a smaller one would take less; without it everything planned is read.
   * `smaller` reads what is read by default.
   */
  readonly confirmReading?: (plan: PlannedReading, signal: AbortSignal) => Promise<'planned' | 'smaller'>;
}

export interface PlannedReading extends ReadingEstimate {
  /** At most. */
  readonly smaller: ReadingEstimate;
}

export interface ReadingEstimate {
  readonly tokens: number;
  readonly seconds: number;
}

export type AskEngine = Pick<EngineClient, 'request' | 'onProgress' | 'onText'>;

/**
 * Answers one question. Events come as they happen; the last one is the answer. Leaving the loop early, or aborting
 * the signal, stops all work before this returns.
 * @throws AskError of any reason; `cancelled` once the signal is aborted
 */
export async function* ask(
  request: AskRequest,
  parts: AskParts,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent, void, undefined> {
  const left = new AbortController();
  const anySignal = AbortSignal.any([signal, left.signal]);
  const events = eventStream<AnswerEvent>();
  const work = answerQuestion(request, parts, progressPace(events.push), anySignal)
    .then(events.push)
    .catch((error: unknown) => {
      throw whatTheUserMeets(error, signal);
    })
    .finally(events.end);
  try {
    yield* events.drain();
    await work;
  } finally {
    left.abort();
    await work.catch(() => undefined);
  }
}

type Emit = (event: AnswerEvent) => void;

async function answerQuestion(
  request: AskRequest,
  parts: AskParts,
  emit: Emit,
  signal: AbortSignal,
): Promise<CompletedAnswer> {
  checkQuestion(request.question);
  const { continueOn } = request;
  if (continueOn !== undefined && hasSameScope(request, continueOn)) {
    const answer = await answerFromEarlier(request, continueOn, parts, emit, signal);
    if ('event' in answer) return answer;
    emit({ event: 'readAgain', why: answer });
  }
  return answerFromWorkspace(request, parts, emit, signal);
}

/** The workspace is found, ranked and read under the question. */
async function answerFromWorkspace(
  request: AskRequest,
  parts: AskParts,
  emit: Emit,
  signal: AbortSignal,
): Promise<CompletedAnswer> {
  const [workspace, model] = await bothOrNeither(
    signal,
    (signal) => rankWorkspace(request, parts, emit, signal),
    (signal) => loadModel(request, parts, emit, signal),
  );
  const { engine, loaded } = model;
  tellNotices(loaded.notices, emit);

  const reading = await confirmedReading(request, parts, workspace, model, signal);
  const skipped = [...workspace.skipped, ...reading.skipped];
  const record = recordReading(request, reading, { filesFound: workspace.filesFound, skipped });
  const estimatedSeconds = reading.stored ? 0 : reading.tokens / loaded.prefillTokensPerSecond;
  emit({
    event: 'plan',
    documentTokens: reading.tokens,
    filesToRead: reading.filesRead,
    everything: reading.everything,
    estimatedSeconds,
    slow: estimatedSeconds > patienceSeconds,
    stored: reading.stored,
    reading: record,
  });
  const result = await askEngine(engine, request, reading.passages, undefined, emit, signal);
  if (result.outcome !== 'answered')
    throw errors.internal(`the engine read nothing: ${result.outcome}`, result);
  const answer = completed(result, record.coverage);
  if (!reading.byIndex || answer.statistics.reused !== 'none') return answer;
  return { ...answer, statistics: { ...answer.statistics, reused: 'index' } };
}

/**
 * The same passages as for an earlier answer, if their files are unchanged. Another question than the one that they
 * were read under is answered only from what is kept of them.
 */
async function answerFromEarlier(
  request: AskRequest,
  record: ReadingRecord,
  parts: AskParts,
  emit: Emit,
  signal: AbortSignal,
): Promise<CompletedAnswer | ReadAgainReason> {
  const [{ passages, changed }, { engine }] = await bothOrNeither(
    signal,
    (signal) => readPassagesAgain(record, request.folders, parts.readDocuments, signal),
    (signal) => loadModel(request, parts, emit, signal),
  );
  if (changed.length > 0) return { reason: 'filesChanged', files: changed.length };
  const { question, previousQuestion } = record;
  const readUnder = isUnderQuestion(request, record)
    ? undefined
    : { question, ...(previousQuestion === undefined ? {} : { previousQuestion }) };
  const result = await askEngine(engine, request, passages, readUnder, emit, signal);
  return result.outcome === 'answered' ? completed(result, record.coverage) : { reason: result.outcome };
}

async function askEngine(
  engine: AskEngine,
  request: AskRequest,
  passages: readonly Passage[],
  readUnder: ReadUnder | undefined,
  emit: Emit,
  signal: AbortSignal,
): Promise<AskResult> {
  const requestId = randomUUID();
  const stopListening = [
    engine.onProgress(({ requestId: id, ...progress }) => {
      if (id === requestId) emit({ event: 'progress', ...progress });
    }),
    engine.onText(({ requestId: id, text }) => {
      if (id === requestId) emit({ event: 'text', text });
    }),
  ];
  const { answerSoFar, temperature, seed } = request;
  try {
    const result = await engine.request(
      'ask',
      { requestId, answerSoFar, temperature, seed, ...readingParams(request, passages, readUnder) },
      signal,
    );
    if (result.outcome === 'answered') tellNotices(result.notices ?? [], emit);
    return result;
  } finally {
    for (const stop of stopListening) stop();
  }
}

function tellNotices(notices: readonly EngineNotice[], emit: Emit): void {
  for (const notice of notices) emit({ event: 'notice', notice });
}

/** What the engine's work before the answer depends on. */
function readingParams(
  request: AskRequest,
  passages: readonly Passage[],
  readUnder?: ReadUnder,
): FindReadingParams {
  const { question, history, preset, tokenBudget, maxAnswerTokens, states } = request;
  return {
    ...{ question, history, preset, tokenBudget, maxAnswerTokens, passages },
    ...inBackground(request),
    ...(states === undefined ? {} : { states }),
    ...(readUnder === undefined ? {} : { readUnder }),
  };
}

function inBackground({ background }: AskRequest): BackgroundParams {
  return background === true ? { background } : {};
}

function completed(result: AnsweredResult, coverage: Coverage): CompletedAnswer {
  const { text, citations, evidence, thinEvidence, statistics } = result;
  return { event: 'answer', text, citations, evidence, thinEvidence, coverage, statistics };
}

function checkQuestion(question: string): void {
  if (question.trim() === '') throw errors.questionMissing();
  if (question.length > longestQuestion) {
    throw errors.questionTooManyCharacters(question.length, longestQuestion);
  }
}

interface RankedWorkspace {
  /** Every passage, best first, pinned ones before all others. */
  readonly rank: (attention?: AttentionScores) => readonly RankedPassage[];
  readonly chunked: readonly ChunkedFile[];
  readonly files: readonly FoundFile[];
  readonly skipped: readonly SkippedFile[];
  /** Those left out included. */
  readonly filesFound: number;
}

/** Each text is held only while it is ranked, so that a large workspace does not fill the memory. */
async function rankWorkspace(
  request: AskRequest,
  parts: AskParts,
  emit: Emit,
  signal: AbortSignal,
): Promise<RankedWorkspace> {
  const found = await parts.findFiles(request.folders, {
    signal,
    onProgress: (done) => emit({ event: 'progress', stage: 'finding', done }),
  });
  const total = found.files.length;
  emit({ event: 'progress', stage: 'finding', done: total, total });
  const skipped = [...found.skipped];
  const ranking = startRanking(request.question, request.history.at(-1)?.question);
  const chunked: ChunkedFile[] = [];
  let done = 0;
  for await (const document of parts.readDocuments(found.files, { signal })) {
    if (isSkipped(document)) skipped.push(document);
    else {
      ranking.add(document);
      if (request.states !== undefined) chunked.push(chunkedFile(document));
    }
    done++;
    emit({ event: 'progress', stage: 'ranking', done, total, path: document.path });
  }
  const filesFound = total + found.skipped.length;
  const rank: RankedWorkspace['rank'] = (attention) => rankPinsFirst(ranking.rank(attention), request.pins);
  const ranked = rank();
  const unread = unreadPin(ranked, skipped, request.pins);
  if (unread !== undefined) {
    const { pin, skipped: file } = unread;
    throw errors.pinNotRead(
      pin.path || pin.workspace,
      file === undefined ? absentText : skipReasonText[file.reason],
    );
  }
  if (ranked.length === 0) throw errors.nothingToRead(filesFound, skipped.length);
  return { rank, chunked, files: found.files, skipped, filesFound };
}

interface ConfirmedReading extends ReadingChoice {
  /** It was read before. */
  readonly stored: boolean;
  /** The model's own attention ranked it. */
  readonly byIndex: boolean;
}

/** Chooses what is read and, where that takes long and can be less, lets the user decide. */
async function confirmedReading(
  request: AskRequest,
  parts: AskParts,
  workspace: RankedWorkspace,
  { engine, loaded }: { readonly engine: AskEngine; readonly loaded: LoadResult },
  signal: AbortSignal,
): Promise<ConfirmedReading> {
  const byWords = workspace.rank();
  const chooseFrom = async (
    ranked: readonly RankedPassage[],
    readingLimit: number | 'all',
  ): Promise<ReadingChoice & { stored: boolean }> => {
    const reading = await chooseReading({
      ranked,
      files: workspace.files,
      readingLimit,
      readDocuments: parts.readDocuments,
      grammars: parts.grammars,
      countTokens: async (texts) =>
        (await engine.request('countTokens', { texts, ...inBackground(request) }, signal)).counts,
      signal,
    });
    if (reading.passages.length === 0) {
      throw errors.nothingToRead(workspace.filesFound, workspace.skipped.length + reading.skipped.length);
    }
    if (readingLimit !== 'all' && reading.tokens > readingLimit) {
      throw errors.readingLimitTooSmall(readingLimit, reading.tokens);
    }
    const { stored } = await engine.request('findReading', readingParams(request, reading.passages), signal);
    return { ...reading, stored };
  };
  const choose = async (readingLimit: number | 'all'): Promise<ConfirmedReading> => {
    const reading = await chooseFrom(byWords, readingLimit);
    // What was read before by words alone is not read again for a better order.
    if (reading.stored || request.states === undefined) return { ...reading, byIndex: false };
    const { question, history, states } = request;
    const asked = {
      // A follow-up often leaves out what it is about.
      question: [history.at(-1)?.question, question].filter((text) => text !== undefined).join(' '),
      states,
      ...inBackground(request),
    };
    const attention = await rankByIndex(engine, asked, workspace.chunked, byWords, signal);
    if (attention === null) return { ...reading, byIndex: false };
    return { ...(await chooseFrom(workspace.rank(attention), readingLimit)), byIndex: true };
  };
  const estimate = (tokens: number): ReadingEstimate => ({
    tokens,
    seconds: tokens / loaded.prefillTokensPerSecond,
  });

  const smallerLimit = defaultReadingLimit(
    await steadySpeed(loaded, request.states?.path),
    request.tokenBudget,
  );
  const reading = await choose(request.readingLimit ?? smallerLimit);
  const planned = estimate(reading.tokens);
  if (
    parts.confirmReading === undefined ||
    reading.stored ||
    planned.seconds <= patienceSeconds ||
    reading.tokens <= smallerLimit
  ) {
    return reading;
  }
  const chosen = await parts.confirmReading({ ...planned, smaller: estimate(smallerLimit) }, signal);
  if (signal.aborted) throw errors.cancelled();
  return chosen === 'smaller' ? choose(smallerLimit) : reading;
}

/** Tokens that the budget can stand for, of those that this machine reads within the patience of its user. */
export function defaultReadingLimit(tokensPerSecond: number, tokenBudget: number): number {
  const patient = Math.floor(tokensPerSecond * patienceSeconds);
  return Math.max(leastDefaultReading, Math.min(patient, readPerKept * tokenBudget));
}

function whatTheUserMeets(error: unknown, signal: AbortSignal): AskError {
  if (signal.aborted) return errors.cancelled();
  if (error instanceof AskError) return error;
  return errors.internal(error instanceof Error ? error.message : String(error), error);
}
