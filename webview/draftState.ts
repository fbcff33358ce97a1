/** What is typed, as the editor keeps it through a reload of the page. */
import type { Draft, Pin } from '../extension/protocol/conversation.ts';

export interface SavedDraft {
  readonly draft: Draft;
  /** The host has not been told of it yet, so that it is newer than the host's. */
  readonly unsent: boolean;
}

export const emptyDraft: Draft = { text: '', pins: [] };

/** What was saved by a page of this version; anything else counts as nothing. */
export function readSavedDraft(saved: unknown): SavedDraft | null {
  if (!isRecord(saved) || !isRecord(saved['draft'])) return null;
  const { text, pins } = saved['draft'];
  if (typeof text !== 'string' || !Array.isArray(pins) || !pins.every(isPin)) return null;
  return { draft: { text, pins }, unsent: saved['unsent'] === true };
}

export function sameDraft(a: Draft, b: Draft): boolean {
  return a.text === b.text && JSON.stringify(a.pins) === JSON.stringify(b.pins);
}

/** The draft with the pins that it does not have yet. */
export function withPins(draft: Draft, pins: readonly Pin[]): Draft {
  const known = new Set(draft.pins.map(pinKey));
  const added = pins.filter((pin) => {
    const isNew = !known.has(pinKey(pin));
    known.add(pinKey(pin));
    return isNew;
  });
  return added.length === 0 ? draft : { ...draft, pins: [...draft.pins, ...added] };
}

export function pinKey(pin: Pin): string {
  const lines = pin.kind === 'lines' ? [pin.startLine, pin.endLine] : [];
  return JSON.stringify([pin.kind, pin.workspace, pin.path, ...lines]);
}

function isPin(value: unknown): value is Pin {
  if (!isRecord(value) || typeof value['workspace'] !== 'string' || typeof value['path'] !== 'string')
    return false;
  if (value['kind'] !== 'lines') return value['kind'] === 'file' || value['kind'] === 'folder';
  return typeof value['startLine'] === 'number' && typeof value['endLine'] === 'number';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
