import { describe, expect, it } from 'vitest';
import { shownWhileOpen } from '../../../webview/answer/openEnd.ts';

const cases: readonly (readonly [source: string, shown: string])[] = [
  ['plain text', 'plain text'],
  ['a **b', 'a **b**'],
  ['a **b *c', 'a **b *c***'],
  ['a **b** c', 'a **b** c'],
  ['a ~~b', 'a ~~b~~'],
  ['run `npm', 'run `npm`'],
  ['run ``a ` b', 'run ``a ` b``'],
  ['run `a` and `b', 'run `a` and `b`'],
  ['`**` is not **bo', '`**` is not **bo**'],
  ['snake_case and 2 * 3', 'snake_case and 2 * 3'],
  ['\\*\\*a', '\\*\\*a'],
  ['- **Bo', '- **Bo**'],
  ['- *a* b', '- *a* b'],
  ['done **first**\n\nthen **sec', 'done **first**\n\nthen **sec**'],
  ['an **open one\n\nis not of the next', 'an **open one\n\nis not of the next'],
  ['text\n-', 'text'],
  ['text\n#', 'text'],
  ['text\n1.', 'text'],
  ['- a\n- ', '- a'],
  ['**', ''],
  ['```ts\nconst a = `b', '```ts\nconst a = `b'],
  ['```ts\nconst a = 1;\n``', '```ts\nconst a = 1;'],
  ['- item\n  ```ts\n  a ** b', '- item\n  ```ts\n  a ** b'],
];

describe('shownWhileOpen', () => {
  it.each(cases)('%j is shown as %j', (source, shown) => {
    expect(shownWhileOpen(source)).toBe(shown);
  });

  it('takes time in proportion to the length, whatever is in it', () => {
    for (const part of ['*', '`', '_', '**a ', '`a ``', '> ', '\\', '~~~\n', '- ', ' ']) {
      const began = performance.now();
      shownWhileOpen(part.repeat(100_000 / part.length));
      expect(performance.now() - began, JSON.stringify(part)).toBeLessThan(1_000);
    }
  });
});
