/** A question as a person asks it, answered by the real model. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { smolLm2Path } from '../../modelFiles.ts';
import type { Workbench } from '../host/workbench.ts';
import { ferryFolder } from '../workspaces.ts';
import { answerMs, textOf, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const machineSettings = {
  'askCodebase.modelFolder': dirname(await smolLm2Path()),
  'askCodebase.device': 'cpu',
  'askCodebase.maxAnswerTokens': 60,
};

describe('with the model on this machine', () => {
  const workbench = useWorkbench({ workspace: ferryFolder, machineSettings });
  const { page, last, ask } = usePanel(workbench);

  it('goes from the palette to the answer to the line that it rests on', async () => {
    await workbench().runCommand('Ask codebase');
    await workbench().quickInput().fill('What is the highest wind at which the ferry sails?');
    await workbench().page.keyboard.press('Enter');
    await last().locator('.facts').waitFor({ timeout: answerMs });
    expect(await textOf(last().locator('ask-answer'))).not.toBe('');
    expect(await last().locator('.facts').innerText()).toMatch(/Read \d+ of \d+ files, [\d,]+ tokens, kept/);
    await workbench().screenshot('answer');

    const citation = last().locator('.citations .lines-link').first();
    const [, path, line] = /^(.+?):(\d+)/.exec((await citation.innerText()).trim()) ?? [];
    await citation.click();
    await expect.poll(() => workbench().activeTab()).toBe(path?.split('/').at(-1));
    await expect.poll(() => workbench().caret()).toMatch(/selected/);
    expect(Number(line)).toBeGreaterThan(0);
    await workbench().screenshot('citation');
  });

  it('marks the kept lines in the editor and takes the marks away', async () => {
    await last().locator('details.evidence summary').click();
    const button = last().getByRole('button', { name: 'Show in the editor' });
    await button.click();
    const marks = workbench().page.locator('.view-overlays [class*="ced-"]');
    await marks.first().waitFor();
    await workbench().screenshot('evidence');
    await button.click();
    await marks.first().waitFor({ state: 'detached' });
  });

  it('answers a follow-up in the same conversation', async () => {
    await ask('And which file decides that?');
    await last().locator('.facts').waitFor({ timeout: answerMs });
  });

  it('stops', async () => {
    await ask('Tell me everything about the tickets.');
    await page().getByRole('button', { name: 'Stop' }).first().click();
    await last().getByText('Stopped.').waitFor();
  });

  it('keeps what was written when the engine is killed, and goes on from there', async () => {
    // An answer that is long enough to be cut off.
    await workbench().changeMachineSettings({ ...machineSettings, 'askCodebase.maxAnswerTokens': 400 });
    await ask('Explain each line of the code that computes the price of a ticket.');
    const answer = last().locator('ask-answer');
    await answer.waitFor({ timeout: answerMs });
    process.kill(await enginePid(workbench()), 'SIGKILL');
    await last().getByText('The engine process stopped').waitFor();
    const written = await textOf(answer);
    expect(written).not.toBe('');
    await last().getByRole('button', { name: 'Continue' }).click();
    await last().locator('.facts').waitFor({ timeout: answerMs });
    expect((await textOf(answer)).startsWith(written.slice(0, 10))).toBe(true);
  });

  it('keeps an answer that a reload of the window cut off', async () => {
    await ask('How is the price of a ticket computed? Explain each line of the code.');
    await last().locator('ask-answer').waitFor({ timeout: answerMs });
    await workbench().page.waitForTimeout(700);
    await workbench().reload();
    await last().getByText('The window was closed or reloaded').waitFor();
    expect(await textOf(last().locator('ask-answer'))).not.toBe('');
    await last().getByRole('button', { name: 'Continue' }).click();
    await last().locator('.facts').waitFor({ timeout: answerMs });
    await workbench().screenshot('continued');
  });
});

describe('without a model', () => {
  const emptyFolder = mkdtempSync(join(tmpdir(), 'ask-codebase-no-model-'));
  const workbench = useWorkbench({
    workspace: ferryFolder,
    machineSettings: { 'askCodebase.modelFolder': emptyFolder, 'askCodebase.device': 'cpu' },
    settings: { 'askCodebase.maxAnswerTokens': 30 },
  });
  afterAll(() => rmSync(emptyFolder, { recursive: true, force: true }));

  it('welcomes with one button that gets the model, and then answers', async () => {
    await workbench().runCommand('Ask codebase');
    await workbench().quickInput().fill('What does a ticket cost?');
    await workbench().page.keyboard.press('Enter');
    const exchange = workbench().webview().locator('ask-exchange').last();
    const button = exchange.getByRole('button', { name: /^Get SmolLM2/ });
    await button.waitFor();
    await workbench().screenshot('welcome');
    expect(await exchange.innerText()).toMatch(/98(\.\d)? MB/);
    await button.click();
    await exchange.locator('.facts').waitFor({ timeout: 2 * answerMs });
  });
});

/** Of this window: others on the machine have engines, too. */
async function enginePid({ userDataFolder }: Workbench): Promise<number> {
  const folder = join(userDataFolder, 'User/globalStorage/ask-codebase.ask-codebase/engines');
  const pids = (await readdir(folder)).map((name) => Number(/^(\d+)\.json$/.exec(name)?.[1]));
  expect(pids).toHaveLength(1);
  return pids[0]!;
}
