/** Drives the window of the host as a person does: by its keys, its menus and what it shows. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BrowserContext, FrameLocator, Locator, Page } from 'playwright-core';
import { views } from '../../../extension/contributions.ts';
import { loadWorkbench, startBrowser, type WindowSize } from './browser.ts';
import {
  installVsix,
  startServer,
  writeSettings,
  type Server,
  type ServerOptions,
  type Settings,
} from './server.ts';
import type { WorkspaceMaker } from '../workspaces.ts';

const root = resolve(import.meta.dirname, '../../..');
const screenshotFolder = join(root, 'test/vscode/screenshots');
const ACTION_LIMIT_MILLISECONDS = 30_000;
const MENU_REST_MILLISECONDS = 200;

export interface WorkbenchOptions extends ServerOptions {
  /** What the window opens; without it no folder. */
  readonly workspace?: WorkspaceMaker;
  /** A packed extension to install. Without it the extension runs from its source folder, as it was last built. */
  readonly vsixPath?: string;
  /** That source folder, when it is not this repository. */
  readonly extensionFolder?: string;
  /** Folders of extensions that run beside it. */
  readonly otherExtensions?: readonly string[];
  /** In CSS pixels; 1280 by 800 unless given. */
  readonly size?: WindowSize;
}

/** Starts a server and a window. The caller closes it. Throws when either does not come up. */
export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  const server = await startServer(options);
  try {
    const browser = await startBrowser(server, options.size ?? { width: 1280, height: 800 });
    try {
      const folder = join(server.temporaryFolder, 'workspace');
      await mkdir(folder);
      const workspacePath = await options.workspace?.(folder);
      if (options.vsixPath !== undefined) await installVsix(options.vsixPath, server.extensionsFolder);
      const page = browser.pages()[0] ?? (await browser.newPage());
      page.setDefaultTimeout(ACTION_LIMIT_MILLISECONDS);
      const own = options.vsixPath === undefined ? [options.extensionFolder ?? root] : [];
      const developmentFolders = [...own, ...(options.otherExtensions ?? [])];
      await loadWorkbench(page, server, { workspacePath, developmentFolders });
      await extensionKnown(page);
      return new Workbench(page, browser, server, workspacePath);
    } catch (error) {
      await browser.close();
      throw error;
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * A window with its server. Its functions wait up to 30 s for what they act on and throw when it does not appear;
 * those that give a Locator do not wait.
 */
export class Workbench {
  readonly page: Page;
  /** The path of the folder or .code-workspace file that is open. */
  readonly workspacePath: string | undefined;
  readonly #browser: BrowserContext;
  readonly #server: Server;
  #settingsChanges = 0;

  constructor(page: Page, browser: BrowserContext, server: Server, workspacePath: string | undefined) {
    this.page = page;
    this.workspacePath = workspacePath;
    this.#browser = browser;
    this.#server = server;
  }

  /** Closes the window, ends the server and removes their temporary folders. */
  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
  }

  /** Holds the settings files and what extensions store. */
  get userDataFolder(): string {
    return this.#server.userDataFolder;
  }

  /** Replaces the machine's settings. Resolves once the window has taken them, and so has told its extensions. */
  async changeMachineSettings(settings: Settings): Promise<void> {
    const title = `settings ${++this.#settingsChanges}`;
    const machineSettings = { ...settings, 'window.title': title };
    await writeSettings(this.#server.userDataFolder, { machineSettings });
    await this.page.waitForFunction((title) => document.title.endsWith(title), title);
  }

  /** Loads the window anew, as "Developer: Reload Window" does; the extension host is a new one afterwards. */
  async reload(): Promise<void> {
    await this.page.reload();
    await extensionKnown(this.page);
  }

  /** Opens the command palette and types into it; gives the rows that are then offered. */
  async searchPalette(text: string): Promise<Locator> {
    // A pointer that rests where rows appear would bring up a hover over them.
    await this.page.mouse.move(0, 0);
    await this.#typeAfter('F1', `>${text}`);
    return this.quickRows();
  }

  /** Runs the command that the palette shows under exactly this title, with its category: "View: Close Editor". */
  async runCommand(title: string): Promise<void> {
    await this.searchPalette(title);
    await this.pick(title);
  }

  /** Opens a file by "Go to File" and waits for its tab. The path is relative to the workspace. */
  async openFile(path: string): Promise<void> {
    await this.#typeAfter('Control+p', path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    await this.pick(name);
    await this.tab(name).waitFor();
  }

  /** Puts the caret into a line of the editor that has the focus, by "Go to Line"; lines are 1-based. */
  async goToLine(line: number): Promise<void> {
    await this.#typeAfter('Control+g', `:${line}`);
    // Enter would be lost before the row for it is there.
    await this.quickRows()
      .filter({ hasText: new RegExp(`line ${line}\\b`) })
      .click();
    await this.quickInput().waitFor({ state: 'hidden' });
  }

  /**
   * Types into the quick input that a key opens. The workbench is drawn before its keys are bound, and a focus that
   * arrives late closes the input again, so the key is pressed until the text is there.
   */
  async #typeAfter(key: string, text: string): Promise<void> {
    const until = Date.now() + ACTION_LIMIT_MILLISECONDS;
    for (;;) {
      await this.page.keyboard.press(key);
      try {
        await this.quickInput().fill(text, { timeout: 2_000 });
        return;
      } catch (error) {
        if (Date.now() >= until) throw error;
      }
    }
  }

  /** The input of the palette, of a quick pick or of an input box. */
  quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-box input');
  }

  /** The rows that a palette or quick pick shows. */
  quickRows(): Locator {
    return this.page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row');
  }

  /** Clicks the row of a quick pick with exactly this label. */
  async pick(label: string): Promise<void> {
    const exact = this.page.locator('.label-name', { hasText: new RegExp(`^\\s*${escaped(label)}\\s*$`) });
    await this.quickRows().filter({ has: exact }).first().click();
  }

  /** Answers an input box: waits for it, replaces its text, presses Enter. */
  async answerInput(text: string): Promise<void> {
    await this.quickInput().fill(text);
    await this.page.keyboard.press('Enter');
  }

  /**
   * Clicks an icon of the activity bar, by the title of its container, unless that is open: another click would close
   * it, as where a test is tried again.
   */
  async openContainer(title: string): Promise<void> {
    const item = this.page.locator('.activitybar .action-item', {
      has: this.page.locator(`a[aria-label^="${title}"]`),
    });
    const isShown = (await item.getAttribute('class'))?.split(' ').includes('checked') ?? false;
    if (!isShown) await item.locator('a').click();
  }

  /**
   * The document of a webview, for locators within it: `workbench.webview().getByRole('button')`.
   * With several webviews in the window, `index` counts them in the order in which they were made.
   */
  webview(index = 0): FrameLocator {
    return this.page.locator('iframe.webview.ready').nth(index).contentFrame().frameLocator('#active-frame');
  }

  /** The status bar item that has this text. */
  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** The notification that has this text, while it is shown; its buttons are within: `.getByRole('button', { name })`. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast', { hasText: text });
  }

  /** A modal dialog that has this text, with its buttons. */
  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  /** The tab of an open editor, by its label: the name of its file. */
  tab(name: string): Locator {
    return this.page.locator(`.tab[data-resource-name="${name}"], .tab[aria-label="${name}"]`);
  }

  /** The label of the editor in front. */
  async activeTab(): Promise<string> {
    const tab = this.page.locator('.editor-group-container.active .tab.active');
    return (await tab.getAttribute('data-resource-name')) ?? (await tab.getAttribute('aria-label')) ?? '';
  }

  /** A line of the visible editor by its text; scrolled-away lines are not in the document. */
  editorLine(text: string | RegExp): Locator {
    return this.page.locator('.editor-instance .view-line', { hasText: text });
  }

  /** What the status bar says of the caret: "Ln 12, Col 1", with " (80 selected)" when something is selected. */
  async caret(): Promise<string> {
    return this.page.locator('.statusbar-item[id="status.editor.selection"]').innerText();
  }

  /** The row of the explorer with this name; a folder is opened by clicking it. */
  explorerRow(name: string): Locator {
    return this.page.locator('.explorer-folders-view .monaco-list-row', {
      has: this.page.getByText(name, { exact: true }),
    });
  }

  /** Opens the context menu of an element and clicks one of its entries, by its exact title. */
  async chooseFromMenu(element: Locator, title: string): Promise<void> {
    await element.click({ button: 'right' });
    const text = new RegExp(`^\\s*${escaped(title)}\\s*$`);
    const entry = this.page.locator('.monaco-menu .action-label', { hasText: text });
    await entry.waitFor();
    // A menu takes no click in the first moment after it was opened.
    await this.page.waitForTimeout(MENU_REST_MILLISECONDS);
    await entry.click();
  }

  /** Keeps a picture of the window as test/vscode/screenshots/NAME.png and gives its path. */
  async screenshot(name: string): Promise<string> {
    const path = join(screenshotFolder, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }
}

/** The palette and the menus have the extension's commands when the activity bar has its icon, and not earlier. */
async function extensionKnown(page: Page): Promise<void> {
  await page.locator(`.activitybar [class*="view-extension-${views.container}"]`).first().waitFor();
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
