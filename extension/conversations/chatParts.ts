/** What the conversations of a window need from the door that they are shown in. */
import type { AskParts, AskRequest } from '../ask.ts';
import type { AnswerEvent } from '../protocol/answerEvents.ts';
import type { MissingModel, PageChange } from '../protocol/chat.ts';
import type { Failure, ReadingRecord } from '../protocol/conversation.ts';
import type { ConversationStore } from './conversationStore.ts';

/** What the door needs to know to answer one exchange. */
export interface ChatQuestion extends Pick<
  AskRequest,
  'question' | 'pins' | 'history' | 'answerSoFar' | 'continueOn'
> {
  /** Another answer than the one before is wanted. */
  readonly anew: boolean;
}

export interface ChatParts {
  readonly store: ConversationStore;
  readonly answer: (
    question: ChatQuestion,
    confirm: NonNullable<AskParts['confirmReading']>,
    signal: AbortSignal,
  ) => AsyncIterable<AnswerEvent>;
  /** How many files of a reading are other than they were. */
  readonly changedFiles: (record: ReadingRecord) => Promise<number>;
  /** Null: it is on this machine, or can be found nowhere, which the answer then says. Throws what the hub answers. */
  readonly missingModel: (signal: AbortSignal) => Promise<MissingModel | null>;
  /** @param name what was offered and is wanted; absent: the model that is set */
  readonly getModel: (
    name: string | undefined,
    onProgress: (event: Extract<AnswerEvent, { event: 'progress' }>) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** What answers now: set once a model was loaded. */
  readonly loaded: () => { readonly model: string; readonly device: string } | undefined;
  /** In the user's language. */
  readonly describe: (error: unknown) => Failure;
  readonly interrupted: () => Failure;
  readonly onChange: (changes: readonly PageChange[]) => void;
  readonly now: () => number;
  readonly newId: () => string;
}
