/**
 * The wire between the extension (or the terminal) and the engine process: JSON-RPC 2.0 over the engine's
 * standard input and output, framed as in the Language Server Protocol.
 * The first request is `hello`; a version that differs ends the conversation with an error that names both.
 * Every request but `hello`, `status` and `shutdown` waits in one queue; questions go before background work, which
 * gives way to them even when it runs.
 * Cancelling is JSON-RPC's `$/cancelRequest`; a cancelled request ends with an error whose reason is `cancelled`.
 * When either end of the pipe closes, everything waiting fails and the engine exits.
 */
import type { Evidence, Citation, Passage, Statistics, Turn } from './nouns.ts';
import type { Sentence, SentenceArguments } from './sentence.ts';

/** Raised with every change of a message. */
export const protocolVersion = 8;

export type DeviceName = 'auto' | 'cpu' | 'vulkan' | 'cuda' | 'metal';
/** How the cells of the KV cache are stored: in 16 bits, or in 8 with a scale for every 32 values. */
export type KvCacheType = 'f16' | 'q8_0';
export type PresetName = 'default' | 'perHead' | 'paper';

export interface HelloParams {
  readonly protocolVersion: number;
  /** The engine exits when this process is gone. */
  readonly parentPid: number;
}
export interface HelloResult {
  readonly protocolVersion: number;
  readonly pid: number;
}

export interface LoadParams {
  readonly modelPath: string;
  /** The file is the extension's own, so that a copy which a processor reads quicker may be kept beside it. */
  readonly isOwnFile?: boolean;
  readonly device: DeviceName;
  /** Layers to offload to the GPU; all that fit when absent. */
  readonly gpuLayers?: number;
  /** f16 when absent. */
  readonly kvCacheType?: KvCacheType;
}
/** Whether what one of them loads serves the other. */
export function sameLoad(a: LoadParams, b: LoadParams | undefined): boolean {
  return (
    a.modelPath === b?.modelPath &&
    a.device === b.device &&
    a.gpuLayers === b.gpuLayers &&
    a.kvCacheType === b.kvCacheType
  );
}
export interface LoadResult {
  readonly modelName: string;
  readonly architecture: string;
  /** For example "CPU" or "Vulkan0: llvmpipe". */
  readonly deviceName: string;
  readonly libraryVersion: string;
  readonly layers: number;
  readonly offloadedLayers: number;
  /** The model's window, tokens. */
  readonly contextWindow: number;
  /** Measured by a warm-up prefill. */
  readonly prefillTokensPerSecond: number;
  readonly loadSeconds: number;
  /** Estimated before loading: weights, KV rows, compute buffers. */
  readonly estimatedBytes: number;
  /** Of that, what lies where: main memory first, then each GPU in use. */
  readonly placement: readonly DevicePlacement[];
  /** Tokens that are read between two evictions, at most. */
  readonly chunkTokens: number;
  readonly notices: readonly EngineNotice[];
}
export interface DevicePlacement {
  /** "CPU", or as the GPU is named. */
  readonly device: string;
  readonly layers: number;
  readonly estimatedBytes: number;
}

/** What the user should know of how the model was loaded or is used. */
export type EngineNotice =
  /** It failed its test at the start. `why` ends a sentence: one of `deviceProblems`, or what failed there. */
  | { readonly kind: 'deviceLeftOut'; readonly device: string; readonly why: string }
  /** Its library is here, and something that it needs is not: `why` says what, as an error's sentence. */
  | { readonly kind: 'cudaLeftOut'; readonly instead: string; readonly why: Sentence }
  /** The memory was not enough for all layers on a GPU, or for chunks as long as usual. */
  | ({ readonly kind: 'steppedDown' } & SteppedDown)
  /** The memory was not enough for this question. `why` is an error's. */
  | { readonly kind: 'shorterChunks'; readonly chunkTokens: number; readonly why: Sentence };
