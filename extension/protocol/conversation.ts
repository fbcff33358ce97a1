/** A conversation as the host keeps it and the page shows it. The host owns the truth; the page holds none of it. */
import type { ReadAgainReason } from './answerEvents.ts';
import type { Citation, Coverage, Evidence, LineRange, Statistics } from './nouns.ts';

/** What a question names: it is read first, and placed next to the question. */
export type Pin = FilePin | LinesPin;
export interface FilePin {
  readonly kind: 'file' | 'folder';
  readonly workspace: string;
  /** Inside the workspace folder, forward slashes; a folder's does not end in one, and '' is the whole workspace folder. */
  readonly path: string;
}
export interface LinesPin extends LineRange {
  readonly kind: 'lines';
}

/**
 * `waiting`: in the queue, for a model, or for a decision of the user.
 * `interrupted`: the window was reloaded or the engine went away while it ran; `stopped`: the user stopped it.
 */
export type ExchangeState = 'waiting' | 'running' | 'answered' | 'stopped' | 'interrupted' | 'failed';

/** One question with its answer. */
export interface Exchange {
  readonly id: string;
  readonly question: string;
  readonly pins: readonly Pin[];
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  readonly state: ExchangeState;
  /** The answer as far as it has come, Markdown. */
  readonly text: string;
  /** Set once answered. */
  readonly facts?: AnswerFacts;
  /** Set when it failed or was interrupted. */
  readonly failure?: Failure;
  /** Set when it was to go on with an earlier reading, and everything was read again instead. */
  readonly readAgain?: ReadAgainReason;
}

/** What was read for an answer: with it a follow-up goes on, and a file that has changed since is seen. */
export interface ReadingRecord {
  /** It was read under. */
  readonly question: string;
  readonly previousQuestion?: string;
  /** What was asked for: names of the workspace folders, pins, and the limit when the user set one. */
  readonly folders: readonly string[];
  readonly pins: readonly Pin[];
  readonly readingLimit?: number | 'all';
  readonly tokens: number;
  /** False when something was left out by the limit. */
  readonly everything: boolean;
  readonly files: readonly ReadFile[];
  /** In reading order: index into `files`, first and last line. */
  readonly passages: readonly (readonly [file: number, startLine: number, endLine: number])[];
  readonly coverage: Coverage;
}

export interface ReadFile {
  readonly workspace: string;
  readonly path: string;
  /** Of its text as it was read. */
  readonly hash: string;
}

/** What stands below an answer. */
export interface AnswerFacts {
  readonly citations: readonly Citation[];
  /** Highest weight first. */
  readonly evidence: readonly Evidence[];
  readonly thinEvidence: boolean;
  readonly coverage: CoverageCounts;
  readonly statistics: Statistics;
  readonly model: string;
  readonly device: string;
  /** From the question to the end of the answer. */
  readonly seconds: number;
}

/** The list of what was left out stays with the host, since it can be long. */
export interface CoverageCounts {
  readonly filesFound: number;
  readonly filesRead: number;
}

/** What a button beside an error does. */
export type RemedyAction =
  | 'getModel'
  | 'getCuda'
  | 'setHubToken'
  | 'chooseModel'
  | 'askAgain'
  | 'continue'
  | 'showFiles'
  | 'openFolder'
  | 'openSettings'
  | 'showLog'
  | 'manageTrust';

/** In the user's language. */
export interface Failure {
  /** Of the catalogue in errors.ts. */
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
  readonly actions: readonly { readonly action: RemedyAction; readonly label: string }[];
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly exchanges: readonly Exchange[];
}

export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  readonly changedAt: number;
  readonly exchangeCount: number;
}

/** What is typed and not yet asked. */
export interface Draft {
  readonly text: string;
  readonly pins: readonly Pin[];
}
