import { describe, expect, test } from 'vitest';
import { scoreByAttention } from '../../../extension/engine/chunkIndex/attentionRanking.ts';
import { rankingHeadsOf } from '../../../extension/engine/chunkIndex/rankingHeads.ts';
import {
  indexKey,
  restoreKeys,
  saveKeys,
  type IndexKeyParts,
} from '../../../extension/engine/chunkIndex/storedKeys.ts';
import type { Token } from '../../../extension/engine/numbers.ts';
import { fuseScores } from '../../../extension/retrieval/fuseScores.ts';
import { uniforms } from '../../reference/random.ts';

const tokens = (...ids: number[]): Token[] => ids as Token[];

describe('scoreByAttention', () => {
  const [rows, heads, passages] = [7, 3, 11];
  const next = uniforms(1);
  const ratios = Array.from({ length: passages }, () =>
    Float32Array.from({ length: rows * heads }, () => 10 * next() - 8),
  );
  const scores = scoreByAttention(ratios, rows, heads);

  test('is the definition, written plainly', () => {
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const expected = ratios.map(() => 0);
    for (let head = 0; head < heads; head++) {
      const at = (passage: number, row: number): number => ratios[passage]![head * rows + row]!;
      const sums = ratios.map((_, passage) => {
        let sum = 0;
        for (let row = 0; row < rows; row++) {
          const above = at(passage, row) - mean(ratios.map((_, other) => at(other, row)));
          if (above > 0) sum += above * above;
        }
        return sum;
      });
      const spread = Math.sqrt(mean(sums.map((sum) => (sum - mean(sums)) ** 2)));
      sums.forEach((sum, passage) => (expected[passage]! += (sum - mean(sums)) / spread));
    }
    expected.forEach((value, passage) => {
      expect(scores[passage]).toBeCloseTo(value, 10);
    });
  });

  test('what a token pays to all passages alike does not count', () => {
    const shifted = ratios.map((own) => own.map((value, i) => value + (i % 5)));
    scoreByAttention(shifted, rows, heads).forEach((value, passage) => {
      expect(value).toBeCloseTo(scores[passage]!, 4);
    });
  });

  test.each([
    { name: 'one passage', given: ratios.slice(0, 1) },
    { name: 'equal passages', given: [ratios[0]!, ratios[0]!, ratios[0]!] },
  ])('$name: all 0', ({ given }) => {
    expect([...scoreByAttention(given, rows, heads)]).toEqual(given.map(() => 0));
  });
});

describe('fuseScores', () => {
  test.each([
    { name: 'the units do not matter', attention: [3, 1, 2], words: [0.01, 0.02, 0.06], best: 2 },
    { name: 'without words the attention decides', attention: [1, 3, 2], words: [0, 0, 0], best: 1 },
    { name: 'without attention the words decide', attention: [0, 0, 0], words: [5, 0, 9], best: 2 },
    { name: 'second in both beats first in one', attention: [9, 8, 0], words: [0, 8, 9], best: 1 },
    { name: 'where they differ alike, the words decide', attention: [0, 9], words: [9, 0], best: 0 },
    { name: 'what is not known counts as the mean', attention: [NaN, 1, 9], words: [1, 1, 1], best: 2 },
    { name: 'where none is known the words decide', attention: [NaN, NaN], words: [1, 2], best: 1 },
  ])('$name', ({ attention, words, best }) => {
    const scores = fuseScores(Float64Array.from(words), Float64Array.from(attention));
    expect(scores.indexOf(Math.max(...scores))).toBe(best);
  });
});

describe('stored keys', () => {
  const tokenBytes = 4;
  const passages = [3, 1, 6].map((count) => ({
    tokens: count,
    keys: Uint8Array.from({ length: count * tokenBytes }, (_, i) => 30 * count + i),
  }));
  const saved = saveKeys(passages);

  test('come back as they were, wherever their bytes lie', () => {
    expect(restoreKeys(saved, tokenBytes)).toEqual(passages);
    const moved = saved.sections.map((section) => {
      const buffer = new Uint8Array(section.length + 3);
      buffer.set(section, 3);
      return buffer.subarray(3);
    });
    const header: unknown = JSON.parse(JSON.stringify(saved.header));
    expect(restoreKeys({ header: header as typeof saved.header, sections: moved }, tokenBytes)).toEqual(
      passages,
    );
  });

  test.each([
    { name: 'another kind', change: { header: { ...saved.header, kind: 'reading' } } },
    { name: 'no counts', change: { header: { kind: 'passageKeys' } } },
    { name: 'a section too few', change: { sections: saved.sections.slice(1) } },
    { name: 'a section cut off', change: { sections: saved.sections.map((bytes) => bytes.subarray(0, -2)) } },
    {
      name: 'a section with an odd byte',
      change: { sections: saved.sections.map((bytes) => new Uint8Array([...bytes, 0])) },
    },
  ])('$name is refused', ({ change }) => {
    expect(restoreKeys({ ...saved, ...change }, tokenBytes)).toBeNull();
  });

  test('keys of other heads are refused', () => expect(restoreKeys(saved, tokenBytes + 1)).toBeNull());
});

describe('indexKey', () => {
  const parts: IndexKeyParts = {
    ...{ model: 'm', libraryVersion: '1', engineBuild: 'b', device: 'CPU', offloadedLayers: 0 },
    ranking: [{ layer: 1, head: 2 }],
    prefix: tokens(1, 2),
    file: { path: 'a.ts', textHash: 'h', chunkStarts: [1, 40] },
  };
  const changes: readonly Partial<IndexKeyParts>[] = [
    { model: 'n' },
    { libraryVersion: '2' },
    { engineBuild: 'c' },
    { device: 'GPU' },
    { offloadedLayers: 1 },
    { ranking: [{ layer: 2, head: 1 }] },
    { ranking: [...parts.ranking, { layer: 0, head: 0 }] },
    { prefix: tokens(1) },
    { file: { ...parts.file, path: 'b.ts' } },
    { file: { ...parts.file, textHash: 'i' } },
    { file: { ...parts.file, chunkStarts: [1] } },
    { file: { ...parts.file, chunkStarts: [1, 4, 0] } },
  ];
  test('is the same for the same parts, in a form that the store takes', () => {
    expect(indexKey({ ...parts, file: { ...parts.file, chunkStarts: [1, 40] } })).toBe(indexKey(parts));
    expect(indexKey(parts)).toMatch(/^[0-9a-f]{64}$/);
  });
  test.each(changes)('is another one with %o', (change) => {
    expect(indexKey({ ...parts, ...change })).not.toBe(indexKey(parts));
  });
});

describe('rankingHeadsOf', () => {
  test('knows the default model, in any case of its name', () => {
    expect(rankingHeadsOf('SmolLM2', '135M')?.length).toBeGreaterThan(0);
  });
  test.each([
    ['smollm2', '360M'],
    ['other', '135M'],
    [null, null],
  ])('%s %s: none', (basename, size) => expect(rankingHeadsOf(basename, size)).toBeNull());
});