/** English; what a device that fails its tests is told to have done. */
export const deviceProblems = {
  attention: 'its products and softmax came out wrong',
  rotation: 'its rotation came out wrong',
  both: 'its products and softmax and its rotation came out wrong',
  keeping: 'keeping every token changed the logits',
} as const;
/** English: the `where` of main memory. */
export const thisMachine = 'this machine';
export interface SteppedDown {
  readonly neededBytes: number;
  readonly freeBytes: number;
  /** "this machine", or the GPU's name. */
  readonly where: string;
  readonly chunkTokens: number;
  readonly offloadedLayers: number;
  readonly layers: number;
}

export interface DevicesParams {
  readonly device: DeviceName;
}
export interface DevicesResult {
  readonly libraryVersion: string;
  readonly devices: readonly DeviceReport[];
}
export interface DeviceReport {
  readonly name: string;
  readonly kind: 'cpu' | 'gpu' | 'integratedGpu';
  readonly description: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Why it is not used. */
  readonly leftOut?: string;
}

/** A request that only runs while nothing else wants the engine, and so may be begun several times. */
export interface BackgroundParams {
  readonly background?: true;
}

export interface CountTokensParams extends BackgroundParams {
  readonly texts: readonly string[];
}
export interface CountTokensResult {
  readonly counts: readonly number[];
}

/** In the background no text is sent before the result. */
export interface AskParams extends BackgroundParams {
  /** Chosen by the caller; every notification about this question carries it. */
  readonly requestId: string;
  readonly question: string;
  /** Earlier questions with their answers, oldest first; of many, the latest count. */
  readonly history: readonly Turn[];
  /** What the answer has already, which is then continued; '' otherwise. */
  readonly answerSoFar: string;
  /**
   * The question that the passages are, or were, read under, when it is not `question` itself: a follow-up goes on
   * with what was kept under an earlier one. It is answered only when that reading is kept and holds what is asked.
   */
  readonly readUnder?: ReadUnder;
  /** Where readings are kept; absent: nothing is taken from the disk or left there. */
  readonly states?: StateFolder;
  /** In reading order: the most relevant last, next to the question. */
  readonly passages: readonly Passage[];
  readonly preset: PresetName;
  readonly tokenBudget: number;
  readonly maxAnswerTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
}
export interface ReadUnder {
  readonly question: string;
  /** The one before it in its conversation, whose attention counted too. */
  readonly previousQuestion?: string;
}

/** What a folder of stored KV states may hold unless the user says otherwise, bytes. */
export const defaultStateCapBytes = 10e9;

/** A folder of stored KV states, and the most that it may hold. */
export interface StateFolder {
  readonly path: string;
  readonly capBytes: number;
}

/**
 * `notStored`: the reading is nowhere kept, or what is kept is not sound. `notHeld`: it is, but the follow-up's
 * attention finds nothing in it. Both come before anything was read or answered, and only with `readUnder`.
 */
export type AskResult =
  | AnsweredResult
  | { readonly outcome: 'notStored' }
  | { readonly outcome: 'notHeld'; /** As in `FinalAttention`. */ readonly focus: number };

export interface AnsweredResult {
  readonly outcome: 'answered';
  /** What is new: it goes on behind `answerSoFar`. */
  readonly text: string;
  /** Of the whole answer, `answerSoFar` included. */
  readonly citations: readonly Citation[];
  readonly evidence: readonly Evidence[];
  /** Set when the evidence score lies below its threshold: little was found. */
  readonly thinEvidence: boolean;
  readonly statistics: Statistics;
  /** What was found out while this was answered. */
  readonly notices?: readonly EngineNotice[];
  readonly stopReason: 'endOfGeneration' | 'maxAnswerTokens' | 'windowFull';
}

/** What `ask` with the same parameters would have to read. */
export type FindReadingParams = Pick<
  AskParams,
  | 'question'
  | 'history'
  | 'passages'
  | 'preset'
  | 'tokenBudget'
  | 'maxAnswerTokens'
  | 'readUnder'
  | 'states'
  | 'background'
