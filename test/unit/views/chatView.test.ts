import { expect, test, vi } from 'vitest';
import type { WebviewView } from 'vscode';
import type { PageState, ToPage } from '../../../extension/protocol/chat.ts';
import { ChatView } from '../../../extension/views/chatView.ts';
import { emptyState } from '../../page/states.ts';

vi.mock('vscode', () => ({
  Uri: { joinPath: () => ({ toString: () => 'uri' }) },
  env: { language: 'en' },
  l10n: { bundle: undefined },
}));

const focusInput = { type: 'focusInput' } as const;
const pins = [{ kind: 'file', workspace: 'ferry', path: 'README.md' }] as const;
const reply = { type: 'lines', request: 1, lines: null } as const;

type Step = 'hide' | 'show' | 'dispose' | 'ready' | ToPage;
const journeys: readonly [name: string, steps: readonly Step[], got: readonly string[]][] = [
  ['at once when the page is ready', ['show', 'ready', focusInput], ['snapshot', 'focusInput']],
  ['before there is a page', [focusInput, 'show', 'ready'], ['snapshot', 'focusInput']],
  ['while the page loads', ['show', focusInput, 'ready'], ['snapshot', 'focusInput']],
  [
    'while the view is hidden',
    ['show', 'ready', 'hide', focusInput, 'show', 'ready'],
    ['snapshot', 'snapshot', 'focusInput'],
  ],
  [
    'while the page is made anew',
    ['show', 'ready', 'hide', 'show', focusInput, 'ready'],
    ['snapshot', 'snapshot', 'focusInput'],
  ],
  [
    'while the view is closed',
    ['show', 'ready', 'dispose', focusInput, 'show', 'ready'],
    ['snapshot', 'snapshot', 'focusInput'],
  ],
  [
    'in their order',
    [focusInput, { ...focusInput, pins }, 'show', 'ready'],
    ['snapshot', 'focusInput', 'focusInput'],
  ],
  [
    'but no answer to a page that is gone',
    ['show', 'ready', 'hide', reply, 'show', 'ready'],
    ['snapshot', 'snapshot'],
  ],
];

test.each(journeys)('a message arrives %s', (_, steps, got) => {
  const panel = openPanel();
  for (const step of steps) {
    if (typeof step === 'string') panel[step]();
    else panel.chatView.post(step);
  }
  expect(panel.received.map(({ type }) => type)).toEqual(got);
});

test('a page that was made anew has the state in its snapshot, and then the changes', async () => {
  const panel = openPanel();
  const { chatView, received } = panel;
  const change = { change: 'state', state: { trusted: false } } as const;
  panel.show();
  panel.ready();
  chatView.change([change]);
  panel.hide();
  panel.show();
  chatView.change([change]);
  panel.ready();
  chatView.change([change]);
  await expect.poll(() => received.length).toBe(3);
  expect(received).toEqual([
    { type: 'snapshot', sequence: 1, state: emptyState },
    { type: 'snapshot', sequence: 1, state: emptyState },
    { type: 'changes', sequence: 2, changes: [change] },
  ]);
});

/** A panel whose page gets what is posted while it is there, as in VS Code; the rest is lost. */
function openPanel() {
  const received: ToPage[] = [];
  const page = { isThere: false, send: (_: unknown): void => undefined };
  let events: { visibility: () => void; dispose: () => void } | undefined;
  const state = (): PageState => emptyState;
  const unexpected = (error: unknown): never => {
    throw error;
  };
  const chatView = new ChatView({
    extensionUri: {} as never,
    state,
    onMessage: () => Promise.resolve(),
    onError: unexpected,
  });
  const resolve = (): void => {
    const made = { visibility: (): void => undefined, dispose: (): void => undefined };
    events = made;
    const webview = {
      cspSource: '',
      asWebviewUri: (uri: unknown) => uri,
      onDidReceiveMessage: (listener: (message: unknown) => void) => (page.send = listener),
      postMessage: (message: ToPage) => Promise.resolve(page.isThere && received.push(message) > 0),
    };
    const view = {
      webview,
      get visible() {
        return page.isThere;
      },
      onDidChangeVisibility: (listener: () => void) => (made.visibility = listener),
      onDidDispose: (listener: () => void) => (made.dispose = listener),
    };
    chatView.resolveWebviewView(view as unknown as WebviewView);
  };
  return {
    chatView,
    received,
    show(): void {
      page.isThere = true;
      if (events === undefined) resolve();
      else events.visibility();
    },
    hide(): void {
      page.isThere = false;
      events?.visibility();
    },
    dispose(): void {
      page.isThere = false;
      events?.dispose();
      events = undefined;
    },
    ready: (): void => page.send({ type: 'ready' }),
  };
}
