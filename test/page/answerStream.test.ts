import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniforms } from '../reference/random.ts';
import { openAnswerPage, type AnswerPage } from './answerPage.ts';

const answerCharacters = 2_000_000;
/** Of answers that are one block, which no answer is. */
const blockCharacters = 200_000;
const deltaCharacters = 2_000;
const minutes = 60_000;

let answer: AnswerPage;
beforeAll(async () => {
  answer = await openAnswerPage();
});
afterAll(() => answer.close());

describe('a long answer that is streamed', () => {
  it.each([
    ['2 MB of all kinds of blocks', longAnswer(answerCharacters, 4)],
    ['one block of code', `\`\`\`ts\n${'const a = "some text";\n'.repeat(blockCharacters / 23)}\`\`\`\n`],
    ['one list', '- An item of a list with `code` and **more**.\n'.repeat(blockCharacters / 46)],
  ])(
    '%s: at most one block is rendered again at a time, the last',
    async (name, text) => {
      const { frames, again, notLast, blocks, seconds, shown } = await answer.page.evaluate(stream, {
        text,
        deltaCharacters,
      });
      const sorted = frames.toSorted((a, b) => a - b);
      const end = frames.slice(-frames.length / 10).sort((a, b) => a - b);
      const at = (part: number, of = sorted): string => of[Math.floor((of.length - 1) * part)]!.toFixed(1);
      console.log(
        `${name}: ${frames.length} frames in ${seconds.toFixed(0)} s, ${blocks} blocks; ` +
          `frame times: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, longest ${at(1)} ms; ` +
          `median of the last tenth ${at(0.5, end)} ms`,
      );
      expect(again.reduce((most, count) => Math.max(most, count), 0)).toBe(1);
      expect(notLast).toBe(0);
      expect(shown).toBeGreaterThan(text.length / 2);
      expect(await answer.takeTrouble()).toEqual([]);
    },
    6 * minutes,
  );
});

interface Streamed {
  /** Milliseconds from one to the next. */
  readonly frames: number[];
  /** How many blocks that were there were rendered again, by update. */
  readonly again: number[];
  /** How many of these were not the last when the update began. */
  readonly notLast: number;
  readonly blocks: number;
  readonly seconds: number;
  /** Characters on the page in the end. */
  readonly shown: number;
}

/** One delta a frame. */
async function stream(input: { readonly text: string; readonly deltaCharacters: number }): Promise<Streamed> {
  const { text, deltaCharacters } = input;
  const element = document.createElement('ask-answer');
  document.body.replaceChildren(element);
  element.streaming = true;
  await element.updateComplete;
  const container = element.shadowRoot!.firstElementChild!;
  const again: number[] = [];
  let notLast = 0;
  let last: Element | null = null;
  new MutationObserver((records) => {
    const blocks = new Set(
      records.filter(({ target }) => target.parentNode === container).map(({ target }) => target),
    );
    again.push(blocks.size);
    for (const block of blocks) if (block !== last) notLast++;
    last = container.lastElementChild;
  }).observe(container, { childList: true, subtree: true });

  const frames: number[] = [];
  const began = performance.now();
  let before = began;
  for (let at = 0; at < text.length; at += deltaCharacters) {
    element.text += text.slice(at, at + deltaCharacters);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - before);
    before = now;
  }
  const seconds = (before - began) / 1_000;
  element.streaming = false;
  await element.updateComplete;
  return {
    frames,
    again,
    notLast,
    blocks: container.childElementCount,
    seconds,
    shown: container.textContent.length,
  };
}

function longAnswer(length: number, seed: number): string {
  const next = uniforms(seed);
  const words =
    'the parser reads **each** file of `src/index.ts:12` and keeps *what* the question needs'.split(' ');
  const sentence = (count: number): string =>
    Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');
  const kinds = [
    () => sentence(60),
    () => sentence(90),
    () => `## ${sentence(5)}`,
    () => Array.from({ length: 6 }, () => `- ${sentence(12)}`).join('\n'),
    () =>
      `\`\`\`ts\n${Array.from({ length: 20 }, (_, i) => `const a${i} = f("b", ${i}); // c`).join('\n')}\n\`\`\``,
    () => `| a | b |\n|---|--:|\n${Array.from({ length: 5 }, () => `| ${sentence(4)} | 1 |`).join('\n')}`,
    () => `> ${sentence(40)}`,
  ];
  const blocks: string[] = [];
  for (let written = 0; written < length;) {
    const block = kinds[Math.floor(next() * kinds.length)]!();
    blocks.push(block);
    written += block.length + 2;
  }
  return blocks.join('\n\n');
}
