/** What a person does in the chat panel, and what the extension stores of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameLocator, Locator } from 'playwright-core';
import { expect } from 'vitest';
import { parseConversation } from '../../../extension/conversations/storedConversation.ts';
import type { Exchange, ReadingRecord } from '../../../extension/protocol/conversation.ts';
import type { Workbench } from '../host/workbench.ts';

/** The model reads and writes while other programs of the test use the same cores. */
export const answerMs = 120_000;

export interface Panel {
  readonly page: () => FrameLocator;
  readonly input: () => Locator;
  /** The exchange at the end. */
  readonly last: () => Locator;
  /** In the conversation that is shown. */
  readonly ask: (question: string) => Promise<void>;
  /** In a new conversation. */
  readonly askAnew: (question: string) => Promise<void>;
  /** Waits until the question at the end is answered or has failed. */
  readonly ended: () => Promise<StoredExchange>;
}

export interface StoredExchange {
  readonly exchange: Exchange;
  /** Undefined when nothing was read for it. */
  readonly reading: ReadingRecord | undefined;
}

export function usePanel(workbench: () => Workbench): Panel {
  const page = (): FrameLocator => workbench().webview();
  const exchanges = (): Locator => page().locator('ask-exchange');
  const last = (): Locator => exchanges().last();
  const input = (): Locator => page().getByRole('textbox', { name: 'Question', exact: true });
  const ask = async (question: string): Promise<void> => {
    const before = await exchanges().count();
    await input().fill(question);
    await input().press('Enter');
    await exchanges().nth(before).waitFor();
  };
  return {
    ...{ page, input, last, ask },
    async askAnew(question) {
      await page().getByRole('button', { name: 'New conversation' }).click();
      await exchanges().first().waitFor({ state: 'detached' });
      await ask(question);
    },
    async ended() {
      await last().locator('.facts, .failure').waitFor({ timeout: answerMs });
      const ends = ['answered', 'failed', 'interrupted'];
      // It is shown before it is on the disk.
      const state = async (): Promise<string> => (await latest(workbench())).exchange.state;
      await expect.poll(state, { timeout: answerMs }).toBeOneOf(ends);
      return latest(workbench());
    },
  };
}

/** What the answer says. It is in a shadow root, whose text its element does not give. */
export async function textOf(answer: Locator): Promise<string> {
  return (await answer.evaluate((element) => element.shadowRoot?.textContent ?? '')).trim();
}

/** The exchange that was asked last. */
async function latest({ userDataFolder }: Workbench): Promise<StoredExchange> {
  const storage = join(userDataFolder, 'User', 'workspaceStorage');
  const paths = (await readdir(storage, { recursive: true })).filter((path) =>
    /[\\/]conversations[\\/](?!panel)[^\\/]+\.json$/.test(path),
  );
  const texts = await Promise.all(paths.map((path) => readFile(join(storage, path), 'utf8')));
  const stored = texts.map(parseConversation).flatMap(({ conversation, readings }) =>
    conversation.exchanges.map((exchange) => ({
      exchange,
      reading: readings.records[readings.of[exchange.id] ?? ''],
    })),
  );
  const found = stored.sort((a, b) => a.exchange.askedAt - b.exchange.askedAt).at(-1);
  if (found === undefined) throw new Error(`No conversation is stored below ${storage}.`);
  return found;
}
