/** The copy of a model that a processor reads quicker: what is in it, and that without it everything works as before. */
import { copyFile, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestedDevices } from '../../extension/engine/devices.ts';
import { loadLibrary } from '../../extension/engine/llama/library.ts';
import { requantize } from '../../extension/engine/llama/requantize.ts';
import { loadFitting } from '../../extension/engine/loadFitting.ts';
import { processorWeights } from '../../extension/engine/processorWeights.ts';
import { filesOfModel } from '../../extension/models/findModel.ts';
import { readGgufHeader, type GgufHeader } from '../../extension/models/ggufFile.ts';
import { processorCopyPath } from '../../extension/models/modelFolder.ts';
import { smolLm2Path } from '../modelFiles.ts';
import { fromHalfBits } from '../reference/halfFloat.ts';
import { fromQ8, q8ValueError } from '../reference/q8.ts';
import { mountSmallDisk } from '../unit/models/smallDisk.ts';

const library = loadLibrary('cpu');
let original: string;
let folder: string;
let model: string;
let logged: string[];
beforeAll(async () => {
  original = await smolLm2Path();
  folder = await mkdtemp(join(tmpdir(), 'ask copies Größe '));
  model = join(folder, 'model.gguf');
  await copyFile(original, model);
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  logged = [];
});

function weights(path: string): Promise<GgufHeader> {
  return processorWeights(readGgufHeader(path), library, (line) => logged.push(line));
}

describe('the copy of a model in q4_1', () => {
  test('has the same weights but for their rounding, and the same words', async () => {
    const before = readGgufHeader(model);
    const copy = await weights(model);
    expect([copy.path, logged]).toEqual([processorCopyPath(model), []]);
    expect(filesOfModel(model)).toContain(copy.path);
    expect(new Set(copy.tensors.map(({ type }) => type))).toEqual(new Set(['F32', 'Q8_0']));
    const shapes = ({ tensors }: GgufHeader) => new Map(tensors.map((one) => [one.name, one.dimensions]));
    expect(shapes(copy)).toEqual(shapes(before));
    for (const key of ['tokenizer.ggml.tokens', 'tokenizer.chat_template', 'general.basename']) {
      expect(copy.metadata.get(key)).toEqual(before.metadata.get(key));
    }
    for (const name of ['blk.0.attn_q.weight', 'blk.14.ffn_down.weight', 'blk.29.ffn_up.weight']) {
      const [from, to] = [fromQ4(bytesOf(before, name)), fromQ8(bytesOf(copy, name))];
      expect(to.length).toBe(from.length);
      for (let start = 0; start < from.length; start += 32) {
        const block = from.subarray(start, start + 32);
        const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        // The scale itself is rounded to 11 bits.
        const allowed = largest * (q8ValueError + 2 ** -11);
        block.forEach((value, i) => {
          if (!(Math.abs(to[start + i]! - value) <= allowed)) {
            throw new Error(`${name} ${start + i}: ${to[start + i]!} instead of ${value}`);
          }
        });
      }
    }
  });

  test('is made once', async () => {
    const { path } = await weights(model);
    const { ino, mtimeMs } = await stat(path);
    expect((await weights(model)).path).toBe(path);
    expect(await stat(path)).toMatchObject({ ino, mtimeMs });
  });

  test('is what a processor loads of the own files, and it predicts what the model predicts', async () => {
    const tops = [];
    for (const isOwnFile of [true, false]) {
      const { engine, result } = await loadFitting(
        { modelPath: model, device: 'cpu', isOwnFile },
        createTestedDevices(() => null),
        console.error,
      );
      expect(engine.model.path).toBe(isOwnFile ? processorCopyPath(model) : model);
      expect(result.modelName).toBe(readGgufHeader(model).metadata.get('general.name'));
      expect(engine.evidenceHeads).toHaveLength(8);
      const { context } = engine.open(256, 200);
      const tokens = engine.model.tokenize('The capital of France is Paris, and that of Italy is', {
        special: false,
      });
      context.decode(tokens, { logits: 'last' });
      const logits = Float64Array.from(context.logits());
      engine.dispose();
      tops.push({ best: logits.indexOf(Math.max(...logits)), logits });
    }
    const [copy, file] = tops;
    expect(copy!.best).toBe(file!.best);
    expect(correlation(copy!.logits, file!.logits)).toBeGreaterThan(0.99);
  });

  test.each<[what: string, damage: (copy: string) => Promise<void>]>([
    ['is cut off', (copy) => truncate(copy, 50_000_000)],
    ['is something else', (copy) => writeFile(copy, 'GGUF')],
    ['was made of another file', (copy) => requantizedFrom('0'.repeat(64), copy)],
  ])('is made anew where it $0', async (_, damage) => {
    const { path, fileBytes } = await weights(model);
    await damage(path);
    const again = await weights(model);
    expect([again.path, again.fileBytes, logged]).toEqual([path, fileBytes, []]);
    expect((await readdir(folder)).sort()).toEqual(['model.gguf', 'model.gguf.q8_0']);
  });

  test('is made anew when the model file is another', async () => {
    const first = await weights(model);
    const file = await open(model, 'r+');
    await file.write(Buffer.from([1, 2, 3]), 0, 3, first.fileBytes > 0 ? (await file.stat()).size - 40 : 0);
    await file.close();
    const second = await weights(model);
    const key = 'ask_codebase.requantized_from';
    expect(second.metadata.get(key)).toMatch(/^[0-9a-f]{64}$/);
    expect(second.metadata.get(key)).not.toBe(first.metadata.get(key));
  });
});

