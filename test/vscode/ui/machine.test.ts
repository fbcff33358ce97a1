/** Files that are on this machine, chosen where they lie, and what is told of the machine. A tiny model stands for all. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { ggufBytes, modelMetadata } from '../../unit/models/ggufWriter.ts';
import { ferryFolder } from '../workspaces.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-machine-'));
for (const name of ['models', 'tool', 'elsewhere']) mkdirSync(join(folder, name));
const ofTool = join(folder, 'tool/ofTool.gguf');
const served = join(folder, 'elsewhere/served.gguf');
const refused = join(folder, 'elsewhere/refused.gguf');
writeTinyModel(ofTool, tinyOptions);
writeTinyModel(served, tinyOptions);
const tensors = [{ name: 'token_embd.weight', dimensions: [64, 3] }];
writeFileSync(refused, ggufBytes({ metadata: modelMetadata('mamba'), tensors }));
afterAll(() => rmSync(folder, { recursive: true }));

const workbench = useWorkbench({
  workspace: ferryFolder,
  env: { LLAMA_CACHE: join(folder, 'tool'), ASK_CODEBASE_CACHE: join(folder, 'cache') },
  machineSettings: {
    'askCodebase.modelFolder': join(folder, 'models'),
    'askCodebase.device': 'cpu',
    'askCodebase.index': false,
    'askCodebase.maxAnswerTokens': 8,
  },
});
const { page, ask, ended } = usePanel(workbench);
const row = (text: string) => workbench().quickRows().filter({ hasText: text });

async function openChoice(): Promise<void> {
  await workbench().runCommand('Ask Codebase: Choose Model');
  await row('Best').first().waitFor();
}

it('a file of another tool is listed with the memory that it takes, and answers from where it lies', async () => {
  await workbench().openContainer('Ask Codebase');
  await openChoice();
  await row('of llama.cpp')
    .filter({ hasText: /ofTool.*▰▱{9} takes \d+ [kM]B of \d.* of free memory/s })
    .click();
  await workbench().statusBarItem('From the next question on, ofTool answers.').waitFor();
  await ask('What does a ticket cost?');
  expect((await ended()).exchange.facts?.model).toBe('Tiny random model');
});

it('the panel tells device, layers, memory and the release of llama.cpp', async () => {
  const told = page().locator('footer [title*="llama.cpp"]');
  expect(await told.innerText()).toContain('CPU');
  expect(await told.getAttribute('title')).toMatch(
    /^CPU: (\d+) of \1 layers, about \d+ MB\nllama\.cpp \d+\.\d+/,
  );
});

it('any other file is chosen by its place, and one that cannot be served says why', async () => {
  await openChoice();
  await chooseFile(refused);
  const refusal = workbench().notification('mamba has recurrent layers, which keep no keys to choose from');
  await refusal.getByRole('button', { name: 'Choose Model' }).click();
  await row('Best').first().waitFor();
  await chooseFile(served);
  await workbench().statusBarItem('From the next question on, served answers.').waitFor();
});

it('tells how fast this machine is, and what the workspace would take', async () => {
  await workbench().runCommand('Ask Codebase: Test This Machine');
  const dialog = workbench().dialog(/reads \d+ and answers \d+ tokens a second here/);
  await dialog.waitFor({ timeout: answerMs });
  const text = await dialog.innerText();
  expect(text).toMatch(/This workspace: \d+ files, about \d+ tokens; all of it takes \d+ s\./);
  expect(text).toMatch(/A question reads \d+ tokens by default, which takes \d+ s\./);
  await workbench().screenshot('test-this-machine');
  await dialog.getByRole('button', { name: 'OK' }).click();
});

it('no file of another tool can be deleted here', async () => {
  await workbench().runCommand('Ask Codebase: Manage Models');
  await workbench().page.getByPlaceholder('There is none in').waitFor();
  expect(await workbench().quickRows().count()).toBe(0);
  await workbench().page.keyboard.press('Escape');
  expect(existsSync(ofTool)).toBe(true);
});

/** By the dialog of a remote window, which looks up its own folder first, and then what is typed. */
async function chooseFile(path: string): Promise<void> {
  await workbench().quickInput().fill('Choose a GGUF');
  await row('Choose a GGUF file').click();
  await row('..').waitFor();
  await workbench().quickInput().fill(path);
  await row(path.slice(path.lastIndexOf('/') + 1)).waitFor();
  await workbench().page.locator('.quick-input-widget:visible').getByText('OK').click();
}
