/** The workspace is indexed in idle time, and later questions are ranked with the index. With the real model. */
import { appendFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { smolLm2Path } from '../../modelFiles.ts';
import { ferryFolder } from '../workspaces.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const modelFolder = dirname(await smolLm2Path());
const machineSettings = { 'askCodebase.modelFolder': modelFolder, 'askCodebase.device': 'cpu' };
const workbench = useWorkbench({
  workspace: ferryFolder,
  machineSettings,
  settings: { 'askCodebase.maxAnswerTokens': 12 },
});
const { ask, askAnew, last, ended } = usePanel(workbench);
const indexes = async (): Promise<void> => {
  const item = workbench().statusBarItem('Ask: indexing');
  await item.waitFor({ timeout: answerMs });
  await item.waitFor({ state: 'hidden', timeout: answerMs });
};

it('indexes after an answer, and ranks the next question with it', async () => {
  await workbench().openContainer('Ask Codebase');
  await ask('What is the highest wind at which the ferry sails?');
  expect((await ended()).exchange.facts?.statistics.reused).toBe('none');
  await indexes();
  await askAnew('What does it cost to take a bicycle along?');
  expect((await ended()).exchange.facts?.statistics.reused).toBe('index');
  expect(await last().locator('.figures').innerText()).toContain('Ranked with the index');
  await workbench().screenshot('ranked-with-the-index');
});

it('is paused, and goes on from the menu of the status bar', async () => {
  await workbench().runCommand('Ask Codebase: Pause or Resume Indexing');
  await appendFile(join(workbench().workspacePath!, 'README.md'), '\nDogs travel without a ticket.\n');
  await workbench().statusBarItem('Ask: ready').click();
  await workbench().pick('Resume Indexing');
  await indexes();
});

it('is made when it is asked for, and says what there is', async () => {
  await workbench().runCommand('Ask Codebase: Index the Workspace Now');
  await workbench()
    .notification(/^(\d+) of \1 files are indexed/)
    .waitFor();
});

it('says why there is none when nothing may be kept', async () => {
  await workbench().changeMachineSettings({ ...machineSettings, 'askCodebase.storedReadingsLimit': 0 });
  await workbench().runCommand('Ask Codebase: Index the Workspace Now');
  await workbench().notification('storedReadingsLimit').waitFor();
});
