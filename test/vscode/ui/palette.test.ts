import { expect, it } from 'vitest';
import { ferryFolder } from '../workspaces.ts';
import { useWorkbench } from './useWorkbench.ts';

const workbench = useWorkbench({ workspace: ferryFolder });

it('offers the main command in the palette, and the others beside it', async () => {
  const rows = await workbench().searchPalette('Ask codebase');
  await rows
    .filter({ hasText: /Ask Codebase: \w/ })
    .first()
    .waitFor();
  await workbench().screenshot('palette');
  const labels = await rows.locator('.label-name').allInnerTexts();
  expect(labels[0]).toBe('Ask codebase');
  await workbench().page.keyboard.press('Escape');
});

it('offers a question about a file in the menu of the explorer', async () => {
  await workbench().explorerRow('README.md').click({ button: 'right' });
  const entry = workbench().page.getByRole('menuitem', { name: /Ask.*File/i });
  await entry.first().waitFor();
  await workbench().screenshot('explorer-menu');
  await workbench().page.keyboard.press('Escape');
});
