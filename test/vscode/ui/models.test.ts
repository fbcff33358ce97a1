/** Choosing, getting and deleting models by clicks. A tiny model stands for all, and a server of the test for the hub. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { hubFile, startFaultyServer } from '../../unit/models/faultyServer.ts';
import { ggufBytes, modelMetadata } from '../../unit/models/ggufWriter.ts';
import { ferryFolder } from '../workspaces.ts';
import { usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-models-'));
const own = join(folder, 'own.gguf');
writeTinyModel(own, tinyOptions);
const strange = ggufBytes({
  metadata: modelMetadata('mamba'),
  tensors: [{ name: 'token_embd.weight', dimensions: [64, 3] }],
});
writeFileSync(join(folder, 'strange.gguf'), strange);

const tiny = readFileSync(own);
const files = [
  { rfilename: 'tiny-Q8_0.gguf', size: tiny.length },
  { rfilename: 'README.md', size: 100 },
  { rfilename: 'huge-Q4_K_M.gguf', size: 9e12 },
];
const hub = await startFaultyServer((request, response) => {
  if (request.url?.startsWith('/api/models/') === true) {
    response.end(JSON.stringify({ siblings: files }));
    return;
  }
  return hubFile(tiny, request.url?.replace(/\/resolve\/[^/]+\//, '/resolve/main/') ?? '')(request, response);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

describe('models', () => {
  const workbench = useWorkbench({
    workspace: ferryFolder,
    machineSettings: {
      'askCodebase.modelFolder': folder,
      'askCodebase.modelMirror': new URL(hub.url).origin,
      'askCodebase.device': 'cpu',
      'askCodebase.index': false,
      'askCodebase.maxAnswerTokens': 12,
      'askCodebase.reading': 'limit',
      'askCodebase.readingLimit': 1_000,
    },
  });
  const { page, last, ask, ended } = usePanel(workbench);
  const row = (text: string) => workbench().quickRows().filter({ hasText: text });

  it('the first question is answered by what suits the machine, after one click', async () => {
    await workbench().openContainer('Ask Codebase');
    await ask('What does a ticket cost?');
    await last().getByText('It suits this machine:').waitFor();
    await last().getByRole('button', { name: 'Get SmolLM2-135M-Instruct (98 MB)' }).waitFor();
    await workbench().screenshot('setup');
    const get = last().locator('.card button.primary');
    const [, name = ''] = /^Get (.+) \(about/.exec((await get.innerText()).trim()) ?? [];
    await get.click();
    expect((await ended()).exchange.failure).toBeUndefined();
    await page().locator('footer', { hasText: name }).waitFor();
  });

  it('says why a model cannot be served, and takes one that can', async () => {
    await workbench().runCommand('Ask Codebase: Choose Model');
    await row('balanced').or(row('Balanced')).first().waitFor();
    await workbench().screenshot('choose-model');
    await row('strange.gguf').click();
    const refusal = workbench().notification('mamba has recurrent layers');
    await refusal.getByRole('button', { name: 'Choose Model' }).click();
    await row('own.gguf').click();
    await workbench().statusBarItem('From the next question on, own answers.').waitFor();
    await ask('And a return ticket?');
    const { exchange } = await ended();
    expect(exchange.failure).toBeUndefined();
    expect(exchange.facts?.model).toBe('Tiny random model');
  });

  it('a repository of the hub shows its files, and one of them is chosen', async () => {
    await workbench().runCommand('Ask Codebase: Choose Model');
    await row('balanced').or(row('Balanced')).first().waitFor();
    await workbench().quickInput().fill('Enter a model');
    await row('Enter a model of Hugging Face').click();
    await workbench().page.getByText('A Model of Hugging Face').waitFor();
    await workbench().quickInput().fill('hf:ferry/models');
    await workbench().quickInput().press('Enter');
    await row('huge-Q4_K_M.gguf').filter({ hasText: 'more than suits' }).waitFor();
    expect(await row('README.md').count()).toBe(0);
    await workbench().screenshot('hub-files');
    await row('tiny-Q8_0.gguf').filter({ hasText: 'Q8_0' }).click();
    await workbench().notification('tiny-Q8_0 has to be downloaded').waitFor();
  });

  it('says how large CUDA is before anything is fetched', async () => {
    await workbench().runCommand('Ask Codebase: Get CUDA');
    const dialog = workbench().dialog('320 MB are fetched with npm, and 563 MB of the disk are taken');
    await workbench().screenshot('get-cuda');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  it('tells what models take of the disk, and deletes one', async () => {
    await workbench().runCommand('Ask Codebase: Manage Models');
    await row('strange.gguf').click();
    const dialog = workbench().dialog('Delete strange.gguf?');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await row('own.gguf').waitFor();
    await workbench().screenshot('manage-models');
    expect(await row('strange.gguf').count()).toBe(0);
    expect(existsSync(join(folder, 'strange.gguf'))).toBe(false);
    expect(existsSync(own)).toBe(true);
    await workbench().page.keyboard.press('Escape');
  });
});
