import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { scoreByAttention } from '../../../extension/engine/chunkIndex/attentionRanking.ts';
import {
  PassageIndexer,
  type PassageKeys,
  type QuestionQueries,
} from '../../../extension/engine/chunkIndex/passageIndexer.ts';
import type { DecodeHooks } from '../../../extension/engine/queries.ts';
import { yieldToEvents } from '../../../extension/engine/prefill.ts';
import { decode, newKvCache } from '../../reference/twin.ts';
import { rotate } from '../../reference/rotation.ts';
import { fromQ8, roundedToQ8 } from '../../reference/q8.ts';
import {
  openTinyEngine,
  randomTokens,
  readKeys,
  steadyPace,
  type TinyEngine,
  tinyModels,
  type TinyModelName,
} from '../../tinyEngine.ts';
import { temporaryFolder } from '../../unit/reference/temporaryFolder.ts';

/** Two of them share a KV head, and the last layer of the model has none. */
const ranking = [
  { layer: 1, head: 3 },
  { layer: 0, head: 0 },
  { layer: 1, head: 2 },
];
const prefix = randomTokens(9, 20);
const passages = [70, 33, 512, 700].map((length, index) => randomTokens(length, 30 + index));
const question = randomTokens(21, 40);
const rows = [4, 5, 9, 17, 20];
/** Absolute: keys and queries are rounded to 8 bits. */
const tolerance = { logRatio: 6e-2 };

const names: readonly TinyModelName[] = [
  'llama',
  'llama, frequency factors',
  'llama, YaRN',
  'qwen2',
  'qwen3',
];

describe.each(names)('%s', (name) => {
  const folder = temporaryFolder();
  const hooks: DecodeHooks = { pace: steadyPace(), signal: new AbortController().signal };
  let tiny: TinyEngine;
  let indexer: PassageIndexer;
  let stored: PassageKeys[];
  let asked: QuestionQueries;

  beforeAll(async () => {
    tiny = openTinyEngine(folder, { device: 'cpu' }, tinyModels[name]);
    indexer = new PassageIndexer(tiny.engine.model, ranking, prefix);
    stored = [];
    for (const passage of passages) stored.push(await indexer.keysOf(passage, hooks));
    asked = await indexer.queriesOf(question, rows, hooks);
  });
  beforeEach(yieldToEvents);
  afterAll(() => {
    indexer.dispose();
    tiny.engine.dispose();
  });

  test('the keys are those of a whole forward pass, rounded to 8 bits', () => {
    const { context, twin } = tiny;
    passages.forEach((passage, index) => {
      context.clear();
      context.decode(prefix, { logits: 'none' });
      for (let start = 0; start < passage.length; start += 512)
        context.decode(passage.slice(start, start + 512), { logits: 'none' });
      const whole = readKeys(tiny, prefix.length + passage.length);
      const { tokens, keys } = stored[index]!;
      expect(tokens).toBe(passage.length);
      ranking.forEach(({ layer, head }, list) => {
        const size = tokens * indexer.headDim;
        const kept = fromQ8(keys).subarray(list * size, (list + 1) * size);
        const kvHead = Math.floor(head / (twin.heads / twin.kvHeads));
        expect(kept).toEqual(roundedToQ8(whole[layer]![kvHead]!.slice(prefix.length * indexer.headDim)));
      });
    });
  });

  test('layers behind the last head are not run', () => {
    const { context, twin } = tiny;
    const written = (decode: () => void): Float64Array[][] => {
      context.clear();
      decode();
      return readKeys(tiny, prefix.length);
    };
    const other = passages[0]!.slice(0, prefix.length);
    const before = written(() => context.decode(other, { logits: 'none' }));
    const changedBy = (decode: () => void): boolean[] =>
      written(decode).map((heads, layer) =>
        heads.some((keys, head) => keys.some((key, i) => key !== before[layer]![head]![i])),
      );
    expect(changedBy(() => context.decodeUpTo(prefix, new Set([0, 1])))).toEqual([true, true, false]);
    expect(changedBy(() => context.decode(prefix, { logits: 'none' }))).toEqual(twin.layers.map(() => true));
  });

  test("what a question pays to a passage is the float64 twin's", () => {
    const expected = passages.slice(0, 2).map((passage) => twinLogRatios(tiny, passage));
    expected.forEach((ratios, index) => {
      const actual = indexer.attentionOn(stored[index]!, asked);
      expect(actual.length).toBe(ratios.length);
      ratios.forEach((value, i) => {
        expect(Math.abs(actual[i]! - value)).toBeLessThan(tolerance.logRatio);
      });
    });
  });

  test("in the first layer it is the model's own attention, with the question behind the passage", () => {
    const { context, operations } = tiny;
    const [passage, keys] = [passages[0]!, stored[0]!];
    context.clear();
    context.decode([...prefix, ...passage], { logits: 'none' });
    const cells = context.length;
    const queries = context.decodeTakingQueries(question, new Set([0]), { logits: 'none' });
    const paid = rows.map((row) => {
      const weights = Float32Array.from(question, (_, i) => Number(i === row));
      const scores = operations.attentionScores(queries, cells, weights).get(0)!.subarray(0, cells);
      const sum = (from: number, to: number): number =>
        scores.slice(from, to).reduce((total, value) => total + value, 0);
      return Math.log(sum(prefix.length, cells) / sum(0, prefix.length));
    });
    const ofFirstLayer = indexer.attentionOn(keys, asked).subarray(rows.length, 2 * rows.length);
    paid.forEach((value, row) => {
      expect(Math.abs(ofFirstLayer[row]! - value)).toBeLessThan(tolerance.logRatio);
    });
  });

  test('an order of passages depends neither on when they were read nor on where they are stored', async () => {
    const fresh = new PassageIndexer(tiny.engine.model, ranking, prefix);
    try {
      const again = await fresh.queriesOf(question, rows, hooks);
      const ratios: Float32Array[] = [];
      for (const passage of passages.toReversed())
        ratios.unshift(fresh.attentionOn(await fresh.keysOf(passage, hooks), again));
      const onDisk = stored.map(({ tokens, keys }) => {
        const bytes = Buffer.from(new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength));
        return { tokens, keys: new Uint8Array(bytes) };
      });
      expect(onDisk.map((keys) => indexer.attentionOn(keys, asked))).toEqual(ratios);
      expect([...scoreByAttention(ratios, rows.length, ranking.length)].every(Number.isFinite)).toBe(true);
    } finally {
      fresh.dispose();
    }
  });
});

/** (rows, heads), rows fastest, from the definition: queries of the question alone, turned to behind the passage. */
function twinLogRatios({ twin }: TinyEngine, passage: readonly number[]): number[] {
  const withPassage = newKvCache(twin);
  decode(twin, withPassage, [...prefix, ...passage], 0);
  const alone = newKvCache(twin);
  decode(twin, alone, prefix, 0);
  const { queries } = decode(twin, alone, question, prefix.length);
  const turn = { ...twin.layers[0]!.rotation!, magnitude: 1 };
  return ranking.flatMap(({ layer, head }) =>
    rows.map((row) => {
      const query = rotate(turn, queries[layer]![head]![row]!, passage.length);
      const kvHead = Math.floor(head / (twin.heads / twin.kvHeads));
      const weights = withPassage.cells[layer]![kvHead]!.map(({ key }) =>
        Math.exp(key.reduce((sum, value, d) => sum + value * query[d]!, 0) / Math.sqrt(twin.headDim)),
      );
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
      return Math.log(sum(weights.slice(prefix.length)) / sum(weights.slice(0, prefix.length)));
    }),
  );
}
