/** What the driver does, and that the window is a real one: the other tests build on it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ferryFolder, noFolder, twoFolders } from '../workspaces.ts';
import { useWorkbench } from './useWorkbench.ts';

/** Longer than VS Code waits before it writes down what the window has open. */
const EDITORS_STORED_MILLISECONDS = 2_000;

describe('a folder', () => {
  const workbench = useWorkbench({
    workspace: ferryFolder,
    settings: { 'workbench.colorTheme': 'Default Dark Modern' },
  });

  it('opens a file, and goes to a line of it', async () => {
    await workbench().openFile('sailing/weather.py');
    await workbench().goToLine(6);
    expect(await workbench().activeTab()).toBe('weather.py');
    expect(await workbench().caret()).toBe('Ln 6, Col 1');
    expect(await workbench().editorLine('MAX_WIND_METRES_PER_SECOND = 17').count()).toBe(1);
  });

  it('writes what is typed to the disk when a command saves it', async () => {
    await workbench().page.keyboard.type('# Written by hand.');
    await workbench().runCommand('File: Save');
    const path = join(workbench().workspacePath ?? '', 'sailing/weather.py');
    await expect.poll(async () => readFile(path, 'utf8')).toContain('# Written by hand.');
  });

  it('has the settings that were given', async () => {
    expect(await workbench().page.locator('.monaco-workbench.vs-dark').count()).toBe(1);
  });

  it('has its editors again after a reload', async () => {
    await workbench().openFile('sailing/weather.py');
    // The editors that a window brings back are written down a moment after they were opened.
    await workbench().page.waitForTimeout(EDITORS_STORED_MILLISECONDS);
    await workbench().reload();
    await workbench().explorerRow('README.md').waitFor();
    await workbench().tab('weather.py').waitFor();
  });

  it('answers a quick pick', async () => {
    await workbench().runCommand('Preferences: Color Theme');
    await workbench().pick('Light Modern');
    await workbench().page.locator('.monaco-workbench.vs').waitFor();
  });
});

describe('Restricted Mode', () => {
  const workbench = useWorkbench({ workspace: ferryFolder, workspaceTrust: true });

  it('ends when the user trusts the folder', async () => {
    await workbench().statusBarItem('Restricted Mode').click();
    await workbench().screenshot('restricted-mode');
    await workbench().page.getByRole('button', { name: 'Trust', exact: true }).click();
    await workbench().statusBarItem('Restricted Mode').waitFor({ state: 'hidden' });
  });
});

describe('several folders', () => {
  const workbench = useWorkbench({ workspace: twoFolders });

  it('shows them all', async () => {
    await workbench().explorerRow('ferry').waitFor();
    await workbench().explorerRow('lighthouse').waitFor();
  });
});

describe('no folder', () => {
  const workbench = useWorkbench({ workspace: noFolder });

  it('opens an empty window', async () => {
    await workbench().openContainer('Explorer');
    await workbench().page.getByText('No Folder Opened').waitFor();
    await workbench().screenshot('no-folder');
  });
});
