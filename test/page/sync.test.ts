import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Exchange } from '../../extension/protocol/conversation.ts';
import type { ChatPages } from './chatPage.ts';
import { snapshotSequence, startChatPages } from './chatPage.ts';
import { answered, emptyState, stateWith, states, workspace } from './states.ts';

let pages: ChatPages;
beforeAll(async () => {
  pages = await startChatPages();
});
afterAll(() => pages.close());

it('shows an answer as it comes', async () => {
  const chat = await pages.open(states['streaming']!);
  const answer = chat.page.locator('ask-exchange').last().locator('ask-answer .block');
  const before = 'Only `read.ts` does, since';
  await chat.send({
    type: 'changes',
    sequence: snapshotSequence + 1,
    changes: [{ change: 'text', exchangeId: 'e2', offset: before.length, text: ' it alone reads.' }],
  });
  await expect.poll(() => answer.innerText()).toContain('since it alone reads.');
  expect(chat.sent.map(({ type }) => type)).not.toContain('resync');
  await chat.close();
});

it('asks for a snapshot when a message is missing', async () => {
  const chat = await pages.open(states['empty']!);
  chat.setState(states['answered']!);
  await chat.send({ type: 'changes', sequence: snapshotSequence + 2, changes: [] });
  await chat.received('resync');
  await chat.page.locator('ask-answer').waitFor();
  await chat.close();
});

it('keeps what is being typed through a snapshot', async () => {
  const chat = await pages.open(states['empty']!);
  const input = chat.page.getByLabel('Question', { exact: true });
  await input.fill('Half a quest');
  await chat.received('draft');
  await input.press('End');
  await input.pressSequentially('ion');
  await chat.send({
    type: 'snapshot',
    sequence: 50,
    state: { ...emptyState, draft: { text: 'Half a quest', pins: [] } },
  });
  await chat.page.waitForTimeout(50);
  expect(await input.inputValue()).toBe('Half a question');
  await chat.close();
});

it('takes the draft of another conversation', async () => {
  const chat = await pages.open(states['empty']!);
  const draft = { text: 'What was typed there', pins: [] };
  await chat.send({
    type: 'changes',
    sequence: snapshotSequence + 1,
    changes: [{ change: 'state', state: { draft } }],
  });
  await expect.poll(() => chat.page.getByLabel('Question', { exact: true }).inputValue()).toBe(draft.text);
  await chat.close();
});

it.each([
  { name: 'told', wait: true },
  { name: 'not told yet', wait: false },
])('keeps a draft through a reload that the host was $name', async ({ wait }) => {
  const chat = await pages.open(states['empty']!);
  const input = chat.page.getByLabel('Question', { exact: true });
  if (wait) {
    await input.fill('Why?');
    const { draft } = await chat.received('draft');
    chat.setState({ ...emptyState, draft });
    await chat.page.reload();
  } else {
    // In one step, so that there is no time to tell.
    await input.evaluate((element: HTMLTextAreaElement) => {
      element.value = 'Why?';
      element.dispatchEvent(new Event('input', { bubbles: true }));
      location.reload();
    });
  }
  await expect.poll(() => input.inputValue()).toBe('Why?');
  await chat.close();
});

it('forgets the draft with the question', async () => {
  const chat = await pages.open(states['empty']!);
  const input = chat.page.getByLabel('Question', { exact: true });
  await input.fill('Why?');
  await input.press('Enter');
  await chat.page.reload();
  await input.waitFor();
  expect(await input.inputValue()).toBe('');
  await chat.close();
});

it('gives the focus and pins to the input', async () => {
  const chat = await pages.open(states['empty']!);
  const pin = { kind: 'lines', workspace, path: 'src/a.ts', startLine: 2, endLine: 4 } as const;
  await chat.send({ type: 'focusInput', pins: [pin, pin] });
  await chat.page.getByRole('button', { name: 'Remove src/a.ts:2-4' }).waitFor();
  await chat.page.keyboard.type('Why?');
  await chat.page.keyboard.press('Enter');
  expect(await chat.received('ask')).toEqual({ type: 'ask', question: 'Why?', pins: [pin] });
  await chat.close();
});

const hostile = '<img src=x onerror="alert(1)"><style>*{display:none}</style>${1}"\'';

it('takes titles, paths and messages for text', async () => {
  const failure = {
    reason: hostile,
    message: hostile,
    remedy: hostile,
    actions: [{ action: 'showLog', label: hostile }],
  } as const;
  const exchange: Exchange = {
    ...answered,
    question: hostile,
    pins: [{ kind: 'file', workspace: hostile, path: hostile }],
    text: hostile,
    facts: {
      ...answered.facts!,
      citations: [{ workspace: hostile, path: hostile, startLine: 1, endLine: 2, source: 'answer' }],
      evidence: [{ workspace: hostile, path: hostile, startLine: 1, endLine: 2, weight: 1 }],
      model: hostile,
      device: hostile,
    },
  };
  const conversations = [{ id: 'c1', title: hostile, changedAt: 0, exchangeCount: 1 }];
  const state = {
    ...stateWith([exchange, { ...exchange, id: 'e2', state: 'failed', failure }], { conversations }),
    engine: { state: 'ready', model: hostile, device: hostile },
    notices: [hostile],
    draft: { text: hostile, pins: exchange.pins },
  } as const;
  const chat = await pages.open({ ...state, conversation: { ...state.conversation!, title: hostile } });
  await chat.page.getByRole('button', { name: 'Conversations' }).click();
  expect(await chat.page.locator('.conversation .title').allTextContents()).toEqual([hostile]);
  expect(await chat.page.locator('h1').textContent()).toBe(hostile);
  await chat.page.keyboard.press('Escape');
  expect(await chat.page.locator('h2').allTextContents()).toEqual([hostile, hostile]);
  expect(await chat.page.locator('ask-page img, ask-page style').count()).toBe(0);
  expect(chat.trouble).toEqual([]);
  await chat.close();
});

it('speaks the language of the editor', async () => {
  const translations = JSON.stringify({ 'New conversation': 'Neue „Unterhaltung“', Ask: 'Fragen & "los"' });
  const chat = await pages.open(states['empty']!, { language: 'de', translations });
  expect(await chat.page.locator('h1').textContent()).toBe('Neue „Unterhaltung“');
  await chat.page.getByRole('button', { name: 'Fragen & "los"' }).waitFor();
  await chat.send({ type: 'snapshot', sequence: 20, state: states['answered']! });
  await chat.page.getByText('61.204').waitFor();
  await chat.close();
});

it('follows the end until the user scrolls away', async () => {
  const long = Array.from({ length: 60 }, (_, at) => ({ ...answered, id: `e${at}` }));
  const chat = await pages.open(stateWith(long));
  const { page } = chat;
  const transcript = page.locator('.transcript');
  const distance = (): Promise<number> =>
    transcript.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  await expect.poll(distance).toBeLessThan(2);
  await chat.send({
    type: 'changes',
    sequence: snapshotSequence + 1,
    changes: [{ change: 'exchange', exchange: { ...answered, id: 'new' } }],
  });
  await page.locator('ask-exchange').nth(60).waitFor();
  await expect.poll(distance).toBeLessThan(2);
  await transcript.evaluate((element) => (element.scrollTop = 0));
  await page.getByRole('button', { name: 'Jump to latest' }).click();
  await expect.poll(distance).toBeLessThan(2);
  expect(await page.getByRole('button', { name: 'Jump to latest' }).count()).toBe(0);
  await chat.close();
});
