/** The window of the VS Code host: Debian's Chromium, driven through Playwright. */
import { join, resolve } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import type { Server } from './server.ts';

const WORKBENCH_LIMIT_MILLISECONDS = 90_000;

/** In CSS pixels. */
export interface WindowSize {
  readonly width: number;
  readonly height: number;
}

/** What a window shows and runs. Paths are those of this machine. */
export interface WindowContent {
  /** A folder, or a file that ends in .code-workspace. Without it the window is empty. */
  readonly workspacePath?: string | undefined;
  /** Extensions that run from their source folders, as under F5. */
  readonly developmentFolders?: readonly string[];
  /** The module that exports `run`, which the extension host then calls. */
  readonly testsPath?: string | undefined;
}

/** Starts Chromium without a display. Its profile is within the server's temporary folder, so it goes with that. */
export async function startBrowser(server: Server, viewport: WindowSize): Promise<BrowserContext> {
  return chromium.launchPersistentContext(join(server.temporaryFolder, 'browser'), {
    executablePath: process.env['ASK_CODEBASE_CHROMIUM'] ?? '/usr/bin/chromium',
    viewport,
    // As for `stopEndlessAnimations`.
    reducedMotion: 'reduce',
    // As root it needs the first; without a network the others only make noise in the log.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** Loads the workbench into a page and waits until it is drawn. Throws when it does not come up in time. */
export async function loadWorkbench(page: Page, server: Server, content: WindowContent): Promise<void> {
  await page.addInitScript(stopEndlessAnimations);
  await page.addInitScript(addDevelopmentOptions, {
    origin: server.origin,
    options: developmentOptions(server, content),
  });
  const answer = await page.goto(workbenchAddress(server, content.workspacePath));
  if (answer?.ok() !== true) {
    throw new Error(`The workbench page answered ${answer?.status() ?? 'nothing'}:\n${server.log()}`);
  }
  await page.locator('.monaco-workbench').waitFor({ timeout: WORKBENCH_LIMIT_MILLISECONDS });
}

function workbenchAddress({ origin }: Server, workspacePath: string | undefined): string {
  const address = new URL(origin);
  if (workspacePath === undefined) address.searchParams.set('ew', 'true');
  else if (workspacePath.endsWith('.code-workspace')) {
    address.searchParams.set('workspace', resolve(workspacePath));
  } else address.searchParams.set('folder', resolve(workspacePath));
  return address.href;
}

interface RemoteUri {
  readonly scheme: 'vscode-remote';
  readonly authority: string;
  readonly path: string;
}

interface DevelopmentOptions {
  readonly extensions?: readonly RemoteUri[];
  readonly extensionTestsPath?: RemoteUri;
}

function developmentOptions({ origin }: Server, content: WindowContent): DevelopmentOptions {
  // The authority of files on the server is the host of the page itself.
  const remote = (path: string): RemoteUri => ({
    scheme: 'vscode-remote',
    authority: new URL(origin).host,
    path: resolve(path),
  });
  const { developmentFolders = [], testsPath } = content;
  return {
    ...(developmentFolders.length === 0 ? {} : { extensions: developmentFolders.map(remote) }),
    ...(testsPath === undefined ? {} : { extensionTestsPath: remote(testsPath) }),
  };
}

/**
 * Runs in the page before its own scripts. Without a GPU, a bar or wheel that moves for as long as the model reads
 * takes most of a core, before the engine, which yields to the editor: on two cores little is left to the model.
 */
function stopEndlessAnimations(): void {
  const style = new CSSStyleSheet();
  style.replaceSync(
    '.progress-bit, .codicon-modifier-spin, .codicon-modifier-spin::before { animation: none !important; }',
  );
  document.adoptedStyleSheets.push(style);
}

/**
 * Runs in the page before its own scripts. A built workbench takes development options from the configuration in its
 * document and not from the address. The document is changed in place: a page answered by `page.route` would have
 * no address space of its own, and Chromium would refuse its connection to this machine.
 */
function addDevelopmentOptions({ origin, options }: { origin: string; options: DevelopmentOptions }): void {
  if (window !== window.top || location.origin !== origin) return;
  const add = (): boolean => {
    const element = document.getElementById('vscode-workbench-web-configuration');
    const text = element?.getAttribute('data-settings');
    if (element === null || text === null || text === undefined) return false;
    const configuration: unknown = JSON.parse(text);
    element.setAttribute(
      'data-settings',
      JSON.stringify(Object.assign({}, configuration, { developmentOptions: options })),
    );
    return true;
  };
  if (add()) return;
  const observer = new MutationObserver(() => {
    if (add()) observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
}
