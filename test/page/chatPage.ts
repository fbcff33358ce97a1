/** The built chat page in this machine's Chromium, under the policy of a real host and with a host of recorded replies. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { FromPage, MentionItem, PageState, ToPage } from '../../extension/protocol/chat.ts';
import { workspace } from './states.ts';
import { themes } from './themes.ts';
import type { Theme } from './themes.ts';

const built = path.resolve(import.meta.dirname, '../../dist/webview');

export interface ChatPages {
  open(state: PageState, options?: OpenOptions): Promise<ChatPage>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly theme?: Theme;
  readonly context?: BrowserContextOptions;
  /** Beside the theme's. */
  readonly bodyClass?: string;
  readonly language?: string;
  /** Of @vscode/l10n, as JSON. */
  readonly translations?: string;
  /** The test itself answers messages of these types, with `send`. */
  readonly unanswered?: readonly FromPage['type'][];
}

export interface ChatPage {
  readonly page: Page;
  /** All that the page has sent, oldest first. */
  readonly sent: FromPage[];
  /** What the next snapshot holds. */
  setState(state: PageState): void;
  send(message: ToPage): Promise<void>;
  /** Waits for a message of the type and returns the latest. */
  received<T extends FromPage['type']>(type: T): Promise<Extract<FromPage, { readonly type: T }>>;
  /** Broken policy, errors and requests beyond the page's own so far. */
  readonly trouble: readonly string[];
  close(): Promise<void>;
}

/** Throws when the page is not built, or there is no /usr/bin/chromium. */
export async function startChatPages(): Promise<ChatPages> {
  if (!existsSync(path.join(built, 'main.js')))
    throw new Error('The page is not built: run "npm run build".');
  let html = '';
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (name === '/') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(html);
      return;
    }
    readFile(path.join(built, name)).then(
      (bytes) => {
        response.setHeader('Content-Type', contentTypes[path.extname(name)] ?? 'application/octet-stream');
        response.end(bytes);
      },
      () => {
        // The browser itself asks for an icon.
        response.statusCode = name === '/favicon.ico' ? 204 : 404;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  return {
    open(state, options = {}) {
      html = documentOf(origin, options);
      return openPage(browser, origin, state, options);
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
};

/** As the extension makes it. The nonce is what a real one would be in length. */
function documentOf(origin: string, { language = 'en', translations = '' }: OpenOptions): string {
  const nonce = 'b7c2f1d04e9a4c5fa0d6';
  const policy = [
    "default-src 'none'",
    `script-src ${origin} 'nonce-${nonce}'`,
    `style-src ${origin}`,
    `font-src ${origin}`,
    `img-src ${origin} data:`,
  ].join('; ');
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta id="l10n" data-contents="${translations.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">
<title>Ask Codebase</title><link rel="stylesheet" href="${origin}/main.css"></head>
<body><script type="module" nonce="${nonce}" src="${origin}/main.js"></script></body></html>`;
}

async function openPage(
  browser: Browser,
  origin: string,
  first: PageState,
  { theme = themes[0]!, context: contextOptions, bodyClass = '', unanswered = [] }: OpenOptions,
): Promise<ChatPage> {
  const context = await browser.newContext({ viewport: { width: 360, height: 700 }, ...contextOptions });
  const page = await context.newPage();
  const sent: FromPage[] = [];
  const trouble: string[] = [];
  const waiting: (() => void)[] = [];
  let state = first;
  const send = (message: ToPage): Promise<void> =>
    page.evaluate((data) => window.postMessage(data, '*'), message);

  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      trouble.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) trouble.push(`request: ${request.url()}`);
  });
  await page.exposeFunction('hostReceives', (message: FromPage) => {
    sent.push(message);
    for (const look of waiting.splice(0)) look();
    const reply = unanswered.includes(message.type) ? null : replyTo(message, state);
    // A page that is being left is not there to take it.
    if (reply !== null) send(reply).catch(() => undefined);
  });
  await page.addInitScript(playEditor, {
    bodyClass: `${theme.bodyClass} ${bodyClass}`,
    colors: theme.colors,
  });
  await page.goto(`${origin}/`);
  await page.locator('ask-composer.main textarea').waitFor();
  return {
    page,
    sent,
    trouble,
    send,
    setState(next) {
      state = next;
    },
    async received(type) {
      for (;;) {
        const found = sent.findLast((message) => message.type === type);
        if (found !== undefined && isOfType(found, type)) return found;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    close: () => context.close(),
  };
}

function isOfType<T extends FromPage['type']>(
  message: FromPage,
  type: T,
): message is Extract<FromPage, { readonly type: T }> {
  return message.type === type;
}

/** The number of every snapshot. */
export const snapshotSequence = 10;

export const completions: readonly MentionItem[] = [
  { pin: { kind: 'file', workspace, path: 'src/index.ts' }, label: 'src/index.ts' },
  { pin: { kind: 'folder', workspace, path: 'src' }, label: 'src/' },
];

function replyTo(message: FromPage, state: PageState): ToPage | null {
  switch (message.type) {
    case 'ready':
    case 'resync':
      return { type: 'snapshot', sequence: snapshotSequence, state };
    case 'complete':
      return {
        type: 'completions',
        request: message.request,
        items: completions,
      };
    case 'checkLinks':
      return {
        type: 'links',
        request: message.request,
        links: message.texts
          .filter((text) => text.startsWith('src/reader/chunks.ts'))
          .map((text) => ({
            text,
            place: { workspace, path: 'src/reader/chunks.ts', lines: { startLine: 12, endLine: 20 } },
          })),
      };
    case 'showLines':
      return {
        type: 'lines',
        request: message.request,
        lines: {
          workspace,
          path: message.place.path,
          startLine: 12,
          endLine: 13,
          text: 'const a = 1;\nconst b = "a line that is too long for a narrow view, so that it has to wrap";',
          language: 'typescript',
        },
      };
    case 'find':
      return { type: 'found', request: message.request, conversationIds: ['c3'] };
    default:
      return null;
  }
}

/** Runs in the page before its scripts: what the editor puts around a page. */
function playEditor(theme: {
  readonly bodyClass: string;
  readonly colors: Readonly<Record<string, string>>;
}): void {
  const host = window as unknown as {
    hostReceives: (message: unknown) => Promise<void>;
    acquireVsCodeApi: () => unknown;
  };
  const key = 'state';
  host.acquireVsCodeApi = () => ({
    postMessage: (message: unknown) => void host.hostReceives(message),
    getState: () => JSON.parse(sessionStorage.getItem(key) ?? 'null') as unknown,
    setState: (state: unknown) => sessionStorage.setItem(key, JSON.stringify(state)),
  });
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
  );
  new MutationObserver((_, observer) => {
    // The class is there before the page's module runs.
    const body = document.body as HTMLElement | null;
    if (body === null) return;
    observer.disconnect();
    body.className = theme.bodyClass;
    for (const [name, value] of Object.entries(theme.colors)) {
      document.documentElement.style.setProperty(`--vscode-${name}`, value);
    }
    document.documentElement.style.setProperty('--vscode-font-size', '13px');
  }).observe(document, { childList: true, subtree: true });
}
