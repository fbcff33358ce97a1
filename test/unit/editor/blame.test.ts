import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blame, parseBlame } from '../../../extension/editor/blame.ts';

const [a, b, none] = ['a', 'b', '0'].map((digit) => digit.repeat(40));
const head = (summary: string): string =>
  `author Kim\nauthor-time 1700000000\nauthor-tz +0000\nsummary ${summary}\nfilename f`;

test.each([
  ['nothing', '', []],
  ['no blame at all', 'fatal: no such path\n', []],
  [
    'the commit with the most lines first',
    `${a} 1 1 1\n${head('one')}\n\tx\n${b} 2 2 2\n${head('two words')}\n\ty\n${b} 3 3\n\tz\n`,
    [
      { subject: 'two words', day: '2023-11-14', lines: 2 },
      { subject: 'one', day: '2023-11-14', lines: 1 },
    ],
  ],
  ['lines that are not committed', `${none} 1 1 1\n${head('Not Committed Yet')}\n\tx\n`, []],
  [
    'code that looks like a header',
    `${a} 1 1 1\n${head('one')}\n\tsummary two\n`,
    [{ subject: 'one', day: '2023-11-14', lines: 1 }],
  ],
  [
    'a time that is none',
    `${a} 1 1 1\nauthor-time never\nsummary one\n\tx\n`,
    [{ subject: 'one', day: '', lines: 1 }],
  ],
])('%s', (_, output, expected) => {
  expect(parseBlame(output)).toEqual(expected);
});

describe('git', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ask-codebase-blame-'));
  const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: folder });
  const name = '--output=a b.txt';
  const commit = (text: string, subject: string): void => {
    writeFileSync(join(folder, name), text);
    git('add', '--', name);
    const who = ['-c', 'user.name=Kim', '-c', 'user.email=kim@example.org'];
    git(...who, 'commit', '--quiet', '--date=2024-05-06T12:00:00Z', '-m', subject);
  };
  beforeAll(() => {
    git('init', '--quiet');
    commit('one\n', 'Begin');
    commit('one\ntwo\nthree\n', 'Go "on"');
    mkdirSync(join(folder, 'empty'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each<[string, Partial<Parameters<typeof blame>[0]>, (readonly [string, number])[]]>([
    [
      'all lines',
      {},
      [
        ['Go "on"', 2],
        ['Begin', 1],
      ],
    ],
    ['one line', { endLine: 1 }, [['Begin', 1]]],
    [
      'what is not saved',
      { unsaved: 'new\none\ntwo\n' },
      [
        ['Begin', 1],
        ['Go "on"', 1],
      ],
    ],
    ['lines that are not there', { startLine: 90, endLine: 99 }, []],
    ['a file that is not there', { path: 'none' }, []],
    ['a folder that is not there', { rootPath: join(folder, 'none') }, []],
    ['no repository', { rootPath: tmpdir() }, []],
  ])('%s', async (_, change, expected) => {
    const commits = await blame({ rootPath: folder, path: name, startLine: 1, endLine: 3, ...change });
    expect(commits.map(({ subject, lines }) => [subject, lines])).toEqual(expected);
    for (const { day } of commits) expect(day).toBe('2024-05-06');
  });
});
