/** What a pointer that rests over a name of an editor brings up. */
import type { Locator } from 'playwright-core';
import type { Workbench } from '../host/workbench.ts';

/** VS Code's hover over the text. */
export function hover({ page }: Workbench, text: string | RegExp): Locator {
  return page
    .locator('.monaco-editor .monaco-hover:visible, .monaco-resizable-hover:visible', { hasText: text })
    .first();
}

/** Moves the pointer onto the first occurrence of a word in the visible line with this text, and leaves it there. */
export async function restOn(workbench: Workbench, lineText: string, word: string): Promise<void> {
  const { page } = workbench;
  const line = workbench.editorLine(lineText).first();
  await line.waitFor();
  // From elsewhere, so that what was shown before goes away; an editor that has just opened may still move, too.
  await page.mouse.move(5, 5);
  await page.waitForTimeout(300);
  const middle = await line.evaluate((element, word) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const start = node.textContent?.indexOf(word) ?? -1;
      if (start < 0) continue;
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, start + word.length);
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    }
    return undefined;
  }, word);
  if (middle === undefined) throw new Error(`"${word}" is not in one piece of the line "${lineText}".`);
  await page.mouse.move(middle.x + 1, middle.y);
  await page.mouse.move(middle.x, middle.y);
}
