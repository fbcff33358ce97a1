/**
 * What happens while one question is answered, in the order in which a door (terminal, panel, chat) shows it:
 * progress of several stages, one plan before the reading begins (none when an earlier reading is gone on with), streamed text, and one answer at the end.
 * A failure is no event: the sequence ends with an error of the catalogue.
 */
import type { ReadingRecord } from './conversation.ts';
import type { EngineNotice } from './engine.ts';
import type { Citation, Coverage, Evidence, Statistics } from './nouns.ts';

/**
 * `finding` and `ranking` go over the workspace while `downloading`, `verifying` and `loading` make
 * the model ready, so that events of the two kinds are interleaved; `reading` and `answering` follow one after the other.
 */
export type AnswerStage =
  'finding' | 'ranking' | 'downloading' | 'verifying' | 'loading' | 'reading' | 'answering';

export interface ProgressEvent {
  readonly event: 'progress';
  readonly stage: AnswerStage;
  /** Files (finding, ranking), bytes (downloading, verifying), a fraction of 1 (loading) or tokens (reading, answering). */
  readonly done: number;
  /** In the unit of `done`; absent while it is not known. */
  readonly total?: number;
  readonly tokensPerSecond?: number;
  readonly secondsLeft?: number;
  /** The file that is read now. */
  readonly path?: string;
  readonly filesDone?: number;
  readonly filesTotal?: number;
  /** Of the stage `downloading`. */
  readonly transfer?: Transfer;
}

export interface Transfer {
  /** For people: a host, a package, or the process that is already at it. */
  readonly source: string;
  /** What has arrived is kept when it ends early, and is gone on with. */
  readonly resumable: boolean;
  readonly bytesPerSecond?: number;
}

export interface PlanEvent {
  readonly event: 'plan';
  /** Counted by the model's tokenizer, without the headers of the files. */
  readonly documentTokens: number;
  readonly filesToRead: number;
  /** False when something was left out by the reading limit. */
  readonly everything: boolean;
  readonly estimatedSeconds: number;
  /** The estimate is long enough that the user should hear of it before the reading begins. */
  readonly slow: boolean;
  /** All of it was read before, and is not read again. */
  readonly stored: boolean;
  readonly reading: ReadingRecord;
}

/** An earlier reading was to be gone on with, and cannot be: why it is read again. */
export interface ReadAgainEvent {
  readonly event: 'readAgain';
  readonly why: ReadAgainReason;
}

/**
 * `notStored`: what was kept is gone, or the model or a setting is another. `notHeld`: what was kept does not hold what
 * is asked now.
 */
export type ReadAgainReason =
  | { readonly reason: 'filesChanged'; readonly files: number }
  | { readonly reason: 'notStored' }
  | { readonly reason: 'notHeld' };

/** What the user should know of how the engine runs: a device was left out, or the memory made it step down. */
export interface NoticeEvent {
  readonly event: 'notice';
  readonly notice: EngineNotice;
}

export interface TextEvent {
  readonly event: 'text';
  readonly text: string;
}

export interface CompletedAnswer {
  readonly event: 'answer';
  readonly text: string;
  readonly citations: readonly Citation[];
  /** Highest weight first. */
  readonly evidence: readonly Evidence[];
  /** Little was found: the evidence score lies below its threshold. */
  readonly thinEvidence: boolean;
  readonly coverage: Coverage;
  readonly statistics: Statistics;
}

export type AnswerEvent =
  ProgressEvent | PlanEvent | ReadAgainEvent | NoticeEvent | TextEvent | CompletedAnswer;
