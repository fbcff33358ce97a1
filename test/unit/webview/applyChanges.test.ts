import { describe, expect, it } from 'vitest';
import type { PageChange, PageState } from '../../../extension/protocol/chat.ts';
import type { Exchange } from '../../../extension/protocol/conversation.ts';
import { applyMessage } from '../../../webview/applyChanges.ts';

const exchange: Exchange = {
  id: 'e1',
  question: 'Why?',
  pins: [],
  askedAt: 0,
  state: 'running',
  text: 'Bec',
};
const conversation = { id: 'c1', title: 'Why?', createdAt: 0, changedAt: 0, exchanges: [exchange] };
const state: PageState = {
  conversation,
  conversations: [],
  activities: { e1: { kind: 'stopping' } },
  queue: [],
  engine: { state: 'ready' },
  draft: { text: '', pins: [] },
  storedReadings: { bytes: 0, capBytes: 1 },
  changedFiles: {},
  markedExchange: null,
  notices: [],
  folders: ['app'],
  trusted: true,
};
const synced = { sequence: 7, state };

function applied(...changes: PageChange[]): PageState | 'gap' {
  const next = applyMessage(synced, { type: 'changes', sequence: 8, changes });
  return next === 'gap' ? next : next.state;
}

describe('numbers', () => {
  it('takes a snapshot of any number', () => {
    for (const before of [null, synced]) {
      expect(applyMessage(before, { type: 'snapshot', sequence: 3, state })).toEqual({ sequence: 3, state });
    }
  });
  it.each([
    { name: 'the next', sequence: 8, gives: { ...synced, sequence: 8 } },
    { name: 'one that was seen', sequence: 7, gives: synced },
    { name: 'an older one', sequence: 2, gives: synced },
    { name: 'one too far', sequence: 9, gives: 'gap' },
  ])('meets $name', ({ sequence, gives }) => {
    expect(applyMessage(synced, { type: 'changes', sequence, changes: [] })).toEqual(gives);
  });
  it('needs a snapshot first', () => {
    expect(applyMessage(null, { type: 'changes', sequence: 1, changes: [] })).toBe('gap');
  });
});

const other: Exchange = { ...exchange, id: 'e2', text: '' };
const answered: Exchange = { ...exchange, state: 'answered', text: 'Because.' };

it.each<{ name: string; changes: readonly PageChange[]; gives: PageState | 'gap' }>([
  {
    name: 'text at the end',
    changes: [{ change: 'text', exchangeId: 'e1', offset: 3, text: 'ause' }],
    gives: { ...state, conversation: { ...conversation, exchanges: [{ ...exchange, text: 'Because' }] } },
  },
  {
    name: 'text too early',
    changes: [{ change: 'text', exchangeId: 'e1', offset: 2, text: 'x' }],
    gives: 'gap',
  },
  {
    name: 'text too late',
    changes: [{ change: 'text', exchangeId: 'e1', offset: 4, text: 'x' }],
    gives: 'gap',
  },
  {
    name: 'text of an unknown exchange',
    changes: [{ change: 'text', exchangeId: 'e9', offset: 0, text: 'x' }],
    gives: 'gap',
  },
  {
    name: 'a new exchange',
    changes: [{ change: 'exchange', exchange: other }],
    gives: { ...state, conversation: { ...conversation, exchanges: [exchange, other] } },
  },
  {
    name: 'an exchange in its place',
    changes: [
      { change: 'exchange', exchange: other },
      { change: 'exchange', exchange: answered },
    ],
    gives: { ...state, conversation: { ...conversation, exchanges: [answered, other] } },
  },
  {
    name: 'an exchange without a conversation',
    changes: [
      { change: 'state', state: { conversation: null } },
      { change: 'exchange', exchange: other },
    ],
    gives: 'gap',
  },
  {
    name: 'an activity, and its end',
    changes: [
      { change: 'activity', exchangeId: 'e2', activity: { kind: 'queued', ahead: 1 } },
      { change: 'activity', exchangeId: 'e1', activity: null },
    ],
    gives: { ...state, activities: { e2: { kind: 'queued', ahead: 1 } } },
  },
  {
    name: 'another part',
    changes: [{ change: 'state', state: { trusted: false, notices: ['Two windows'] } }],
    gives: { ...state, trusted: false, notices: ['Two windows'] },
  },
  {
    name: 'the same conversation with another title',
    changes: [{ change: 'state', state: { conversation: { ...conversation, title: 'Reasons' } } }],
    gives: { ...state, conversation: { ...conversation, title: 'Reasons' } },
  },
  {
    name: 'another conversation, which begins without activities',
    changes: [{ change: 'state', state: { conversation: { ...conversation, id: 'c2' } } }],
    gives: { ...state, conversation: { ...conversation, id: 'c2' }, activities: {} },
  },
])('applies $name', ({ changes, gives }) => {
  expect(applied(...changes)).toEqual(gives);
});

it('leaves what it was given as it was', () => {
  const before = structuredClone(synced);
  applied(
    { change: 'text', exchangeId: 'e1', offset: 3, text: 'ause' },
    { change: 'exchange', exchange: other },
  );
  expect(synced).toEqual(before);
});
