import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explanationAt, fileNameOf, type Explanation } from '../../../extension/explanations/explanation.ts';
import { ExplanationStore } from '../../../extension/explanations/explanationStore.ts';
import { readPassagesAgain } from '../../../extension/earlierReading.ts';
import type { LineRange } from '../../../extension/protocol/nouns.ts';
import { textHash } from '../../../extension/textHash.ts';
import { readSourceDocuments } from '../../../extension/workspace/readSourceDocument.ts';

let parent: string;
let folder: string;
let problems: string[];
const open = (most?: number): ExplanationStore =>
  new ExplanationStore(folder, {
    onProblem: (problem) => problems.push(problem),
    ...(most === undefined ? {} : { most }),
  });

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'explanations 説明 '));
  folder = join(parent, 'made when needed');
  problems = [];
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('what is stored', () => {
  it('is found by name, also by another window later', async () => {
    const store = open();
    const a = explanationOf({ path: 'a.ts' });
    const b = explanationOf({ path: 'b.ts', container: 'B' });
    await Promise.all([a, b, explanationOf({ name: 'other' })].map((one) => store.write(one)));
    for (const one of [store, open()]) {
      const found = await one.named('fareOf');
      expect(found.map(({ path }) => path).sort()).toEqual(['a.ts', 'b.ts']);
      expect(found).toEqual(expect.arrayContaining([a, b]));
    }
    expect(await store.named('fare')).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('is replaced by what is newer, and leaves no other file', async () => {
    const store = open();
    await store.write(explanationOf({ text: 'Old.' }));
    await store.write(explanationOf({ text: 'New.' }));
    expect((await store.named('fareOf')).map(({ text }) => text)).toEqual(['New.']);
    expect(await readdir(folder)).toEqual([fileNameOf(explanationOf({}))]);
  });

  it('is no more than the cap: the oldest leave', async () => {
    const store = open(20);
    for (let index = 0; index < 20; index++) {
      const one = explanationOf({ name: `name${index}` });
      await store.write(one);
      await utimes(join(folder, fileNameOf(one)), 1_000 + index, 1_000 + index);
    }
    await store.write(explanationOf({ name: 'last' }));
    expect(await readdir(folder)).toHaveLength(18);
    expect(await store.named('name0')).toEqual([]);
    expect(await store.named('name2')).toEqual([]);
    expect(await store.named('name3')).toHaveLength(1);
    expect(await store.named('last')).toHaveLength(1);
  });
});

describe('what cannot be read', () => {
  const whole = explanationOf({});
  it.each([
    ['empty', ''],
    ['cut off', JSON.stringify({ version: 1, ...whole }).slice(0, 60)],
    ['of another form', '{"version":1}'],
    ['of another version', JSON.stringify({ version: 2, ...whole })],
    ['of another symbol', JSON.stringify({ version: 1, ...whole, path: 'elsewhere.ts' })],
    [
      'with a line before the first',
      JSON.stringify({
        version: 1,
        ...whole,
        uses: [{ workspace: 'w', path: 'a.ts', startLine: 0, endLine: 0 }],
      }),
    ],
  ])('is removed and told: %s', async (_, content) => {
    const store = open();
    await store.write(whole);
    const other = explanationOf({ container: 'Other' });
    await store.write(other);
    const path = join(folder, fileNameOf(whole));
    await writeFile(path, content);
    expect(await store.named('fareOf')).toEqual([other]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(path);
    expect(await readdir(folder)).toEqual([fileNameOf(other)]);
    await store.write(whole);
    expect(await store.named('fareOf')).toHaveLength(2);
  });

  it('a file that is gone is just not there', async () => {
    const store = open();
    await store.write(whole);
    await rm(folder, { recursive: true });
    expect(await store.named('fareOf')).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('a folder that cannot be made is told, and nothing is thrown', async () => {
    await writeFile(folder, 'a file is in the way');
    const store = open();
    await store.write(whole);
    expect(await store.named('fareOf')).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
    expect(await readFile(folder, 'utf8')).toBe('a file is in the way');
  });
});

describe('an explanation holds', () => {
  const files = { 'a.ts': 'export const a = 1;\n', 'b.ts': 'import { a } from "./a";\n' };
  const changed = async (): Promise<readonly string[]> => {
    const record = {
      files: Object.entries(files).map(([path, text]) => ({ workspace: 'w', path, hash: textHash(text) })),
      passages: [],
    };
    const { signal } = new AbortController();
    const folders = [{ name: 'w', rootPath: parent }];
    return (await readPassagesAgain(record, folders, readSourceDocuments, signal)).changed.map(
      ({ path }) => path,
    );
  };

  it.each<[name: string, change: () => Promise<void>, expected: readonly string[]]>([
    ['while nothing changes', () => Promise.resolve(), []],
    ['when another file changes', () => writeFile(join(parent, 'c.ts'), 'x'), []],
    [
      'not when its definition changes',
      () => writeFile(join(parent, 'a.ts'), 'export const a = 2;\n'),
      ['a.ts'],
    ],
    ['not when a use changes', () => writeFile(join(parent, 'b.ts'), ''), ['b.ts']],
    ['not when a file is gone', () => rm(join(parent, 'b.ts')), ['b.ts']],
    ['with other line ends', () => writeFile(join(parent, 'a.ts'), 'export const a = 1;\r\n'), []],
  ])('%s', async (_, change, expected) => {
    for (const [path, text] of Object.entries(files)) await writeFile(join(parent, path), text);
    await change();
    expect(await changed()).toEqual(expected);
  });
});

describe('which one is that of a word', () => {
  const line = (path: string, startLine: number, endLine = startLine): LineRange => ({
    ...{ workspace: 'w', path },
    ...{ startLine, endLine },
  });
  const one = explanationOf({ path: 'a.ts', definition: line('a.ts', 10, 20), uses: [line('b.ts', 5)] });
  const two = explanationOf({
    path: 'a.ts',
    container: 'Two',
    definition: line('a.ts', 30, 40),
    uses: [line('c.ts', 5)],
  });

  it.each<[string, readonly Explanation[], [string, number], LineRange | undefined, Explanation | undefined]>(
    [
      ['the line that defines it', [one, two], ['a.ts', 30], undefined, two],
      ['a line that uses it', [one, two], ['b.ts', 5], undefined, one],
      ['a new use, by its definition', [one, two], ['b.ts', 9], line('a.ts', 30), two],
      ['a new use of something else', [one, two], ['b.ts', 9], line('d.ts', 1), undefined],
      ['a definition that has moved', [one], ['a.ts', 25], line('a.ts', 25), one],
      ['two of a name in a file, and nobody knows', [one, two], ['a.ts', 15], undefined, one],
      ['two of a name in a file, outside of both', [one, two], ['a.ts', 25], undefined, undefined],
      ['the only one that was made from the file', [one], ['b.ts', 9], undefined, one],
      ['a file that it was not made from', [one], ['z.ts', 9], undefined, undefined],
      ['none', [], ['a.ts', 1], undefined, undefined],
    ],
  )('%s', async (_, all, [path, at], definition, expected) => {
    const place = { workspace: 'w', path, line: at };
    expect(await explanationAt(all, place, () => Promise.resolve(definition))).toBe(expected);
  });
});

function explanationOf(given: Partial<Explanation>): Explanation {
  return {
    ...{ workspace: 'w', path: 'a.ts', container: '', name: 'fareOf' },
    ...{ text: 'It adds a fare.', uses: [], madeAt: 1 },
    files: [
      { workspace: 'w', path: 'a.ts', hash: '1' },
      { workspace: 'w', path: 'b.ts', hash: '2' },
    ],
    ...given,
  };
}
