/**
 * The doors beside the panel, by clicks: a link, the light bulb, the source-control view and VS Code's own chat. What a
 * random model answers is of no interest here, but that it does.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { ferryFolder, type WorkspaceMaker } from '../workspaces.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const temporaryFolder = mkdtempSync(join(tmpdir(), 'ask-codebase-agents-'));
const tinyModel = join(temporaryFolder, 'tiny.gguf');
writeTinyModel(tinyModel, tinyOptions);
afterAll(() => rmSync(temporaryFolder, { recursive: true }));

/** With all of its files as changes. */
const repository: WorkspaceMaker = async (folder) => {
  const path = await ferryFolder(folder);
  execFileSync('git', ['init', '--quiet', path!]);
  return path;
};

const workbench = useWorkbench({
  workspace: repository,
  otherExtensions: [resolve(import.meta.dirname, '../otherModel')],
  settings: { 'git.enabled': true, 'chat.disableAIFeatures': false },
  machineSettings: {
    'askCodebase.model': tinyModel,
    'askCodebase.device': 'cpu',
    'askCodebase.reading': 'limit',
    'askCodebase.readingLimit': 1_000,
    'askCodebase.tokenBudget': 64,
    'askCodebase.maxAnswerTokens': 4,
  },
});
const { page, last, ended } = usePanel(workbench);

it('shows the question of a link whole, and asks it after a click alone', async () => {
  const question = `Which of these is the ${'very, '.repeat(60)}very highest wind?`;
  const openLink = async (): Promise<Locator> => {
    await workbench().runCommand('Developer: Open URL');
    const link = `vscode://ask-codebase.ask-codebase/ask?q=${encodeURIComponent(question)}`;
    await workbench().answerInput(link);
    // VS Code's own question, which shows the address alone.
    await workbench().dialog('to open this URI?').getByRole('button', { name: 'Open' }).click();
    const dialog = workbench().dialog('A link from outside asks this about your code.');
    expect((await dialog.innerText()).replace(/\s+/gu, ' ')).toContain(question);
    await workbench().screenshot('link');
    return dialog;
  };
  const first = await openLink();
  await first.getByRole('button', { name: 'Cancel' }).click();
  await first.waitFor({ state: 'detached' });
  await workbench().openContainer('Ask Codebase');
  await page().getByText('New conversation').first().waitFor();
  expect(await page().locator('ask-exchange').count()).toBe(0);

  await (await openLink()).getByRole('button', { name: 'Ask', exact: true }).click();
  await last().filter({ hasText: question }).waitFor();
  expect((await ended()).exchange).toMatchObject({ question, state: 'answered' });
});

it('explains selected lines from the light bulb, in the panel', async () => {
  await workbench().openFile('sailing/weather.py');
  await workbench().goToLine(17);
  await workbench().page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => workbench().caret()).toMatch(/selected/);
  const offers = workbench().page.locator('.action-widget .monaco-list-row');
  const opened = async (): Promise<number> => {
    await workbench().page.keyboard.press('Control+.');
    await workbench().page.waitForTimeout(500);
    return offers.filter({ hasText: 'Ask Codebase Why This Is Here' }).count();
  };
  // What a list that opens late took the key for is asked once more.
  await expect.poll(opened, { timeout: 20_000 }).toBe(1);
  await workbench().screenshot('light-bulb');
  await offers.filter({ hasText: 'Explain with Ask Codebase' }).click();
  const question = 'What does the code in sailing/weather.py:17-17 do, and how?';
  await last().filter({ hasText: question }).waitFor();
  expect((await ended()).exchange).toMatchObject({ question, state: 'answered' });
});

it('asks about a changed file from the source-control view', async () => {
  await workbench().page.keyboard.press('Control+Shift+g');
  const change = workbench().page.locator('.scm-view .monaco-list-row', { hasText: 'refunds.ts' });
  await workbench().chooseFromMenu(change.first(), 'Ask About This File');
  await workbench()
    .page.locator('.quick-input-widget', { hasText: 'Ask about tickets/refunds.ts' })
    .waitFor();
  await workbench().page.keyboard.press('Escape');
});

it("answers in VS Code's own chat", async () => {
  await workbench().page.keyboard.press('Control+Alt+i');
  const chat = workbench().page.locator('.interactive-session');
  await chat.getByText('Silent', { exact: true }).waitFor();
  await chat.locator('.interactive-input-part .monaco-editor').first().click();
  await workbench().page.keyboard.insertText('@repo What is the highest wind?');
  await workbench().page.keyboard.press('Escape');
  await workbench().page.keyboard.press('Enter');
  const response = chat.locator('.interactive-response').last();
  await response.filter({ hasText: /Read \d+ of \d+ files\./ }).waitFor({ timeout: 30_000 });
  await workbench().screenshot('chat');
  expect(await response.innerText()).toMatch(/Ask Codebase[\s\S]*Sources: .*:\d+/);
  await chat.getByText('Which tests cover this?').click();
  await expect.poll(() => chat.locator('.interactive-response').count()).toBe(2);
  await response.filter({ hasText: /Read \d+ of \d+ files\./ }).waitFor({ timeout: answerMs });
});
