/** Readings that are kept: what comes back is what was read, bit by bit, or it is read again. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answer, type AnswerHooks } from '../../extension/engine/answer.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import { createReadingStores, type ReadingStore } from '../../extension/engine/kvState/readingStore.ts';
import { stateKey, type StateKeyParts } from '../../extension/engine/kvState/stateKey.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { AnsweredResult, AskParams } from '../../extension/protocol/engine.ts';
import { readStateFile, writeStateFile } from '../../extension/stateStore/stateFile.ts';
import {
  capBytes,
  nextLogits,
  optionsOf,
  readingSuite,
  readWith,
  someHeads as heads,
  tinyEngines,
} from '../readingSuite.ts';
import { randomTokens } from '../tinyEngine.ts';
import { ownSource } from './engineProcess.ts';

const { signal } = new AbortController();
const log: string[] = [];
const { newEngine, newFolder } = tinyEngines({ device: 'cpu' });

readingSuite({ device: 'cpu' }, [
  'llama',
  'llama, frequency factors',
  'llama, YaRN',
  'qwen2',
  'qwen3',
  'smollm3',
  'gemma3',
]);

describe('a stored reading that is not sound is read again:', () => {
  const options = optionsOf('default', 128);
  const harms: readonly [name: string, harm: (path: string, other: string) => Promise<void> | void][] = [
    ['damaged', (path) => flip(path, 0.7)],
    ['damaged in its header', (path) => flip(path, 0.0002)],
    ['cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
    ['empty', (path) => writeFileSync(path, '')],
    ['foreign', (path) => writeFileSync(path, 'a text that somebody put there'.repeat(100))],
    ['that of another question', (path, other) => copyFileSync(other, path)],
    [
      'changed with good checksums: rows',
      (path) => rewrite(path, (sections) => sections[0]!.fill(7, 4000, 4100)),
    ],
    ['changed with good checksums: too short', (path) => rewrite(path, (sections) => sections.pop())],
    [
      'changed with good checksums: other rows',
      (path) => rewrite(path, (sections) => (sections[0] = new Uint8Array(99))),
    ],
    ['a folder', (path) => mkdirSync(renamed(path))],
  ];
  test.each(harms)('%s', async (_, harm) => {
    const folder = newFolder();
    const otherFolder = newFolder();
    const { open, idle } = createReadingStores((line) => log.push(line));
    const first = newEngine('llama');
    const expected = await readWith(first, options, open({ path: folder, capBytes }));
    const logits = nextLogits(first);
    const question = randomTokens(20, 77);
    await readWith(
      newEngine('llama'),
      options,
      open({ path: otherFolder, capBytes }),
      false,
      { signal },
      question,
    );
    await idle();
    const pathIn = (where: string): string =>
      join(
        where,
        readdirSync(where).find((name) => name.endsWith('.kv'))!,
      );
    await harm(pathIn(folder), pathIn(otherFolder));

    const engine = newEngine('llama');
    const again = await readWith(engine, options, open({ path: folder, capBytes }));
    expect(again.restoredFrom).toBeNull();
    expect(again.lists).toEqual(expected.lists);
    expect(nextLogits(engine)).toEqual(logits);
    expect(log.length).toBeGreaterThan(0);
    await idle();
  });
});

describe('the key', () => {
  const parts: StateKeyParts = {
    model: 'a',
    libraryVersion: 'v1',
    engineBuild: 'b',
    device: 'CPU',
    kvCacheType: 'f16',
    offloadedLayers: 0,
    prefix: randomTokens(3, 1),
    document: randomTokens(30, 2),
    compression: { options: presetOptions('default', 128, heads), question: randomTokens(5, 3) },
  };
  const { options, question } = parts.compression!;
  const withOptions = (changes: Partial<typeof options>): StateKeyParts => ({
    ...parts,
    compression: { options: { ...options, ...changes }, question },
  });
  const others: readonly [name: string, parts: StateKeyParts][] = [
    ['the model', { ...parts, model: 'c' }],
    ['the library', { ...parts, libraryVersion: 'v2' }],
    ['the engine', { ...parts, engineBuild: 'c' }],
    ['the device', { ...parts, device: 'Vulkan0' }],
    ["the cache's type", { ...parts, kvCacheType: 'q8_0' }],
    ['the offloaded layers', { ...parts, offloadedLayers: 1 }],
    ['the prompt', { ...parts, prefix: randomTokens(3, 9) }],
    ['one token of a file', { ...parts, document: parts.document.with(17, randomTokens(1, 50)[0]!) }],
    ['the order of the files', { ...parts, document: parts.document.toReversed() }],
    ['the question', { ...parts, compression: { options, question: question.toReversed() } }],
    ['nothing was compressed', { ...parts, compression: null }],
    [
      'a token that moved to the document',
      { ...parts, prefix: parts.prefix.slice(0, 2), document: [parts.prefix[2]!, ...parts.document] },
    ],
    ['the budget', withOptions({ tokenBudget: 129 })],
    ['the chunk', withOptions({ chunkTokens: 256 })],
    ['the score', withOptions({ score: { kind: 'own' } })],
    ['the heads', withOptions({ score: { kind: 'evidenceHeads', heads: heads.slice(1), calibration: 0.8 } })],
    ['the calibration', withOptions({ score: { kind: 'evidenceHeads', heads, calibration: 0.5 } })],
    ['the scope', withOptions({ scope: 'layer' })],
    ['the unit', withOptions({ unit: { kind: 'token' } })],
    ['the sinks', withOptions({ sinkTokens: 0 })],
    ['the weights', withOptions({ positionWeights: true })],
    ['the growth', withOptions({ growth: 'sigma' })],
  ];
  test.each(others)('differs with %s', (_, changed) => {
    expect(stateKey(changed)).not.toBe(stateKey(parts));
  });
  test('is the same for the same, and covers every part', () => {
    expect(stateKey(structuredClone(parts))).toBe(stateKey(parts));
    const named = others.map(([, changed]) => changed);
    for (const part of Object.keys(parts) as (keyof StateKeyParts)[]) {
      expect(
        named.some((changed) => changed[part] !== parts[part]),
        part,
      ).toBe(true);
    }
    for (const option of Object.keys(options) as (keyof typeof options)[]) {
      const differs = named.some((changed) => {
        const other = changed.compression?.options;
        return other !== undefined && JSON.stringify(other[option]) !== JSON.stringify(options[option]);
      });
      expect(differs, option).toBe(true);
    }
  });
});

describe('an answer', () => {
  const passages = [ownSource('extension/engine/numbers.ts'), ownSource('extension/engine/generate.ts')];
  test('over the same files is the same without reading', async () => {
    const { open, idle } = createReadingStores((line) => log.push(line));
    const store = open({ path: newFolder(), capBytes });
    const first = await ask(newEngine('llama', 4096), { passages }, store);
    await idle();
    const engine = newEngine('llama', 4096);
    const second = await ask(engine, { passages }, store);
    expect(first.statistics.reused).toBe('none');
    expect(second.statistics.reused).toBe('state');
    expect(second.statistics.readAt).toBeLessThanOrEqual(Date.now());
    expect(second.text).toBe(first.text);
    expect(second.evidence).toEqual(first.evidence);
    expect(second.citations).toEqual(first.citations);
    expect(second.statistics.prefillTokens).toBeLessThan(first.statistics.prefillTokens / 4);

    const changed = await ask(engine, { passages: passages.slice(1) }, store);
    expect(changed.statistics.reused).toBe('none');
  });

  test('to a follow-up goes on with what was kept, and is none when that is gone', async () => {
    const { open, idle } = createReadingStores((line) => log.push(line));
    const store = open({ path: newFolder(), capBytes });
    const readUnder = { question: 'What is a token?' };
    const followUp = {
      passages,
      question: 'And a position?',
      history: [{ question: readUnder.question, answer: 'A number.' }],
      readUnder,
    };
    await expect(ask(newEngine('llama', 4096), followUp, store)).rejects.toThrow('notStored');
    await ask(newEngine('llama', 4096), { passages, question: readUnder.question }, store);
    await idle();
    const answered = await ask(newEngine('llama', 4096), followUp, store);
    expect(answered.statistics.reused).toBe('state');
    expect(answered.statistics.generatedTokens).toBeGreaterThan(0);
  });

  test('comes all the same where nothing can be stored', async () => {
    const path = join(newFolder(), 'a file where the folder should be');
    writeFileSync(path, '');
    const { open, idle } = createReadingStores((line) => log.push(line));
    const engine = newEngine('llama', 4096);
    const said = log.length;
    const answered = await ask(engine, { passages }, open({ path, capBytes }));
    await idle();
    expect(answered.statistics.generatedTokens).toBeGreaterThan(0);
    expect(log.slice(said).join('\n')).toContain('not stored');
  });

  test('of two engines that share a folder is the same', async () => {
    const { open, idle } = createReadingStores((line) => log.push(line));
    const path = newFolder();
    const both = await Promise.all(
      [1, 2].map((n) => ask(newEngine('llama', 4096), { passages }, open({ path, capBytes: capBytes + n }))),
    );
    await idle();
    expect(both[0]!.text).toBe(both[1]!.text);
    const third = await ask(newEngine('llama', 4096), { passages }, open({ path, capBytes }));
    expect(third.statistics.reused).toBe('state');
    expect(third.text).toBe(both[0]!.text);
  });
});

async function ask(
  engine: LoadedEngine,
  params: Partial<AskParams> & Pick<AskParams, 'passages'>,
  store: ReadingStore,
): Promise<AnsweredResult> {
  const hooks: AnswerHooks = { signal, progress: () => undefined, text: () => undefined };
  const defaults = {
    ...{ requestId: 'q', question: 'What is a token?', history: [], answerSoFar: '' },
    ...{ preset: 'default', tokenBudget: 128, maxAnswerTokens: 12, temperature: 0, seed: 1 },
  } as const;
  const result = await answer(engine, { ...defaults, ...params } as AskParams, hooks, store);
  if (result.outcome !== 'answered') throw new Error(result.outcome);
  return result;
}

function flip(path: string, where: number): void {
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * where)]! ^= 1;
  writeFileSync(path, bytes);
}

async function rewrite(path: string, change: (sections: Uint8Array[]) => unknown): Promise<void> {
  const { header, sections } = await readStateFile(path);
  const changed = [...sections];
  change(changed);
  await writeStateFile(path, header, changed, signal);
}

/** The name becomes free. */
function renamed(path: string): string {
  renameSync(path, `${path}.away`);
  return path;
}
