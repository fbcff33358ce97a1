/**
 * The wire between the extension and the chat page. On `ready` and `resync` the host sends a snapshot of all that the
 * page shows; from then on changes, numbered without gaps. A page that sees a gap asks for a snapshot.
 * What the page sends is not trusted: the host checks its form, and every path in it.
 */
import type { ProgressEvent } from './answerEvents.ts';
import type {
  Conversation,
  ConversationSummary,
  Draft,
  Exchange,
  Pin,
  RemedyAction,
} from './conversation.ts';
import type { LineRange } from './nouns.ts';

/** What an exchange that is not finished is doing. */
export type Activity =
  /** Other questions are before it. */
  | { readonly kind: 'queued'; readonly ahead: number }
  /** The model is not on this machine: the welcome with its button. */
  | ({ readonly kind: 'needsModel' } & MissingModel)
  /** The reading is expected to take long; nothing is read until the user has chosen. */
  | {
      readonly kind: 'confirm';
      readonly seconds: number;
      readonly tokens: number;
      readonly smaller: SmallerReading;
    }
  | ({ readonly kind: 'progress' } & Omit<ProgressEvent, 'event'>)
  | { readonly kind: 'stopping' };

/** What is offered first, and what can be had instead. */
export interface MissingModel extends ModelOffer {
  /** Of a download that was begun. */
  readonly haveBytes: number;
  readonly others?: readonly ModelOffer[];
}

export interface ModelOffer {
  readonly name: string;
  readonly bytes: number;
  /** Nobody here has seen the file: its size is computed. */
  readonly about?: true;
  /** Why it is offered, in the user's language. */
  readonly reason?: string;
}

export interface SmallerReading {
  readonly tokens: number;
  readonly seconds: number;
}

/** What the kept readings of this workspace take on the disk. */
export interface StoredReadingsView {
  readonly bytes: number;
  /** 0: none is kept. */
  readonly capBytes: number;
}

export type EngineState = 'stopped' | 'loading' | 'ready' | 'reading' | 'answering' | 'failed';
export interface EngineView {
  readonly state: EngineState;
  /** Of the model, once one was loaded. */
  readonly model?: string;
  readonly device?: string;
  /** More of the two, a line each: layers on GPUs, the library's version, memory. */
  readonly details?: readonly string[];
  /** 0 to 100, while loading and reading. */
  readonly percent?: number;
  /** 0 to 100, while the engine is ready and the workspace is indexed in the background. */
  readonly indexing?: number;
}

export interface QueueItem {
  readonly conversationId: string;
  readonly exchangeId: string;
  readonly question: string;
  readonly running: boolean;
}

/** All that the page shows. */
export interface PageState {
  /** Null: a new one, which begins with the next question. */
  readonly conversation: Conversation | null;
  /** Latest first. */
  readonly conversations: readonly ConversationSummary[];
  /** By exchange id, of the shown conversation. */
  readonly activities: Readonly<Record<string, Activity>>;
  /** Running first, of all conversations. */
  readonly queue: readonly QueueItem[];
  readonly engine: EngineView;
  readonly draft: Draft;
  /** By exchange of the shown conversation: how many files are other than when they were read for it. */
  readonly changedFiles: Readonly<Record<string, number>>;
  readonly storedReadings: StoredReadingsView;
  /** The exchange whose kept lines are marked in the editor. */
  readonly markedExchange: string | null;
  /** Sentences about this window that the user should know, in the user's language. */
  readonly notices: readonly string[];
  /** Names of the open workspace folders; more than one: paths are shown with the name before them. */
  readonly folders: readonly string[];
  readonly trusted: boolean;
}

export type PageChange =
  /** Text is added to an exchange of the shown conversation; `offset` is the length of what it had. */
  | { readonly change: 'text'; readonly exchangeId: string; readonly offset: number; readonly text: string }
  /** An exchange of the shown conversation is new or other than before. */
  | { readonly change: 'exchange'; readonly exchange: Exchange }
  | { readonly change: 'activity'; readonly exchangeId: string; readonly activity: Activity | null }
  /** Any other part of the state as a whole. With a conversation of another id, the activities begin empty. */
  | { readonly change: 'state'; readonly state: Partial<Omit<PageState, 'activities'>> };

