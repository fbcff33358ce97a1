import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readGguf } from '../../reference/ggufReader.ts';
import { writeGguf, type MetadataValue, type WritableTensor } from '../../reference/ggufWriter.ts';
import { fromHalfBits, toHalfBits } from '../../reference/halfFloat.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const folder = temporaryFolder();

test('every half but NaN comes back as the same bits', () => {
  const changed = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
    (bits) => !Number.isNaN(fromHalfBits(bits)) && toHalfBits(fromHalfBits(bits)) !== bits,
  );
  expect(changed).toEqual([]);
  expect(fromHalfBits(toHalfBits(NaN))).toBeNaN();
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [1 / 3, 0x3555],
  [65504, 0x7bff],
  [65519, 0x7bff],
  [65520, 0x7c00],
  [-1e9, 0xfc00],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [3 * 2 ** -25, 0x0002],
  [2 ** -14 - 2 ** -26, 0x0400],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [2 - 2 ** -12, 0x4000],
])('%d is the half %i', (value, bits) => {
  expect(toHalfBits(value)).toBe(bits);
});

test('metadata and tensors come back as they were written', () => {
  const path = join(folder, 'all-types.gguf');
  const metadata = new Map<string, MetadataValue>([
    ['a.uint32', { type: 'uint32', value: 4_294_967_295 }],
    ['a.int32', { type: 'int32', value: -7 }],
    ['a.float32', { type: 'float32', value: 0.5 }],
    ['a.bool', { type: 'bool', value: true }],
    ['a.string', { type: 'string', value: 'größer 漢字' }],
    ['an.array.int32', { type: 'int32s', value: [1, -2, 3] }],
    ['an.array.float32', { type: 'float32s', value: [0.25, -8] }],
    ['an.array.string', { type: 'strings', value: ['', '▁a'] }],
  ]);
  const tensors: WritableTensor[] = [
    { name: 'odd', shape: [3], type: 'f16', values: Float32Array.of(1, -0.5, 1024) },
    { name: 'grid', shape: [2, 3], type: 'f32', values: Float32Array.of(1, 2, 3, 4, 5, 0.1) },
  ];
  writeGguf(path, metadata, tensors);
  const read = readGguf(path);
  expect([...read.metadata]).toEqual([...metadata].map(([key, { value }]) => [key, value]));
  expect([...read.tensors]).toEqual(
    tensors.map(({ name, shape, values }) => [name, { shape, values: Float64Array.from(values) }]),
  );
});

test('a tensor begins at a multiple of 32 bytes', () => {
  const path = join(folder, 'aligned.gguf');
  writeGguf(path, new Map(), [
    { name: 'first', shape: [1], type: 'f16', values: Float32Array.of(1) },
    { name: 'second', shape: [1], type: 'f32', values: Float32Array.of(3) },
  ]);
  const bytes = readFileSync(path);
  expect(bytes.length % 32).toBe(0);
  expect(bytes.readUInt16LE(bytes.length - 64)).toBe(0x3c00);
  expect(bytes.readFloatLE(bytes.length - 32)).toBe(3);
});

test('what is not a GGUF file of version 3 is refused', () => {
  const path = join(folder, 'old.gguf');
  writeGguf(path, new Map(), []);
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(2, 4);
  writeFileSync(path, bytes);
  expect(() => readGguf(path)).toThrow(/expected GGUF version 3, found "GGUF" version 2/);
});

test('values that do not fill the shape are refused', () => {
  const tensor: WritableTensor = { name: 't', shape: [2, 2], type: 'f32', values: new Float32Array(3) };
  expect(() => writeGguf(join(folder, 'bad.gguf'), new Map(), [tensor])).toThrow(
    /3 values, its shape says 4/,
  );
});
