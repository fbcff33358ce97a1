/** What is read: the texts as the editors show them, of all folders of the window. The real model answers. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { textHash } from '../../../extension/textHash.ts';
import { smolLm2Path } from '../../modelFiles.ts';
import { twoFolders } from '../workspaces.ts';
import { usePanel } from './panel.ts';
import { useWorkbench } from './useWorkbench.ts';

const workbench = useWorkbench({
  workspace: twoFolders,
  machineSettings: {
    'askCodebase.modelFolder': dirname(await smolLm2Path()),
    'askCodebase.device': 'cpu',
    'askCodebase.maxAnswerTokens': 16,
  },
  settings: { 'files.autoSave': 'off' },
});
const { last, askAnew, ended } = usePanel(workbench);

it('reads all folders, and opens the lines of each in its own', async () => {
  await workbench().openContainer('Ask Codebase');
  await askAnew('Who is the keeper of the lighthouse, and between which towns does the ferry sail?');
  const { exchange, reading } = await ended();
  expect(reading?.folders).toEqual(['ferry', 'lighthouse']);
  const readmes = exchange.facts?.evidence.filter(({ path }) => path === 'README.md') ?? [];
  expect(new Set(readmes.map(({ workspace }) => workspace))).toEqual(new Set(['ferry', 'lighthouse']));

  // Both folders have a file of this path.
  await last().locator('details.evidence summary').click();
  for (const [folder, text] of [
    ['lighthouse', 'Wilhelmine'],
    ['ferry', 'between Altwarp and Kamminke'],
  ] as const) {
    await last()
      .locator('.evidence .lines-link', { hasText: `${folder}/README.md` })
      .first()
      .click();
    await workbench().editorLine(text).waitFor();
    expect(await workbench().activeTab()).toBe('README.md');
    await expect.poll(() => workbench().caret()).toMatch(/selected/);
  }
});

it('reads what is typed and not saved', async () => {
  const name = 'lamp.go';
  const path = join(dirname(workbench().workspacePath ?? ''), 'lighthouse', name);
  const saved = await readFile(path, 'utf8');
  const line = saved.split('\n').length;
  const typed = '// The spare bulb of the lamp lies in the drawer of the blue cupboard.';
  await workbench().openFile(name);
  // The tab is there before the editor takes the keyboard.
  await expect
    .poll(async () => {
      await workbench().page.keyboard.press('Control+End');
      return workbench().caret();
    })
    .toContain(`Ln ${line},`);
  await workbench().page.keyboard.insertText(typed);
  await workbench().editorLine(typed.slice(-20)).waitFor();

  await askAnew('Where does the spare bulb of the lamp lie?');
  const { exchange, reading } = await ended();
  expect(await readFile(path, 'utf8')).toBe(saved);
  expect(reading?.files.find(({ path }) => path === name)?.hash).toBe(textHash(saved + typed));
  const kept =
    exchange.facts?.evidence.filter(({ path, endLine }) => path === name && endLine === line) ?? [];
  expect(kept).toHaveLength(1);
});