>;
export interface FindReadingResult {
  /** All of it is kept from an earlier reading. */
  readonly stored: boolean;
}

/** A file as the index knows it: the same text at the same path, cut at the same lines, has the same keys. */
export interface IndexedFile {
  readonly path: string;
  readonly textHash: string;
  /** The first lines of its chunks, 1-based, rising. */
  readonly chunkStarts: readonly number[];
}

export interface FindIndexedParams extends BackgroundParams {
  readonly states: StateFolder;
  readonly files: readonly IndexedFile[];
}
export interface FindIndexedResult {
  /** False: for this model no index is made. */
  readonly served: boolean;
  /** False: `findHeads` was not done for this model, which may have an index afterwards. */
  readonly knowsHeads: boolean;
  /** For each file. */
  readonly indexed: readonly boolean[];
}

export interface IndexParams extends BackgroundParams {
  readonly states: StateFolder;
  readonly file: IndexedFile;
  /** Its chunks, in their order. */
  readonly chunks: readonly Passage[];
}
export interface IndexResult {
  /** Null: what the folder may hold leaves no room for them. */
  readonly tokens: number | null;
}

export interface RankParams extends BackgroundParams {
  readonly states: StateFolder;
  readonly question: string;
  /** The likeliest first. */
  readonly files: readonly IndexedFile[];
}
export interface RankResult {
  /** For each file the scores of its chunks, higher is better; null when it is not indexed. */
  readonly scores: readonly (readonly number[] | null)[];
}

export interface StatusResult {
  readonly loadedModel: string | null;
  readonly queue: QueueState;
}

/** Method, parameters and result of every request; the client's calls and the server's handler table derive from it. */
export interface EngineRequests {
  hello: { params: HelloParams; result: HelloResult };
  /** What this machine has of the kind asked for. */
  devices: { params: DevicesParams; result: DevicesResult };
  load: { params: LoadParams; result: LoadResult };
  countTokens: { params: CountTokensParams; result: CountTokensResult };
  findReading: { params: FindReadingParams; result: FindReadingResult };
  /** Finds, once for each model, the heads that find evidence and those that rank; at once where they are known. */
  findHeads: { params: BackgroundParams; result: Record<string, never> };
  findIndexed: { params: FindIndexedParams; result: FindIndexedResult };
  index: { params: IndexParams; result: IndexResult };
  rank: { params: RankParams; result: RankResult };
  ask: { params: AskParams; result: AskResult };
  status: { params: Record<string, never>; result: StatusResult };
  shutdown: { params: Record<string, never>; result: Record<string, never> };
}

export interface QueueState {
  readonly running: QueueEntry | null;
  readonly waiting: readonly QueueEntry[];
}
export interface QueueEntry {
  readonly id: number;
  readonly kind: 'question' | 'background' | 'load';
  /** The question's first words, or the name of the work. */
  readonly label: string;
}

export type EngineStage = 'loading' | 'reading' | 'answering';
export interface EngineProgress {
  readonly requestId: string;
  readonly stage: EngineStage;
  /** Tokens done and to do in this stage; for `loading` a fraction of 1. */
  readonly done: number;
  readonly total: number;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
  /** The file whose tokens are being read now. */
  readonly path?: string;
  /** Files begun so far, and in all. */
  readonly filesDone?: number;
  readonly filesTotal?: number;
}

/** Notifications from the engine to its client. */
export interface EngineNotifications {
  progress: EngineProgress;
  text: { readonly requestId: string; readonly text: string };
  queue: QueueState;
}

/** The `data` of a JSON-RPC error: all that the client needs to make the catalogue's error of it again. */
export interface EngineErrorData {
  readonly reason: string;
  readonly template: string;
  readonly args: SentenceArguments;
  readonly remedy: string;
}
