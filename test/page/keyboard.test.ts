import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChatPage, ChatPages } from './chatPage.ts';
import { completions, snapshotSequence, startChatPages } from './chatPage.ts';
import { answered, conversations, facts, stateWith, states, workspace } from './states.ts';

let pages: ChatPages;
beforeAll(async () => {
  pages = await startChatPages();
});
afterAll(() => pages.close());

it('goes from the empty input to an opened citation', async () => {
  const chat = await pages.open(states['empty']!);
  const { page } = chat;
  await tabTo(chat, 'Question');
  await page.keyboard.type('How is @in');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.type('cut?');
  await page.keyboard.press('Enter');
  const pin = { kind: 'file', workspace, path: 'src/index.ts' } as const;
  const asked = await chat.received('ask');
  expect(asked).toEqual({ type: 'ask', question: 'How is src/index.ts cut?', pins: [pin] });

  await chat.send({ type: 'snapshot', sequence: snapshotSequence, state: states['answered']! });
  await tabTo(chat, 'src/reader/chunks.ts:12-20', { backwards: true });
  await page.locator('ask-lines .code').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('ask-lines .code').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  const lines = { startLine: 12, endLine: 20 };
  expect((await chat.received('open')).place).toEqual({ workspace, path: 'src/reader/chunks.ts', lines });
  expect(chat.sent.some(({ type }) => type === 'stop')).toBe(false);
  await chat.close();
});

it('follows a link inside an answer', async () => {
  const chat = await pages.open(states['answered']!);
  const link = chat.page.locator('ask-answer').getByRole('link').first();
  await link.focus();
  await chat.page.locator('ask-lines .code').waitFor();
  await chat.page.keyboard.press('Enter');
  expect((await chat.received('open')).place.path).toBe('src/reader/chunks.ts');
  await chat.close();
});

it('asks by Enter, and not while a word is composed or Shift is held', async () => {
  const chat = await pages.open(states['empty']!);
  const input = chat.page.getByLabel('Question', { exact: true });
  await input.fill('なぜ');
  await input.dispatchEvent('keydown', { key: 'Enter', isComposing: true });
  await input.press('Shift+Enter');
  await input.pressSequentially('Why');
  expect(await input.inputValue()).toBe('なぜ\nWhy');
  expect(chat.sent.filter(({ type }) => type === 'ask')).toEqual([]);
  await input.press('Enter');
  expect((await chat.received('ask')).question).toBe('なぜ\nWhy');
  expect(await input.inputValue()).toBe('');
  await chat.close();
});

it('closes the list by Escape first, and then stops what runs', async () => {
  const chat = await pages.open(states['streaming']!);
  const input = chat.page.getByLabel('Question', { exact: true });
  await input.pressSequentially('@s');
  await chat.page.getByRole('option').first().waitFor();
  await input.press('Escape');
  expect(await chat.page.getByRole('option').count()).toBe(0);
  expect(chat.sent.filter(({ type }) => type === 'stop')).toEqual([]);
  await input.press('Escape');
  expect(await chat.received('stop')).toEqual({ type: 'stop', exchangeId: 'e2' });
  await chat.close();
});

it('leaves the list closed when what was looked for before comes late', async () => {
  const chat = await pages.open(states['empty']!, { unanswered: ['complete'] });
  const { page } = chat;
  const input = page.getByLabel('Question', { exact: true });
  const answer = async (typed: string): Promise<void> => {
    const { request } = await chat.received('complete');
    expect(chat.sent.findLast(({ type }) => type === 'complete')).toMatchObject({ text: typed, request });
    await chat.send({ type: 'completions', request, items: completions });
  };
  await input.pressSequentially('@');
  await answer('');
  await page.getByRole('option').first().waitFor();
  await input.pressSequentially('s');
  await expect.poll(() => chat.sent.filter(({ type }) => type === 'complete')).toHaveLength(2);
  await input.press('Escape');
  await answer('s');
  // When the next key is answered, the late answer was there.
  await input.pressSequentially('r');
  await expect.poll(() => chat.sent.filter(({ type }) => type === 'complete')).toHaveLength(3);
  expect(await page.getByRole('option').count()).toBe(0);
  await answer('sr');
  await page.getByRole('option').first().waitFor();
  await chat.close();
});

it('brings the last question back, and takes its pins away again', async () => {
  const chat = await pages.open(states['answered']!);
  const { page } = chat;
  const input = page.getByLabel('Question', { exact: true });
  await input.press('ArrowUp');
  expect(await input.inputValue()).toBe(answered.question);
  await input.press('Home');
  await input.press('Backspace');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Backspace');
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
  await input.press('Enter');
  expect(await chat.received('ask')).toEqual({ type: 'ask', question: answered.question, pins: [] });
  await chat.close();
});

it('edits a question in its place', async () => {
  const chat = await pages.open(states['answered']!);
  await chat.page.getByRole('button', { name: 'Edit question' }).press('Enter');
  await chat.page.keyboard.press('End');
  await chat.page.keyboard.type(' Exactly.');
  await chat.page.keyboard.press('Enter');
  expect(await chat.received('edit')).toEqual({
    type: 'edit',
    exchangeId: 'e1',
    question: `${answered.question} Exactly.`,
    pins: answered.pins,
  });
  await chat.close();
});

it('opens, searches, renames and deletes conversations', async () => {
  const chat = await pages.open(states['answered']!);
  const { page } = chat;
  await page.getByRole('button', { name: 'Conversations' }).press('Enter');
  await page.keyboard.type('error');
  expect(await titles(chat)).toEqual(['Where do errors go?']);
  // What the host finds in texts comes after what the titles say.
  await expect.poll(() => titles(chat)).toEqual(['Where do errors go?', 'Tests']);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('F2');
  await page.keyboard.type('Errors');
  await page.keyboard.press('Enter');
  expect(await chat.received('renameConversation')).toEqual({
    type: 'renameConversation',
    conversationId: 'c2',
    title: 'Errors',
  });
  await expect.poll(() => focusedText(chat)).toContain('Where do errors go?');
  await page.keyboard.press('Delete');
  expect((await chat.received('deleteConversation')).conversationId).toBe('c2');
  await expect.poll(() => focusedText(chat)).toContain('Tests');
  await page.keyboard.press('Enter');
  expect((await chat.received('openConversation')).conversationId).toBe('c3');
  expect(await page.locator('ask-conversations').count()).toBe(0);
  await chat.close();
});

it('shows what an answer stands on', async () => {
  const chat = await pages.open(stateWith([answered], { conversations }));
  await chat.page.locator('.evidence summary').press('Enter');
  await chat.page.getByRole('button', { name: 'Show in the editor' }).press('Enter');
  expect((await chat.received('markEvidence')).exchangeId).toBe('e1');
  await chat.page
    .getByRole('button', { name: 'Read 412 of 418 files, 61,204 tokens, kept 1,024' })
    .press('Enter');
  expect((await chat.received('showCoverage')).exchangeId).toBe('e1');
  expect(await chat.page.locator('.sources .share').allTextContents()).toEqual(['62%', '8%']);
  expect(facts.evidence).toHaveLength(2);
  await chat.close();
});

async function tabTo({ page }: ChatPage, name: string, { backwards = false } = {}): Promise<void> {
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press(backwards ? 'Shift+Tab' : 'Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.textContent.trim();
    });
    if (focused === name) return;
  }
  throw new Error(`"${name}" is not reached by the Tab key.`);
}

function titles({ page }: ChatPage): Promise<string[]> {
  return page.locator('.conversation .title').allTextContents();
}

function focusedText({ page }: ChatPage): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}
