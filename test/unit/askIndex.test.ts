/** Questions over an indexed workspace, and its indexing, over real files; only the engine is a stand-in. */
import { describe, expect, test } from 'vitest';
import { indexWorkspace, type IndexProgress } from '../../extension/indexWorkspace.ts';
import type { IndexedFile } from '../../extension/protocol/engine.ts';
import { answered, lines, makeFiles, partsWith, request, shop } from './askedQuestions.ts';
import { standInEngine, type Faults } from './standInEngine.ts';

const states = { path: '/states', capBytes: 1e9 };
/** More than the limit, with nothing of the question in any. */
const many = Object.fromEntries(
  Array.from({ length: 12 }, (_, file) => [
    `src/part${file}.ts`,
    lines(40, (n) => `const thing${file}x${n} = ${n};`),
  ]),
);
const limit = { readingLimit: 600, states, question: 'How is it weighed?' };
const likes =
  (path: string) =>
  (file: IndexedFile): readonly number[] =>
    file.chunkStarts.map(() => (file.path === path ? 9 : 0));

describe('a question over an indexed workspace', () => {
  test('reads what the attention finds where the words find nothing', async () => {
    const { asked, answer } = await answered(many, { rank: likes('src/part7.ts') }, limit);
    expect(asked.passages.at(-1)?.path).toBe('src/part7.ts');
    expect(answer.statistics.reused).toBe('index');
  });

  test('is ranked by the words where nothing is indexed', async () => {
    const { asked, answer } = await answered(many, {}, limit);
    const { asked: without } = await answered(many, {}, { ...limit, states: undefined } as object);
    expect(asked.passages).toEqual(without.passages);
    expect(answer.statistics.reused).toBe('none');
  });

  test('is answered from what was read before by words, whatever the index says', async () => {
    const { asked: byWords } = await answered(many, {}, limit);
    const faults: Faults = { rank: likes('src/part7.ts'), stored: true };
    const { asked, answer } = await answered(many, faults, limit);
    expect(asked.passages).toEqual(byWords.passages);
    expect(answer.statistics.reused).toBe('none');
  });

  test('still reads pinned files first', async () => {
    const pins = [{ kind: 'file', workspace: 'shop', path: 'src/part3.ts' }] as const;
    const { asked } = await answered(many, { rank: likes('src/part7.ts') }, { ...limit, pins });
    expect(asked.passages.at(-1)?.path).toBe('src/part3.ts');
  });

  test('asks for the index of the text that is there, cut at the lines where it is cut', async () => {
    const seen: IndexedFile[] = [];
    const rank = (file: IndexedFile): null => (seen.push(file), null);
    await answered({ 'long.ts': lines(200, (n) => `const a${n} = ${n};`) }, { rank }, limit);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ path: 'long.ts' });
    expect(seen[0]!.chunkStarts[0]).toBe(1);
    expect(seen[0]!.chunkStarts.length).toBeGreaterThan(2);
  });
});

describe('indexing', () => {
  const index = async (faults: Faults): Promise<IndexProgress[]> => {
    await makeFiles(shop);
    const { folders, device, kvCacheType } = request();
    const parts = partsWith(standInEngine(faults));
    const { signal } = new AbortController();
    const all: IndexProgress[] = [];
    for await (const one of indexWorkspace(
      { folders, device, kvCacheType, states },
      parts,
      () => undefined,
      signal,
    ))
      all.push(one);
    return all;
  };

  test('reads what is not indexed yet, and counts all that can be read', async () => {
    const added: string[] = [];
    const all = await index({
      indexed: ({ path }) => path === 'src/price.ts',
      index: ({ file, chunks }) => {
        added.push(file.path);
        expect(chunks.map(({ startLine }) => startLine)).toEqual(file.chunkStarts);
        return 10;
      },
    });
    expect(added.sort()).toEqual(['docs/説明 書.md', 'src/discount.ts']);
    expect(all.at(-1)).toMatchObject({ readable: 3, indexed: 3, tokens: 20, served: true });
    expect(all.at(-1)!.filesDone).toBe(all.at(-1)!.filesTotal);
  });

  test('leaves to the words what there is no room for', async () => {
    const all = await index({ index: ({ file }) => (file.path.startsWith('docs') ? 10 : null) });
    expect(all.at(-1)).toMatchObject({ readable: 3, indexed: 1, tokens: 10 });
  });

  test('finds the heads of the model first, where they are not known', async () => {
    const deeds: string[] = [];
    const all = await index({
      findHeads: () => Promise.resolve(void deeds.push('heads')),
      index: () => (deeds.push('file'), 10),
    });
    expect(deeds).toEqual(['heads', 'file', 'file', 'file']);
    const finding = all.filter(({ findsHeads }) => findsHeads);
    expect(finding).toHaveLength(1);
    expect(finding[0]).toMatchObject({ filesDone: 0, indexed: 0 });
    expect(all.at(-1)).toMatchObject({ indexed: 3, findsHeads: false });
  });

  test('ends at once for a model without an index', async () => {
    const all = await index({ served: false });
    expect(all.at(-1)).toMatchObject({ served: false, indexed: 0 });
    expect(all.length).toBeLessThan(4);
  });

  test('is cancelled between two files', async () => {
    await makeFiles(shop);
    const { folders, device, kvCacheType } = request();
    const stop = new AbortController();
    const parts = partsWith(standInEngine({ index: () => (stop.abort(), 1) }));
    const indexed: number[] = [];
    const all = async (): Promise<void> => {
      const events = indexWorkspace(
        { folders, device, kvCacheType, states },
        parts,
        () => undefined,
        stop.signal,
      );
      for await (const progress of events) indexed.push(progress.indexed);
    };
    await expect(all()).rejects.toMatchObject({ reason: 'cancelled' });
    expect(Math.max(...indexed)).toBeLessThan(2);
  });
});
