import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AxeResults } from 'axe-core';
import type { ChatPage, ChatPages } from './chatPage.ts';
import { startChatPages } from './chatPage.ts';
import { states } from './states.ts';
import { themes } from './themes.ts';

let pages: ChatPages;
beforeAll(async () => {
  pages = await startChatPages();
});
afterAll(() => pages.close());

/** What is opened by hand before the page is looked at. */
const opened: Readonly<Record<string, (chat: ChatPage) => Promise<void>>> = {
  answered: async ({ page }) => {
    await page.locator('.evidence summary').click();
    await page.locator('.sources .lines-link').first().hover();
    await page.locator('ask-lines .code').waitFor();
  },
  queued: ({ page }) => page.getByText('Show the queue').click(),
  'conversation list': ({ page }) => page.getByRole('button', { name: 'Conversations' }).click(),
  completions: async ({ page }) => {
    await page.getByLabel('Question', { exact: true }).pressSequentially('Why @src');
    await page.getByRole('option').first().waitFor();
  },
  'a question that is edited': ({ page }) => page.getByRole('button', { name: 'Edit question' }).click(),
  'a conversation that is renamed': async ({ page }) => {
    await page.getByRole('button', { name: 'Conversations' }).click();
    await page.getByRole('button', { name: 'Rename Tests' }).click();
  },
};

describe.each(themes)('$bodyClass', (theme) => {
  it.each([...new Set([...Object.keys(states), ...Object.keys(opened)])])('%s', async (name) => {
    const chat = await pages.open(states[name] ?? states['answered']!, { theme });
    await opened[name]?.(chat);
    expect(await violations(chat)).toEqual([]);
    expect(chat.trouble).toEqual([]);
    await chat.close();
  });
});

it('finds what is wrong', async () => {
  const chat = await pages.open(states['empty']!);
  await chat.page.evaluate(() => {
    document.querySelector('.icon-button')?.removeAttribute('aria-label');
    document.querySelector('.icon-button')?.removeAttribute('title');
  });
  expect(await violations(chat)).toEqual([expect.stringContaining('button-name')]);
  await chat.close();
});

async function violations({ page }: ChatPage): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(async () => {
    const { axe: inPage } = window as unknown as { axe: { run: () => Promise<AxeResults> } };
    return inPage.run();
  });
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}
