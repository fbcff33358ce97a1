/** What was read is kept: follow-ups, reloads, changed files, and the command that clears it. With the real model. */
import { appendFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { smolLm2Path } from '../../modelFiles.ts';
import { ferryFolder } from '../workspaces.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const modelFolder = dirname(await smolLm2Path());
const workbench = useWorkbench({
  workspace: ferryFolder,
  machineSettings: {
    'askCodebase.modelFolder': modelFolder,
    'askCodebase.device': 'cpu',
    // Less than the files, so that something is dropped.
    'askCodebase.tokenBudget': 256,
    // What is compared here is read in the order of the words alone.
    'askCodebase.index': false,
  },
  settings: { 'askCodebase.maxAnswerTokens': 12 },
});
const { page, ask, askAnew, last, ended } = usePanel(workbench);
const question = 'What is the highest wind at which the ferry sails?';

it('answers the same question again without reading', async () => {
  await workbench().openContainer('Ask Codebase');
  await ask(question);
  const first = await ended();
  expect(first.exchange.facts?.statistics.reused).toBe('none');
  await askAnew(question);
  const second = await ended();
  expect(second.exchange.facts?.statistics.reused).toBe('state');
  expect(second.exchange.facts?.evidence).toEqual(first.exchange.facts?.evidence);
  expect(await last().locator('.figures').innerText()).toMatch(/From .+, files unchanged/);
  await workbench().screenshot('from-earlier');
});

it('goes on with it after a reload of the window, with a new engine', async () => {
  await workbench().reload();
  await ask('How strong may the wind be for the ferry?');
  const { exchange, reading } = await ended();
  expect(exchange.readAgain).toBeUndefined();
  expect(exchange.facts?.statistics.reused).toBe('state');
  expect(reading?.question).toBe(question);
});

it('says which answers are older than their files, and reads them again', async () => {
  const folder = workbench().workspacePath!;
  const { reading } = await ended();
  await appendFile(join(folder, reading!.files[0]!.path), '\n// The ferry also sails on Sundays.\n');
  const stale = page().locator('.stale');
  await expect.poll(() => stale.count(), { timeout: answerMs }).toBe(2);
  expect(await stale.first().innerText()).toContain('1 file changed since this answer.');
  await workbench().screenshot('changed-since');
  await last().getByRole('button', { name: 'Read again' }).click();
  await expect.poll(() => stale.count(), { timeout: answerMs }).toBe(1);
  const again = await ended();
  expect(again.exchange.facts?.statistics.reused).toBe('none');
});

it('reads a follow-up for itself when a file has changed, and says so', async () => {
  const folder = workbench().workspacePath!;
  const { reading } = await ended();
  await appendFile(join(folder, reading!.files[0]!.path), '\n// And on Mondays.\n');
  await ask('And on which days?');
  const { exchange } = await ended();
  expect(exchange.readAgain).toEqual({ reason: 'filesChanged', files: 1 });
  await last().getByText('1 file had changed, so it was read again.').waitFor();
});

it('shows what is kept, and clears it', async () => {
  await page().getByRole('button', { name: 'Conversations' }).click();
  expect(await page().locator('.storage').innerText()).toMatch(/Kept readings: .+ MB of 10/);
  await workbench().screenshot('kept-readings');
  await workbench().runCommand('Ask Codebase: Clear Stored Readings');
  await page().locator('.storage').waitFor({ state: 'detached' });
  const storage = join(workbench().userDataFolder, 'User', 'workspaceStorage');
  const kept = (await readdir(storage, { recursive: true })).filter((path) => /\.(kv|part)$/.test(path));
  expect(kept).toEqual([]);
});
