/** A model that arrives, by clicks: what is sent, and what is shown of it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Activity } from '../../extension/protocol/chat.ts';
import { snapshotSequence, startChatPages, type ChatPages } from './chatPage.ts';
import { states } from './states.ts';

let pages: ChatPages;
beforeAll(async () => {
  pages = await startChatPages();
});
afterAll(() => pages.close());

it('is begun, paused and resumed', async () => {
  const chat = await pages.open(states['needsModel']!);
  const exchange = chat.page.locator('ask-exchange').last();
  const button = (name: string) => exchange.getByRole('button', { name, exact: true });
  let sequence = snapshotSequence;
  const becomes = (activity: Activity): Promise<void> =>
    chat.send({
      type: 'changes',
      sequence: ++sequence,
      changes: [{ change: 'activity', exchangeId: 'e2', activity }],
    });

  await button('Get Qwen2.5 Coder 3B (2.1 GB)').click();
  expect(await chat.received('getModel')).toEqual({ type: 'getModel', exchangeId: 'e2' });

  await becomes({
    ...{ kind: 'progress', stage: 'downloading', done: 912e6, total: 2_104_932_000, secondsLeft: 71 },
    transfer: { source: 'huggingface.co', resumable: true, bytesPerSecond: 16_800_000 },
  });
  expect(await exchange.locator('.details').innerText()).toBe(
    '912 MB of 2.1 GB · 17 MB/s · 71 sec left · from huggingface.co',
  );
  await button('Pause').click();
  expect(await chat.received('pauseModel')).toEqual({ type: 'pauseModel', exchangeId: 'e2' });

  await becomes(states['paused']!.activities['e2']!);
  await button('Resume (912 MB of 2.1 GB are there)').click();
  expect(chat.sent.filter(({ type }) => type === 'getModel')).toHaveLength(2);
  expect(await button('Pause').count()).toBe(0);

  // What pip brings begins anew, so that there is nothing to pause.
  const transfer = { source: 'PyPI package llm 1.0', resumable: false };
  await becomes({ kind: 'progress', stage: 'downloading', done: 1e6, total: 98e6, transfer });
  await exchange.getByText('from PyPI package llm 1.0').waitFor();
  expect(await button('Pause').count()).toBe(0);
  await button('Stop').click();
  expect(await chat.received('stop')).toEqual({ type: 'stop', exchangeId: 'e2' });
  expect(chat.trouble).toEqual([]);
  await chat.close();
});
