/** The index on the disk: what it says is what the attention says without it, and what is not sound is not there. */
import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scoreByAttention } from '../../../extension/engine/chunkIndex/attentionRanking.ts';
import { ChunkIndex } from '../../../extension/engine/chunkIndex/chunkIndex.ts';
import { PassageIndexer } from '../../../extension/engine/chunkIndex/passageIndexer.ts';
import type { DecodeHooks } from '../../../extension/engine/queries.ts';
import { indexPrefix, questionForm } from '../../../extension/engine/chunkIndex/questionForm.ts';
import { createReadingStores, type ReadingStores } from '../../../extension/engine/kvState/readingStore.ts';
import { yieldToEvents } from '../../../extension/engine/prefill.ts';
import type { IndexedFile } from '../../../extension/protocol/engine.ts';
import type { Passage } from '../../../extension/protocol/nouns.ts';
import { passageText } from '../../../extension/protocol/passageText.ts';
import { openTinyEngine, steadyPace, type TinyEngine, tinyModels } from '../../tinyEngine.ts';
import { temporaryFolder } from '../../unit/reference/temporaryFolder.ts';

const ranking = [
  { layer: 1, head: 3 },
  { layer: 0, head: 0 },
];
const question = 'Where is the discount applied?';
const capBytes = 1e9;

const chunk = (path: string, startLine: number, text: string): Passage => ({
  ...{ workspace: 'shop', path, startLine, endLine: startLine, text: `${text}\n` },
});
const chunksOf: readonly (readonly Passage[])[] = [
  [chunk('a.ts', 1, 'const discount = 0.9;'), chunk('a.ts', 2, 'apply(discount);')],
  [chunk('b.ts', 1, 'const weather = "fair";')],
  [chunk('c.ts', 1, 'the ferry sails at noon'), chunk('c.ts', 2, 'and'), chunk('c.ts', 3, 'at six')],
];
const files: readonly IndexedFile[] = chunksOf.map((chunks, index) => ({
  path: chunks[0]!.path,
  textHash: `hash ${index}`,
  chunkStarts: chunks.map(({ startLine }) => startLine),
}));

describe('the index', () => {
  const modelFolder = temporaryFolder();
  const folder = temporaryFolder();
  const hooks: DecodeHooks = { pace: steadyPace(), signal: new AbortController().signal };
  let tiny: TinyEngine;
  let index: ChunkIndex;
  let stores: ReadingStores;
  const logged: string[] = [];
  const store = (cap = capBytes) => stores.open({ path: folder, capBytes: cap });
  const scores = (of = files) => index.scores(store(), of, question, hooks);

  beforeAll(async () => {
    tiny = openTinyEngine(modelFolder, { device: 'cpu' }, tinyModels.llama);
    index = new ChunkIndex(tiny.engine.model, ranking, tiny.engine.identity);
    stores = createReadingStores((line) => logged.push(line));
    for (const [i, file] of files.entries()) {
      expect(await index.has(store(), file)).toBe(false);
      expect(await index.add(store(), file, chunksOf[i]!, hooks)).toBeGreaterThan(0);
    }
    await stores.idle();
  });
  beforeEach(yieldToEvents);
  afterAll(() => {
    index.dispose();
    tiny.engine.dispose();
  });

  test('scores as the attention does without the disk', async () => {
    const { model } = tiny.engine;
    const indexer = new PassageIndexer(model, ranking, indexPrefix(model));
    try {
      const { tokens, rows } = questionForm(model, question);
      const queries = await indexer.queriesOf(tokens, rows, hooks);
      const ratios: Float32Array[] = [];
      for (const one of chunksOf.flat()) {
        const keys = await indexer.keysOf(model.tokenize(passageText(one), { special: false }), hooks);
        ratios.push(indexer.attentionOn(keys, queries));
      }
      const direct = [...scoreByAttention(ratios, rows.length, ranking.length)];
      expect((await scores()).flatMap((own) => own ?? [])).toEqual(direct);
      expect((await scores()).map((own) => own?.length)).toEqual([2, 1, 3]);
    } finally {
      indexer.dispose();
    }
  });

  test('has a file whose text is the same, and no other', async () => {
    expect(await index.has(store(), files[0]!)).toBe(true);
    const others: readonly IndexedFile[] = [
      { ...files[0]!, textHash: 'edited' },
      { ...files[0]!, path: 'moved.ts' },
      { ...files[0]!, chunkStarts: [1] },
    ];
    for (const other of others) expect(await index.has(store(), other)).toBe(false);
    expect(await scores([...others, files[1]!])).toEqual([null, null, null, [0]]);
  });

  test('reads nothing for which there is no room, and takes nothing away for it', async () => {
    const before = await readdir(folder);
    const edited = { ...files[0]!, textHash: 'edited' };
    expect(await index.add(store(200), edited, chunksOf[0]!, hooks)).toBeNull();
    await stores.idle();
    expect(await readdir(folder)).toEqual(before);
  });

  test('a cancelled reading leaves nothing', async () => {
    const cancelled = { ...hooks, signal: AbortSignal.abort() };
    const edited = { ...files[0]!, textHash: 'edited' };
    await expect(index.add(store(), edited, chunksOf[0]!, cancelled)).rejects.toMatchObject({
      reason: 'cancelled',
    });
    expect(await index.has(store(), edited)).toBe(false);
  });

  test.each<[name: string, damage: (path: string) => Promise<void>]>([
    ['cut off', (path) => truncate(path, 100)],
    ['foreign', (path) => writeFile(path, 'not an index')],
  ])('a file of it that is %s is dropped, and the others rank', async (_, damage) => {
    const [name] = (await readdir(folder)).filter((entry) => entry.endsWith('.keys'));
    await damage(join(folder, name!));
    const now = await scores();
    expect(now.filter((own) => own === null)).toHaveLength(1);
    expect(logged.join('\n')).toContain('A stored state was not used');
    const gone = now.indexOf(null);
    expect(await index.has(store(), files[gone]!)).toBe(false);
    await index.add(store(), files[gone]!, chunksOf[gone]!, hooks);
    await stores.idle();
    expect(await scores()).not.toContain(null);
  });
});
