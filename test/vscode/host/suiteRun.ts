/** Runs a suite in the extension host of a window that nobody looks at. */
import { format } from 'node:util';
import { loadWorkbench, startBrowser, type WindowContent } from './browser.ts';
import { startServer, type ServerOptions } from './server.ts';
import { markVariable, suiteMark } from '../suite/print.ts';
import type { Page } from 'playwright-core';

const SUITE_LIMIT_MINUTES = 30;
const viewport = { width: 1280, height: 800 };

/**
 * Starts server and window, passes on what the suite prints, and gives the suite's exit code.
 * Throws when the window cannot be loaded, closes or crashes, or the suite takes more than half an hour.
 */
export async function runSuite(content: WindowContent, options: ServerOptions): Promise<number> {
  const server = await startServer({ ...options, env: { ...options.env, [markVariable]: '1' } });
  try {
    const browser = await startBrowser(server, viewport);
    try {
      const page = browser.pages()[0] ?? (await browser.newPage());
      // The workbench calls this when the document it runs in offers it.
      await page.exposeFunction('codeAutomationLog', (_level: string, args: unknown[]) => {
        print(args);
      });
      const ended = suiteEnd(page);
      return await Promise.race([ended, loadWorkbench(page, server, content).then(() => ended)]);
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
  }
}

async function suiteEnd(page: Page): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => () => reject(new Error(why));
    page.on('crash', fail('The window crashed.'));
    page.on('close', fail('The window was closed.'));
    const tooLong = fail(`The suite did not end within ${SUITE_LIMIT_MINUTES} minutes.`);
    setTimeout(tooLong, SUITE_LIMIT_MINUTES * 60_000).unref();
    page.exposeFunction('codeAutomationExit', resolve).catch(reject);
  });
}

/** Shows the suite's lines; the workbench's own with ASK_CODEBASE_TEST_LOG=1. */
function print(args: readonly unknown[]): void {
  const line = format(...args);
  const mark = line.indexOf(suiteMark);
  if (mark >= 0) console.log(line.slice(0, mark) + line.slice(mark + suiteMark.length));
  else if (process.env['ASK_CODEBASE_TEST_LOG'] === '1') console.log(line);
}