export type ToPage =
  | { readonly type: 'snapshot'; readonly sequence: number; readonly state: PageState }
  | { readonly type: 'changes'; readonly sequence: number; readonly changes: readonly PageChange[] }
  | { readonly type: 'completions'; readonly request: number; readonly items: readonly MentionItem[] }
  | { readonly type: 'links'; readonly request: number; readonly links: readonly CheckedLink[] }
  | { readonly type: 'lines'; readonly request: number; readonly lines: LinesPreview | null }
  | { readonly type: 'found'; readonly request: number; readonly conversationIds: readonly string[] }
  /** The input gets the focus, and what is given is added to the draft. */
  | { readonly type: 'focusInput'; readonly pins?: readonly Pin[] };

export interface MentionItem {
  readonly pin: Pin;
  /** What is shown: the path, with the workspace folder before it where there are several. */
  readonly label: string;
}

/** A place named in an answer that exists. */
export interface CheckedLink {
  /** As it stands in the answer: "src/index.ts:12-20". */
  readonly text: string;
  readonly place: Place;
}

/** A file, or lines of it. */
export interface Place {
  readonly workspace: string;
  readonly path: string;
  /** 1-based, inclusive; absent: the whole file. */
  readonly lines?: { readonly startLine: number; readonly endLine: number };
}

export interface LinesPreview extends LineRange {
  readonly text: string;
  /** VS Code's language identifier. */
  readonly language: string;
}

export type FromPage =
  | { readonly type: 'ready' }
  | { readonly type: 'resync' }
  /** The draft is empty from then on, at both ends. */
  | { readonly type: 'ask'; readonly question: string; readonly pins: readonly Pin[] }
  | { readonly type: 'draft'; readonly draft: Draft }
  | { readonly type: 'stop'; readonly exchangeId: string }
  | { readonly type: 'regenerate'; readonly exchangeId: string }
  /** Of the workspace as it is now. */
  | { readonly type: 'askAgain'; readonly exchangeId: string }
  | {
      readonly type: 'edit';
      readonly exchangeId: string;
      readonly question: string;
      readonly pins: readonly Pin[];
    }
  | { readonly type: 'continue'; readonly exchangeId: string }
  /** The answer to the activity `confirm`: everything as planned, or the smaller reading. */
  | { readonly type: 'confirm'; readonly exchangeId: string; readonly reading: 'planned' | 'smaller' }
  /** The answer to the activity `needsModel`: the name of one that was offered. */
  | { readonly type: 'getModel'; readonly exchangeId: string; readonly name: string }
  /** What has arrived is kept, and `needsModel` follows. */
  | { readonly type: 'pauseModel'; readonly exchangeId: string }
  /** Null: a button of the page itself, of no exchange (no folder is open, the window is restricted, the engine failed). */
  | { readonly type: 'remedy'; readonly exchangeId: string | null; readonly action: RemedyAction }
  | { readonly type: 'clearStoredReadings' }
  | { readonly type: 'newConversation' }
  | { readonly type: 'openConversation'; readonly conversationId: string }
  | { readonly type: 'renameConversation'; readonly conversationId: string; readonly title: string }
  | { readonly type: 'deleteConversation'; readonly conversationId: string }
  | { readonly type: 'exportConversation'; readonly conversationId: string }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'insert'; readonly text: string }
  | { readonly type: 'open'; readonly place: Place }
  | { readonly type: 'markEvidence'; readonly exchangeId: string | null }
  | { readonly type: 'showCoverage'; readonly exchangeId: string }
  /** Questions that get an answer with the same number. */
  | { readonly type: 'complete'; readonly request: number; readonly text: string }
  | { readonly type: 'checkLinks'; readonly request: number; readonly texts: readonly string[] }
  | { readonly type: 'showLines'; readonly request: number; readonly place: Place }
  | { readonly type: 'find'; readonly request: number; readonly text: string };
