/** What can happen to a conversation, as pure functions. */
import type {
  Conversation,
  ConversationSummary,
  Draft,
  Exchange,
  Failure,
  Pin,
} from '../protocol/conversation.ts';
import type { Turn } from '../protocol/nouns.ts';

export const emptyDraft: Draft = { text: '', pins: [] };

/** UTF-16 code units of a title made from a question. */
const titleLength = 60;

export function newConversation(id: string, question: string, now: number): Conversation {
  return { id, title: titleOf(question), createdAt: now, changedAt: now, exchanges: [] };
}

export function newExchange(id: string, question: string, pins: readonly Pin[], now: number): Exchange {
  return { id, question, pins, askedAt: now, state: 'waiting', text: '' };
}

/** The exchange in the place of the one with its id, or at the end. */
export function withExchange(conversation: Conversation, exchange: Exchange, now: number): Conversation {
  const { exchanges } = conversation;
  const known = exchanges.some(({ id }) => id === exchange.id);
  return {
    ...conversation,
    changedAt: now,
    exchanges: known
      ? exchanges.map((other) => (other.id === exchange.id ? exchange : other))
      : [...exchanges, exchange],
  };
}

/** A conversation of its own with what came before an exchange, so that asking that one differently loses nothing. */
export function branchBefore(
  conversation: Conversation,
  exchangeId: string,
  branch: { readonly id: string; readonly newId: () => string; readonly now: number },
): Conversation {
  const end = conversation.exchanges.findIndex(({ id }) => id === exchangeId);
  const exchanges = conversation.exchanges.slice(0, Math.max(0, end));
  return {
    ...conversation,
    id: branch.id,
    createdAt: branch.now,
    changedAt: branch.now,
    // An exchange's id is its own: what is asked of one by its id must not reach the other.
    exchanges: exchanges.map((exchange) => ({ ...exchange, id: branch.newId() })),
  };
}

/** What was running when the window closed is marked: it can be continued, and never runs on by itself. */
export function interruptRunning(conversation: Conversation, failure: Failure): Conversation {
  return {
    ...conversation,
    exchanges: conversation.exchanges.map((exchange) =>
      exchange.state === 'running' || exchange.state === 'waiting'
        ? { ...exchange, state: 'interrupted', failure }
        : exchange,
    ),
  };
}

/** The turns before an exchange that have an answer, oldest first. */
export function historyBefore(conversation: Conversation, exchangeId: string): readonly Turn[] {
  const end = conversation.exchanges.findIndex(({ id }) => id === exchangeId);
  return conversation.exchanges
    .slice(0, Math.max(0, end))
    .filter(({ text }) => text.trim() !== '')
    .map(({ question, text }) => ({ question, answer: text }));
}

export function summaryOf({ id, title, changedAt, exchanges }: Conversation): ConversationSummary {
  return { id, title, changedAt, exchangeCount: exchanges.length };
}

/** Latest first. */
export function byChange(a: ConversationSummary, b: ConversationSummary): number {
  return b.changedAt - a.changedAt;
}

export function titleOf(question: string): string {
  const line = question.trim().replace(/\s+/gu, ' ');
  if (line.length <= titleLength) return line;
  // Half of a surrogate pair at the cut is no character.
  const cut = line.slice(0, titleLength).replace(/[\uD800-\uDBFF]$/u, '');
  const lastSpace = cut.lastIndexOf(' ');
  return `${lastSpace > titleLength / 2 ? cut.slice(0, lastSpace) : cut}…`;
}
