/** One question in the queue of a window. */
import type { QueueItem } from '../protocol/chat.ts';
import type { Exchange } from '../protocol/conversation.ts';

export interface Job {
  readonly conversationId: string;
  readonly exchangeId: string;
  readonly question: string;
  readonly anew: boolean;
  /** True: what was read before is not gone on with. */
  readonly fromScratch: boolean;
  /** What the exchange was before: it comes back when nothing came of asking anew. */
  readonly before: Exchange | undefined;
  readonly stop: AbortController;
  running: boolean;
  decide?: (decision: Decision) => void;
  /** While its model arrives. */
  pause?: () => void;
}

/** What the user says to `confirm`, which of the offered models is wanted, or that another model was set meanwhile. */
export type Decision = 'planned' | 'smaller' | 'modelChanged' | { readonly model: string };

/** As the page is told of it. */
export function queueItem({ conversationId, exchangeId, question, running }: Job): QueueItem {
  return { conversationId, exchangeId, question, running };
}
