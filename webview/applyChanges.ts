/** What the page shows, as the messages of the host make it. Pure, and never guessed: what does not fit is a gap. */
import type { Activity, PageChange, PageState, ToPage } from '../extension/protocol/chat.ts';
import type { Exchange } from '../extension/protocol/conversation.ts';

export interface SyncedState {
  readonly sequence: number;
  readonly state: PageState;
}

export type StateMessage = Extract<ToPage, { readonly type: 'snapshot' | 'changes' }>;

/**
 * The state after a message. `gap`: messages are missing before it, or it changes what is not there, so a snapshot is
 * needed. A message whose number was seen already leaves the state as it is.
 */
export function applyMessage(synced: SyncedState | null, message: StateMessage): SyncedState | 'gap' {
  if (message.type === 'snapshot') return { sequence: message.sequence, state: message.state };
  if (synced === null) return 'gap';
  if (message.sequence <= synced.sequence) return synced;
  if (message.sequence !== synced.sequence + 1) return 'gap';
  let state = synced.state;
  for (const change of message.changes) {
    const next = applyChange(state, change);
    if (next === 'gap') return 'gap';
    state = next;
  }
  return { sequence: message.sequence, state };
}

function applyChange(state: PageState, change: PageChange): PageState | 'gap' {
  switch (change.change) {
    case 'text':
      return appendText(state, change.exchangeId, change.offset, change.text);
    case 'exchange':
      return putExchange(state, change.exchange);
    case 'activity':
      return { ...state, activities: withActivity(state.activities, change.exchangeId, change.activity) };
    case 'state': {
      const next = { ...state, ...change.state };
      const sameConversation = next.conversation?.id === state.conversation?.id;
      return sameConversation ? next : { ...next, activities: {} };
    }
  }
}

function appendText(state: PageState, exchangeId: string, offset: number, text: string): PageState | 'gap' {
  const exchange = state.conversation?.exchanges.find(({ id }) => id === exchangeId);
  if (exchange?.text.length !== offset) return 'gap';
  return putExchange(state, { ...exchange, text: exchange.text + text });
}

function putExchange(state: PageState, exchange: Exchange): PageState | 'gap' {
  const { conversation } = state;
  if (conversation === null) return 'gap';
  const at = conversation.exchanges.findIndex(({ id }) => id === exchange.id);
  const exchanges =
    at < 0 ? [...conversation.exchanges, exchange] : conversation.exchanges.with(at, exchange);
  return { ...state, conversation: { ...conversation, exchanges } };
}

function withActivity(
  activities: PageState['activities'],
  exchangeId: string,
  activity: Activity | null,
): PageState['activities'] {
  const others = Object.fromEntries(Object.entries(activities).filter(([id]) => id !== exchangeId));
  return activity === null ? others : { ...others, [exchangeId]: activity };
}
