/**
 * What Ask Codebase offers to other extensions. To use it, take this file and `extension/protocol/`, which imports
 * nothing, into your sources for their types, and get the object from VS Code:
 *
 *     const extension = vscode.extensions.getExtension<AskCodebaseApi>('ask-codebase.ask-codebase');
 *     const api = await extension?.activate();
 *     if (api?.apiVersion === 1) {
 *       for await (const event of api.ask('Where are tickets paid back?')) {
 *         if (event.event === 'answer') console.log(event.text, event.citations);
 *       }
 *     }
 */
import type { AnswerEvent } from '../protocol/answerEvents.ts';
import type { Pin } from '../protocol/conversation.ts';
import type { Turn } from '../protocol/nouns.ts';

export interface AskCodebaseApi {
  /** Rises when something that was there changes its meaning or goes; what is added leaves it as it is. */
  readonly apiVersion: 1;
  /**
   * Answers a question about the folders of this window, with the model and the settings of the user. Nothing of it is
   * shown in the panel. Nothing runs before the first event is asked for. Questions wait for each other; leaving the loop
   * or aborting the signal ends this one.
   *
   * What the model writes and what files are called is not to be trusted: show it as text.
   *
   * @returns events as they happen, progress first; the last one is the answer
   * @throws AskFailure from the loop: `badArgument` when something here is not valid, `modelNotHere` when the user has not
   *   yet got the model (offer the command `askCodebase.getModel`), `nothingToRead` without a folder, `cancelled`, and more
   */
  readonly ask: (question: string, options?: AskOptions) => AsyncIterable<AnswerEvent>;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /**
   * Read before everything else. `workspace` is the name of a workspace folder, `path` lies inside it, with forward
   * slashes. At most 100.
   */
  readonly pins?: readonly Pin[];
  /** Earlier questions with their answers, oldest first. */
  readonly history?: readonly Turn[];
  /** Tokens of source that are read at most; what the user has set when absent. */
  readonly readingLimit?: number | 'all';
  /** What the user has set when absent. */
  readonly maxAnswerTokens?: number;
  /** Gives way to every question that a person asks, and says no text before its answer. */
  readonly background?: true;
}

/** Every error that the loop throws. */
export interface AskFailure extends Error {
  /** To decide by; the message is for people. */
  readonly reason: string;
  /** What the user can change, a sentence in English. */
  readonly remedy: string;
}
