/** The view comes and goes, and nothing of what it shows is lost; no model is needed for that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { ferryFolder } from '../workspaces.ts';
import { usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const emptyFolder = mkdtempSync(join(tmpdir(), 'ask-codebase-no-model-'));
afterAll(() => rmSync(emptyFolder, { recursive: true, force: true }));
const workbench = useWorkbench({
  workspace: ferryFolder,
  machineSettings: { 'askCodebase.modelFolder': emptyFolder, 'askCodebase.device': 'cpu' },
});
const { page, input, last, ask } = usePanel(workbench);

const icon = 'Ask Codebase';
const fromMenuOfIcon = (entry: string): Promise<void> =>
  workbench().chooseFromMenu(
    workbench().page.locator(`.activitybar .action-item a[aria-label^="${icon}"]`),
    `${entry} '${icon}'`,
  );
const isThere = (): Promise<void> => input().waitFor();
const isGone = (): Promise<void> =>
  workbench().page.locator('iframe.webview.ready').first().waitFor({ state: 'detached' });

/** How the view goes out of sight, and comes back. */
const goings: readonly [name: string, hide: () => Promise<void>, show: () => Promise<void>][] = [
  [
    'hidden behind another view',
    () => workbench().openContainer('Explorer'),
    () => workbench().openContainer(icon),
  ],
  [
    'hidden with the side bar',
    () => workbench().runCommand('View: Toggle Primary Side Bar Visibility'),
    () => workbench().runCommand('View: Toggle Primary Side Bar Visibility'),
  ],
  [
    'closed',
    () => fromMenuOfIcon('Hide'),
    async () => {
      await workbench().runCommand('View: Show Ask Codebase');
      await fromMenuOfIcon('Keep');
    },
  ],
];

beforeEach(async ({ task }) => {
  if (task.name === firstTest) return;
  await workbench().runCommand('Ask Codebase: Focus the Question');
  // A menu that is open when the focus arrives would be closed by it.
  await hasFocus();
});

/** What the user sees in it. */
async function seen(): Promise<{ readonly text: string; readonly typed: string }> {
  await last()
    .getByRole('button', { name: /^Get SmolLM2/ })
    .waitFor();
  return { text: await page().locator('ask-page').innerText(), typed: await input().inputValue() };
}

async function hasFocus(): Promise<void> {
  const focused = (): Promise<boolean> =>
    input().evaluate((element) => element === document.activeElement && document.hasFocus());
  await expect.poll(focused, { timeout: 10_000 }).toBe(true);
}

const firstTest = 'opens with its icon, and takes a question and the beginning of another one';
it(firstTest, async () => {
  await workbench().openContainer(icon);
  await ask('What does a ticket cost?');
  await input().fill('And a bicycle');
  expect((await seen()).text).toContain('What does a ticket cost?');
});

it.each(goings)('is as it was after it was %s', async (_, hide, show) => {
  const before = await seen();
  expect(before.typed).toBe('And a bicycle');
  await hide();
  await isGone();
  await show();
  await isThere();
  expect(await seen()).toEqual(before);
});

it.each(goings)('gives the focus to the question after it was %s', async (_, hide) => {
  await input().fill('');
  await hide();
  await isGone();
  await workbench().runCommand('Ask Codebase: Focus the Question');
  await hasFocus();
  await workbench().page.keyboard.type('And a bicycle');
  await expect.poll(() => input().inputValue()).toBe('And a bicycle');
});

it('loses no word when the focus goes to an editor and comes back', async () => {
  await input().fill('');
  await workbench().openFile('README.md');
  await workbench().runCommand('Ask Codebase: Focus the Question');
  await hasFocus();
  await workbench().page.keyboard.type('And a dog');
  await expect.poll(() => input().inputValue()).toBe('And a dog');
});

it('is as it was after it was moved to the other side bar', async () => {
  const before = await seen();
  await workbench().runCommand('View: Move View');
  await workbench().pick('Chat');
  await workbench().pick('New Secondary Side Bar Entry');
  await workbench()
    .page.locator('.part.auxiliarybar')
    .getByText('Chat')
    .first()
    .waitFor({ state: 'attached' });
  await isThere();
  expect(await seen()).toEqual(before);
});
