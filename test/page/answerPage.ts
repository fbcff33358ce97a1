/** A page with the answer's element alone, under the policy of the chat page, in the Chromium of this machine. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';

export interface AnswerPage {
  readonly page: Page;
  /** What went wrong since the last call: requests beyond the page's own, dialogs, broken policy, errors. */
  takeTrouble(): Promise<string[]>;
  close(): Promise<void>;
}

/** Frames follow one another without waiting for a screen. Throws when there is no /usr/bin/chromium. */
export async function openAnswerPage(): Promise<AnswerPage> {
  const server = await serve(await bundle());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await launch();
  const page = await browser.newPage();
  const trouble: string[] = [];
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/own/`)) trouble.push(`request: ${request.url()}`);
  });
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      trouble.push(`console: ${message.text()}`);
  });
  page.on('popup', (popup) => trouble.push(`popup: ${popup.url()}`));
  await page.goto(`${origin}/own/page.html`);
  await page.waitForFunction(() => customElements.get('ask-answer') !== undefined);
  return {
    page,
    async takeTrouble() {
      const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen.splice(0));
      return [...trouble.splice(0), ...seen];
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-frame-rate-limit', '--disable-gpu-vsync'],
  });
}

async function bundle(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: ['webview/answer/answerText.ts'],
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    splitting: true,
    outdir: 'own',
    entryNames: '[name]',
    write: false,
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf('/own/')), text] as const));
}

const html = `<!doctype html><html lang="en"><head><title>Answer</title>
<script type="module" src="/own/watch.js"></script><script type="module" src="/own/answerText.js"></script>
</head><body></body></html>`;

/** Payloads call \`canary\`; what the policy forbids is seen too. */
const watch = `window.seen = [];
window.canary = () => { window.seen.push('script ran'); };
document.addEventListener('securitypolicyviolation', (e) => {
  window.seen.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample);
});`;

async function serve(scripts: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const origin = `http://${request.headers.host ?? ''}`;
    const script = path === '/own/watch.js' ? watch : scripts.get(path);
    if (path === '/own/page.html') {
      const own = ['script-src', 'style-src', 'font-src', 'img-src'].map((kind) => `${kind} ${origin}`);
      response.setHeader('Content-Security-Policy', ["default-src 'none'", ...own].join('; '));
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(html);
    } else if (script !== undefined) {
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8');
      response.end(script);
    } else {
      // The browser itself asks for an icon.
      response.statusCode = path === '/favicon.ico' ? 204 : 404;
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
