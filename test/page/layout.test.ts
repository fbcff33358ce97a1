import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowserContextOptions } from 'playwright-core';
import type { PageState } from '../../extension/protocol/chat.ts';
import type { ChatPage, ChatPages } from './chatPage.ts';
import { startChatPages } from './chatPage.ts';
import { answered, emptyState, stateWith, states, workspace } from './states.ts';

let pages: ChatPages;
beforeAll(async () => {
  pages = await startChatPages();
});
afterAll(() => pages.close());

const longName = 'x'.repeat(300);
const longNames: PageState = {
  ...stateWith([
    {
      ...answered,
      question: longName,
      pins: [{ kind: 'file', workspace: longName, path: longName }],
      text: `${longName}\n\n\`${longName}\``,
      facts: {
        ...answered.facts!,
        citations: [{ workspace, path: longName, startLine: 1, endLine: 1, source: 'answer' }],
        model: longName,
      },
    },
  ]),
  engine: { state: 'ready', model: longName, device: longName },
  notices: [longName],
  draft: { text: longName, pins: [{ kind: 'folder', workspace, path: longName }] },
};

const views: readonly { name: string; context: BrowserContextOptions }[] = [
  { name: '200 px wide', context: { viewport: { width: 200, height: 600 } } },
  // A view of 360 by 700 at 200 %.
  { name: '200 % zoom', context: { viewport: { width: 180, height: 350 }, deviceScaleFactor: 2 } },
];

describe.each(views)('$name', ({ context }) => {
  it.each(Object.entries({ ...states, longNames }))('%s: nothing is cut off', async (_, state) => {
    const chat = await pages.open(state, { context });
    await openAll(chat);
    expect(await cutOff(chat)).toEqual([]);
    await chat.close();
  });

  it('conversation list: nothing is cut off', async () => {
    const chat = await pages.open(states['answered']!, { context });
    await chat.page.getByRole('button', { name: 'Conversations' }).click();
    expect(await cutOff(chat)).toEqual([]);
    await chat.close();
  });

  it('the input can be reached and typed in', async () => {
    const chat = await pages.open(states['reading']!, { context });
    await chat.page.getByLabel('Question', { exact: true }).fill('line\n'.repeat(30));
    const box = await chat.page.getByRole('button', { name: 'Ask', exact: true }).boundingBox();
    expect(box!.y + box!.height).toBeLessThanOrEqual(context.viewport!.height);
    await chat.close();
  });
});

it.each([
  { name: "the system's setting", options: { context: { reducedMotion: 'reduce' } as const } },
  { name: "the editor's setting", options: { bodyClass: 'vscode-reduce-motion' } },
])('nothing moves by $name', async ({ options }) => {
  for (const name of ['finding', 'reading', 'streaming'] as const) {
    const chat = await pages.open(states[name]!, options);
    expect(await animations(chat)).toBe(0);
    await chat.close();
  }
});

it('something moves else', async () => {
  const chat = await pages.open(states['finding']!);
  expect(await animations(chat)).toBeGreaterThan(0);
  await chat.close();
});

it('grows the input to eight lines', async () => {
  const chat = await pages.open(emptyState);
  const input = chat.page.getByLabel('Question', { exact: true });
  const heights: number[] = [];
  for (const lines of [1, 2, 8, 9, 30]) {
    await input.fill(Array.from({ length: lines }, () => 'line').join('\n'));
    heights.push((await input.boundingBox())!.height);
  }
  const [one, two, eight, nine, thirty] = heights as [number, number, number, number, number];
  expect(two).toBeGreaterThan(one);
  expect(eight - one).toBeCloseTo(7 * (two - one), 0);
  expect([nine, thirty]).toEqual([eight, eight]);
  await chat.close();
});

async function openAll({ page }: ChatPage): Promise<void> {
  for (const details of await page.locator('details > summary').all()) await details.click();
}

/** Elements that reach over the side of what shows them. What scrolls by itself, as code does, may be wider inside. */
function cutOff({ page }: ChatPage): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const found: string[] = [];
    const look = (root: ParentNode): void => {
      for (const element of root.querySelectorAll('*')) {
        const style = getComputedStyle(element);
        if (element.closest('.visually-hidden') !== null) continue;
        const box = element.getBoundingClientRect();
        if (box.width > 0 && (box.right > width + 1 || box.left < -1)) {
          if (element.closest('pre') === null)
            found.push(`${element.outerHTML.slice(0, 80)} ends at ${box.right}`);
        }
        const clips =
          style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && element.tagName !== 'PRE';
        if (clips && element.scrollWidth > element.clientWidth + 1) {
          found.push(
            `${element.outerHTML.slice(0, 80)} holds ${element.scrollWidth} in ${element.clientWidth}`,
          );
        }
        if (element.shadowRoot !== null) look(element.shadowRoot);
      }
    };
    look(document);
    return found;
  });
}

function animations({ page }: ChatPage): Promise<number> {
  return page.evaluate(
    () => document.getAnimations().filter(({ playState }) => playState === 'running').length,
  );
}
