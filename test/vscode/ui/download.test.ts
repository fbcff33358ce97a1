/** A gated model of a hub, by way of a mirror and a proxy that alone know it: token, pause, a new window, resume. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { hubError, hubFile, startFaultyServer, stopAt, type Answer } from '../../unit/models/faultyServer.ts';
import { startProxy } from '../../unit/models/proxyServer.ts';
import { ferryFolder } from '../workspaces.ts';
import { answerMs, usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-download-'));
writeTinyModel(join(folder, 'tiny.gguf'), tinyOptions);
const content = readFileSync(join(folder, 'tiny.gguf'));
const half = Math.floor(content.length / 2);
const partPath = join(folder, 'huggingface/owner/tiny/main/tiny.gguf.part');
const filePath = '/owner/tiny/resolve/main/tiny.gguf';

/** Nothing without a token, and the first time only half of the file. */
let stops = true;
const gatedHub: Answer = (request, response) => {
  if (request.url === '/cdn' && stops) {
    stops = false;
    return stopAt(content, half, partPath, () => undefined)(request, response);
  }
  const known = request.url === '/cdn' || request.headers.authorization === 'Bearer secret';
  return (known ? hubFile(content, filePath) : hubError(401, 'GatedRepo'))(request, response);
};
const hub = await startFaultyServer(gatedHub);
const proxy = await startProxy(hub.url);
afterAll(async () => {
  await hub.close();
  await proxy.close();
  rmSync(folder, { recursive: true });
});

const workbench = useWorkbench({
  workspace: ferryFolder,
  env: { ASK_CODEBASE_CACHE: join(folder, 'cache') },
  settings: { 'http.proxy': proxy.url, 'askCodebase.maxAnswerTokens': 8 },
  machineSettings: {
    'askCodebase.model': 'hf:owner/tiny/tiny.gguf',
    'askCodebase.modelMirror': 'http://hub.invalid',
    'askCodebase.modelFolder': folder,
    'askCodebase.device': 'cpu',
    'askCodebase.index': false,
  },
});
const { last, ask, ended } = usePanel(workbench);
const button = (name: string | RegExp) => last().getByRole('button', { name });

it('says what a gated model needs, and takes the token', async () => {
  await workbench().openContainer('Ask Codebase');
  await ask('What does a ticket cost?');
  await last().getByText('accepted the conditions at https://huggingface.co/owner/tiny').waitFor();
  await button('Set Hugging Face Token').click();
  await workbench().answerInput('secret');
  await workbench().notification('The Hugging Face token is set.').waitFor();
  await button('Ask Again').click();
  await button(/^Get tiny \(.+ kB\)$/).waitFor();
  expect(proxy.targets[0]).toBe('hub.invalid:80');
});

it('is paused, and says how much is there', async () => {
  await button(/^Get tiny/).click();
  await last().getByText('from hub.invalid').waitFor();
  await button('Pause').click();
  await button(/^Resume \(.+ of .+ are there\)$/).waitFor();
  await workbench().screenshot('download-paused');
});

it(
  'goes on in a new window, and the question is answered',
  async () => {
    await workbench().reload();
    await button('Continue').click();
    await button(/^Resume/).click();
    const { exchange } = await ended();
    expect(exchange.facts?.model).toMatch(/^Tiny random/);
    expect(hub.ranges.at(-1)).toBe(`bytes=${half}-`);
  },
  2 * answerMs,
);

it('its heads are found in idle time, although no index is wanted', async () => {
  const heads = join(folder, 'cache/heads');
  const found = (): number => (existsSync(heads) ? readdirSync(heads).length : 0);
  await expect.poll(found, { timeout: answerMs }).toBe(1);
});

it('is asked for by the command, too, and is there', async () => {
  await workbench().runCommand('Ask Codebase: Get the Model');
  await workbench().notification('The model is on this machine.').waitFor();
  await workbench().runCommand('Ask Codebase: Remove Hugging Face Token');
  await workbench().notification('The Hugging Face token is removed.').waitFor();
});
