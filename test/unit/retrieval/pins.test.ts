import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Pin } from '../../../extension/protocol/conversation.ts';
import type { SkippedFile } from '../../../extension/protocol/nouns.ts';
import { rankPinsFirst, unreadPin } from '../../../extension/retrieval/pins.ts';
import type { RankedPassage } from '../../../extension/retrieval/ranking.ts';

/** "path:lines", best first. */
const ranked = [
  passage('src/a.ts', 1, 10, 9),
  passage('lib/b.ts', 1, 10, 7),
  passage('src/a.ts', 11, 20, 5),
  passage('src/deep/c.ts', 1, 10, 3),
  passage('srcs/d.ts', 1, 10, 0),
];

const cases: readonly (readonly [what: string, pins: readonly Pin[], order: readonly string[]])[] = [
  ['no pin', [], ['src/a.ts:1', 'lib/b.ts:1', 'src/a.ts:11', 'src/deep/c.ts:1', 'srcs/d.ts:1']],
  [
    'a file without any score',
    [pin('file', 'srcs/d.ts')],
    ['srcs/d.ts:1', 'src/a.ts:1', 'lib/b.ts:1', 'src/a.ts:11', 'src/deep/c.ts:1'],
  ],
  [
    'a folder is no beginning of a name',
    [pin('folder', 'src')],
    ['src/a.ts:1', 'src/a.ts:11', 'src/deep/c.ts:1', 'lib/b.ts:1', 'srcs/d.ts:1'],
  ],
  [
    'lines come before files, and do not pin the rest of theirs',
    [pin('file', 'srcs/d.ts'), lines('src/a.ts', 15, 16)],
    ['src/a.ts:11', 'srcs/d.ts:1', 'src/a.ts:1', 'lib/b.ts:1', 'src/deep/c.ts:1'],
  ],
  [
    'lines across two passages',
    [lines('src/a.ts', 10, 11)],
    ['src/a.ts:1', 'src/a.ts:11', 'lib/b.ts:1', 'src/deep/c.ts:1', 'srcs/d.ts:1'],
  ],
  [
    'the whole workspace folder',
    [pin('folder', '')],
    ['src/a.ts:1', 'lib/b.ts:1', 'src/a.ts:11', 'src/deep/c.ts:1', 'srcs/d.ts:1'],
  ],
  [
    'another workspace folder',
    [{ ...pin('file', 'lib/b.ts'), workspace: 'other' }],
    ['src/a.ts:1', 'lib/b.ts:1', 'src/a.ts:11', 'src/deep/c.ts:1', 'srcs/d.ts:1'],
  ],
];

test.each(cases)('%s', (_, pins, order) => {
  expect(rankPinsFirst(ranked, pins).map(({ path, startLine }) => `${path}:${startLine}`)).toEqual(order);
});

test('nothing is lost, and what comes first has the higher score', () => {
  const paths = ['a', 'b/c', 'b/d'];
  const passages = fc.array(
    fc.record({ path: fc.constantFrom(...paths), score: fc.nat(20), line: fc.integer({ min: 1, max: 9 }) }),
  );
  const anyPin = fc.oneof(
    fc.constantFrom(pin('file', 'a'), pin('folder', 'b')),
    fc.integer({ min: 1, max: 9 }).map((line) => lines('b/d', line, line + 1)),
  );
  fc.assert(
    fc.property(passages, fc.array(anyPin, { maxLength: 3 }), (found, pins) => {
      const before = found
        .map(({ path, score, line }) => passage(path, line, line, score))
        .sort((a, b) => b.score - a.score);
      const after = rankPinsFirst(before, pins);
      const places = (list: readonly RankedPassage[]) =>
        list.map(({ path, startLine }) => `${path}:${startLine}`);
      expect(places(after).sort()).toEqual(places(before).sort());
      expect(after.map(({ score }) => score)).toEqual(after.map(({ score }) => score).sort((a, b) => b - a));
    }),
  );
});

const skipped: readonly SkippedFile[] = [
  { workspace: 'w', path: 'node_modules/', reason: 'generated' },
  { workspace: 'w', path: '.env', reason: 'secret' },
  { workspace: 'w', path: 'empty/a.ts', reason: 'empty' },
];

test.each<[what: string, pins: readonly Pin[], unread: string | undefined, reason: string | undefined]>([
  [
    'all are read',
    [pin('file', 'lib/b.ts'), pin('folder', 'src'), lines('src/a.ts', 900, 901)],
    undefined,
    undefined,
  ],
  ['a file left out', [pin('file', 'lib/b.ts'), pin('file', '.env')], '.env', 'secret'],
  ['a file in a folder left out', [pin('file', 'node_modules/x/y.js')], 'node_modules/x/y.js', 'generated'],
  ['a folder left out', [pin('folder', 'node_modules')], 'node_modules', 'generated'],
  ['a folder of files left out', [pin('folder', 'empty')], 'empty', 'empty'],
  ['lines of a file left out', [lines('.env', 1, 2)], '.env', 'secret'],
  ['a file that is not there', [pin('file', 'gone.ts')], 'gone.ts', undefined],
])('%s', (_, pins, unread, reason) => {
  const found = unreadPin(ranked, skipped, pins);
  expect(found?.pin.path).toBe(unread);
  expect(found?.skipped?.reason).toBe(reason);
});

function passage(path: string, startLine: number, endLine: number, score: number): RankedPassage {
  return { workspace: 'w', path, startLine, endLine, score, characters: 100 };
}

function pin(kind: 'file' | 'folder', path: string): Pin {
  return { kind, workspace: 'w', path };
}

function lines(path: string, startLine: number, endLine: number): Pin {
  return { kind: 'lines', workspace: 'w', path, startLine, endLine };
}
