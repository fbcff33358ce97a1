import { describe, expect, it } from 'vitest';
import { findCandidates } from '../../../webview/answer/candidates.ts';

const prose: readonly (readonly [text: string, found: readonly string[]])[] = [
  ['See src/index.ts:12.', ['src/index.ts:12']],
  ['src/index.ts:12-20, ./x/y.py and README.md.', ['src/index.ts:12-20', './x/y.py', 'README.md']],
  ['(src/a.ts, line 12)', ['src/a.ts, line 12']],
  ['src/a.ts lines 12–20', ['src/a.ts lines 12–20']],
  ['src/a.ts#L3-L5 and src/a.ts:3:7', ['src/a.ts#L3-L5', 'src/a.ts:3:7']],
  ['[src/a.ts:1] **b/c.rs** "d.go"', ['src/a.ts:1', 'b/c.rs', 'd.go']],
  ['Makefile, docker/Dockerfile, .gitignore', ['Makefile', 'docker/Dockerfile', '.gitignore']],
  ['src\\win\\a.ts:5', ['src\\win\\a.ts:5']],
  ['quelle/übung.py und 漢字/文.ts:1', ['quelle/übung.py', '漢字/文.ts:1']],
  ['@scope/pkg/x.d.ts', ['@scope/pkg/x.d.ts']],
  ['https://example.com/a.html and file:///etc/x.conf', []],
  ['../up.ts, a/../b.ts, a//b.ts', []],
  ['and/or, 1.5, v1.2.3, 10:30, end.', []],
  ['a/b/c', []],
  ['src/a.ts:12345678', ['src/a.ts']],
  [`${'a/'.repeat(200)}b.ts`, []],
  ['a\u3164b.ts', []],
];

const code: readonly (readonly [text: string, found: readonly string[]])[] = [
  ['src/a b.ts', ['src/a b.ts']],
  ['src/a b.ts:12-20', ['src/a b.ts:12-20']],
  ['app/(group)/[id]/page.tsx', ['app/(group)/[id]/page.tsx']],
  ['cat(src/a.ts, 3)', ['src/a.ts']],
  ['x + y', []],
  [' src/a.ts', ['src/a.ts']],
  ['src/a\u202eb.ts', ['b.ts']],
];

describe('findCandidates', () => {
  it.each(prose)('in prose: %j', (text, found) => {
    expect(textsOf(text, 'prose')).toEqual(found);
  });

  it.each(code)('in code: %j', (text, found) => {
    expect(textsOf(text, 'code')).toEqual(found);
  });

  it('says where each stands', () => {
    const text = 'In src/a.ts:1, then b.md.';
    const found = findCandidates(text, 'prose');
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual(['src/a.ts:1', 'b.md']);
  });

  it('takes time in proportion to the length, whatever is in it', () => {
    for (const part of ['a.', 'a/', './', '.', ':1', 'a:1-', 'a lines ', '\\', "'(", ' ']) {
      const text = part.repeat(100_000 / part.length);
      const began = performance.now();
      findCandidates(text, 'prose');
      findCandidates(text, 'code');
      expect(performance.now() - began, JSON.stringify(part)).toBeLessThan(1_000);
    }
  });
});

function textsOf(text: string, where: 'code' | 'prose'): string[] {
  return findCandidates(text, where).map((candidate) => candidate.text);
}