describe('the model itself is loaded', () => {
  test('where the copy has no room on the disk, and nothing is left there', async () => {
    const disk = await mountSmallDisk(200);
    try {
      const path = join(disk.folder, 'model.gguf');
      await copyFile(original, path);
      expect((await weights(path)).path).toBe(path);
      expect(logged).toEqual([expect.stringMatching(/copy of the model.*disk/i)]);
      expect(await readdir(disk.folder)).toEqual(['model.gguf']);
    } finally {
      await disk.remove();
    }
  });

  test('where the disk cannot be written', async () => {
    const disk = await mountSmallDisk(400);
    try {
      const path = join(disk.folder, 'model.gguf');
      await copyFile(original, path);
      await disk.makeReadOnly();
      expect((await weights(path)).path).toBe(path);
      expect(logged).toHaveLength(1);
    } finally {
      await disk.remove();
    }
  });

  test('where a copy gains nothing', async () => {
    const copy = await weights(model);
    expect(await processorWeights(copy, library, (line) => logged.push(line))).toBe(copy);
    expect(logged).toEqual([]);
  });
});

test('a disk that fills up leaves a file that is shorter than its header says', async () => {
  const disk = await mountSmallDisk(60);
  try {
    const path = join(disk.folder, 'copy');
    const write = (): void => requantize(library, original, path, { threads: 1, metadata: ['a', 'b'] });
    expect(() => {
      write();
      readGgufHeader(path);
    }).toThrow();
    expect((await stat(path)).size).toBeLessThanOrEqual(60 * 2 ** 20);
  } finally {
    await disk.remove();
  }
});

async function requantizedFrom(source: string, path: string): Promise<void> {
  await rm(path);
  requantize(library, model, path, { threads: 2, metadata: ['ask_codebase.requantized_from', source] });
}

function bytesOf({ path, tensors }: GgufHeader, name: string): Uint8Array {
  const { offset, bytes } = tensors.find((one) => one.name === name)!;
  return readFileSync(path).subarray(offset, offset + bytes);
}

/** ggml's q4_1, plainly: an f16 scale and an f16 least value, then 32 numbers of four bits, the lower halves first. */
function fromQ4(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array((bytes.length / 20) * 32);
  for (let block = 0; block < bytes.length / 20; block++) {
    const [scale, least] = [0, 2].map((at) => fromHalfBits(view.getUint16(block * 20 + at, true)));
    for (let i = 0; i < 32; i++) {
      const both = bytes[block * 20 + 4 + (i % 16)]!;
      values[block * 32 + i] = scale! * (i < 16 ? both & 15 : both >> 4) + least!;
    }
  }
  return values;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const [da, db] = [value - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  });
  return ab / Math.sqrt(aa * bb);
}
