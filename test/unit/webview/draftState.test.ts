import { expect, it } from 'vitest';
import type { Pin } from '../../../extension/protocol/conversation.ts';
import { readSavedDraft, withPins } from '../../../webview/draftState.ts';

const file: Pin = { kind: 'file', workspace: 'app', path: 'src/a.ts' };
const lines: Pin = { kind: 'lines', workspace: 'app', path: 'src/a.ts', startLine: 1, endLine: 3 };

it.each([file, lines])('reads what was saved: $kind', (pin) => {
  const draft = { text: 'Why?', pins: [pin] };
  expect(readSavedDraft({ draft, unsent: true })).toEqual({ draft, unsent: true });
});

it.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'Why?'],
  ['no draft', { unsent: true }],
  ['no text', { draft: { pins: [] } }],
  ['no pins', { draft: { text: 'Why?' } }],
  ['a pin of another kind', { draft: { text: '', pins: [{ ...file, kind: 'url' }] } }],
  ['a pin without a path', { draft: { text: '', pins: [{ kind: 'file', workspace: 'app' }] } }],
  ['lines without numbers', { draft: { text: '', pins: [{ ...file, kind: 'lines' }] } }],
])('takes %s for nothing', (_, saved) => {
  expect(readSavedDraft(saved)).toBeNull();
});

it('adds each pin once', () => {
  const draft = withPins({ text: '', pins: [file] }, [file, lines]);
  expect(draft.pins).toEqual([file, lines]);
});
