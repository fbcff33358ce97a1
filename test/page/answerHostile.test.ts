import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerText } from '../../webview/answer/answerText.ts';
import { uniforms } from '../reference/random.ts';
import { hostile } from './answerHostile.ts';
import { openAnswerPage, type AnswerPage } from './answerPage.ts';

let answer: AnswerPage;
beforeAll(async () => {
  answer = await openAnswerPage();
});
afterAll(() => answer.close());

describe('what is watched', () => {
  it.each([
    ['a script that runs', () => (window as unknown as { canary(): void }).canary(), /script ran/],
    [
      'script in an attribute',
      () => {
        document.body.setAttribute('onclick', 'canary()');
        // Since version 150 Chromium holds an attribute against the policy when its event comes, not when it is set.
        document.body.click();
        document.body.removeAttribute('onclick');
      },
      /policy: script-src/,
    ],
    [
      'an image from outside',
      () => {
        new Image().src = 'http://198.51.100.7/x.png';
      },
      /policy: img-src/,
    ],
    [
      'an image from here',
      () => {
        new Image().src = '/x.png';
      },
      /request: .*x\.png/,
    ],
    ['a style in an attribute', () => document.body.setAttribute('style', 'color:red'), /policy: style-src/],
    ['a dialog', () => alert('a'), /dialog: a/],
  ])('%s', async (_name, act, seen) => {
    await answer.page.evaluate(act);
    await expect.poll(async () => (await answer.takeTrouble()).join('\n')).toMatch(seen);
    // The same can be seen more than once: by its request, and by the error that it ends in.
    await answer.page.waitForTimeout(100);
    await answer.takeTrouble();
  });
});

describe('hostile Markdown', () => {
  it('has at least 60 payloads', () => expect(Object.keys(hostile).length).toBeGreaterThanOrEqual(60));

  it.each(Object.entries(hostile))('%s', async (_name, payload) => {
    const found = await answer.page.evaluate(show, [
      [payload],
      Array.from(payload),
      randomPieces(payload, 4),
      randomPieces(`Before.\n\n${payload}\n\nAfter ${payload}`, 5),
    ]);
    expect(found.names.filter((name) => !allowedNames.test(name))).toEqual([]);
    expect(found.attributes.filter((name) => !allowedAttributes.test(name))).toEqual([]);
    expect(await answer.takeTrouble()).toEqual([]);
  });
});

const allowedNames =
  /^(?:div|p|h[3-6]|[uo]l|li|blockquote|hr|br|em|strong|s|span|button|pre|code|table|thead|tbody|tr|t[hd])$/;
const allowedAttributes = /^(?:class|start|role|tabindex|title|type|aria-label|data-language|data-align)$/;

/** Names of all elements and attributes that were there at any time. */
interface Shown {
  readonly names: readonly string[];
  readonly attributes: readonly string[];
}

/** Shows a text in pieces, all that looks like a place made a link, and points, clicks and types at all that came of it. */
async function show(streams: string[][]): Promise<Shown> {
  const names = new Set<string>();
  const attributes = new Set<string>();
  for (const pieces of streams) {
    const element: AnswerText = document.createElement('ask-answer');
    document.body.replaceChildren(element);
    element.addEventListener('ask-check-links', (event) => {
      const texts = (event as CustomEvent<string[]>).detail;
      const links = texts.map((text) => ({ text, place: { workspace: 'w', path: text } }));
      element.links = [...element.links, ...links];
    });
    const look = (): void => {
      for (const node of element.shadowRoot!.querySelectorAll('*')) {
        names.add(node.localName);
        for (const name of node.getAttributeNames()) attributes.add(name);
      }
    };
    element.streaming = pieces.length > 1;
    for (const piece of pieces) {
      element.text += piece;
      await element.updateComplete;
      look();
    }
    element.streaming = false;
    await element.updateComplete;
    await element.updateComplete;
    look();
    for (const node of element.shadowRoot!.querySelectorAll<HTMLElement>('*')) {
      node.focus();
      for (const type of ['mouseover', 'pointerenter', 'mouseout']) {
        node.dispatchEvent(new MouseEvent(type, { bubbles: true, composed: true }));
      }
      node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
      node.click();
    }
  }
  return { names: [...names], attributes: [...attributes] };
}

function randomPieces(text: string, seed: number): string[] {
  const next = uniforms(seed);
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(next() * 12);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
