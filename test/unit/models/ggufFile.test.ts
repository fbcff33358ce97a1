import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AskError } from '../../../extension/errors.ts';
import { readGgufHeader, type GgufHeader } from '../../../extension/models/ggufFile.ts';
import { caught } from './caught.ts';
import { ggufBytes, modelMetadata, u32, u64 } from './ggufWriter.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(bytes: Uint8Array): GgufHeader {
  const path = join(folder, 'model.gguf');
  writeFileSync(path, bytes);
  return readGgufHeader(path);
}

/** What the user would be told, or "whole". Anything but an AskError goes on to fail the test. */
function judge(bytes: Uint8Array): string {
  try {
    read(bytes);
    return 'whole';
  } catch (error) {
    if (error instanceof AskError && error.reason === 'modelCorrupt') return error.message;
    throw error;
  }
}

const tensors = [
  { name: 'token_embd.weight', dimensions: [64, 3] },
  { name: 'blk.0.attn_q.weight', dimensions: [64, 64] },
  { name: 'output_norm.weight', dimensions: [64] },
];
const whole = ggufBytes({
  metadata: modelMetadata('llama', { ratio: 0.5, on: true, list: [1, 2, 3] }),
  tensors,
});

describe('a whole file', () => {
  it('gives its metadata', () => {
    const { metadata, version, fileBytes } = read(whole);
    expect(version).toBe(3);
    expect(fileBytes).toBe(whole.length);
    expect(metadata.get('general.architecture')).toBe('llama');
    expect(metadata.get('llama.block_count')).toBe(2);
    expect(metadata.get('ratio')).toBe(0.5);
    expect(metadata.get('on')).toBe(true);
    expect(metadata.get('list')).toEqual({ length: 3, values: [1, 2, 3] });
    expect(metadata.get('tokenizer.ggml.tokens')).toEqual({ length: 3, values: ['a', 'b', 'c'] });
  });

  it('gives its tensors, the last of which ends with the file', () => {
    const header = read(whole);
    expect(header.tensors.map(({ name, type, bytes }) => [name, type, bytes])).toEqual([
      ['token_embd.weight', 'F32', 768],
      ['blk.0.attn_q.weight', 'F32', 16384],
      ['output_norm.weight', 'F32', 256],
    ]);
    expect(header.tensors[0]!.offset).toBe(header.dataOffset);
    expect(header.tensors[2]!.offset + header.tensors[2]!.bytes).toBe(whole.length);
  });

  it('keeps the length of a long list and its beginning', () => {
    const long = Array.from({ length: 5000 }, (_, i) => i);
    const { metadata } = read(ggufBytes({ metadata: { long, words: long.map(String), last: 7 } }));
    expect(metadata.get('long')).toEqual({ length: 5000, values: long.slice(0, 1024) });
    expect(metadata.get('words')).toEqual({ length: 5000, values: long.slice(0, 1024).map(String) });
    expect(metadata.get('last')).toBe(7);
  });

  it.each([
    { name: 'version 2', bytes: ggufBytes({ version: 2, tensors }) },
    {
      name: 'another alignment',
      bytes: ggufBytes({ metadata: { 'general.alignment': 64 }, alignment: 64, tensors }),
    },
    { name: 'bytes after the last tensor', bytes: Buffer.concat([whole, Buffer.alloc(100)]) },
    { name: 'no tensors', bytes: ggufBytes({}) },
  ])('may have $name', ({ bytes }) => {
    expect(judge(bytes)).toBe('whole');
  });
});

describe('a truncated file', () => {
  it('is found out at every length', () => {
    // Within the header each byte may matter; within the data only the count does.
    const { dataOffset } = read(whole);
    for (let length = 4; length < whole.length; length += length < dataOffset ? 1 : 997) {
      expect(judge(whole.subarray(0, length))).toMatch(`${length} bytes`);
    }
  });

  it('says how many bytes it has and should have', () => {
    expect(judge(whole.subarray(0, whole.length - 1))).toMatch(
      `it has ${whole.length - 1} bytes, at least ${whole.length} expected`,
    );
  });
});

const oneTensor = (dimensions: readonly number[], type: number) =>
  ggufBytes({ tensors: [{ name: 'odd', dimensions, type }] });
const start = (version: number, ...rest: Buffer[]) =>
  Buffer.concat([Buffer.from('GGUF'), u32(version), ...rest]);
const huge = 2n ** 63n;

describe('a file that is something else', () => {
  it.each([
    { name: 'nothing', bytes: Buffer.alloc(0), message: /it is empty/ },
    { name: 'a zip', bytes: Buffer.from('PK\u0003\u0004 more than that'), message: /a zip archive/ },
    {
      name: 'safetensors',
      bytes: Buffer.concat([
        u64(60),
        Buffer.from('{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
      ]),
      message: /a safetensors file/,
    },
    { name: 'the old format', bytes: Buffer.from('tjgg\u0003\0\0\0'), message: /before GGUF/ },
    { name: 'gzip', bytes: gzipSync(whole), message: /compressed/ },
    {
      name: 'a pointer',
      bytes: Buffer.from('version https://git-lfs.github.com/spec/v1\n'),
      message: /Git LFS/,
    },
    { name: 'a login page', bytes: Buffer.from('\n<!DOCTYPE html><title>Sign in'), message: /a web page/ },
    { name: 'text', bytes: Buffer.from('# A model\n'), message: /plain text/ },
    { name: 'noise', bytes: Buffer.from([0x9d, 0, 1, 2, 0xff, 0xfe]), message: /no format known/ },
    { name: 'version 1', bytes: start(1, u64(0)), message: /version is 1, and only 2 and 3/ },
    { name: 'version 4', bytes: start(4, u64(0)), message: /version is 4/ },
    { name: 'big-endian', bytes: start(0x03000000, u64(0)), message: /other byte order/ },
    { name: 'endless tensors', bytes: start(3, u64(1e12), u64(0)), message: /1000000000000 tensors/ },
    { name: 'endless metadata', bytes: start(3, u64(0), u64(1e9)), message: /1000000000 metadata/ },
    { name: 'impossible count', bytes: start(3, u64(huge), u64(0)), message: /impossible size at byte 8/ },
    {
      name: 'an endless list',
      bytes: start(3, u64(0), u64(1), u64(1), Buffer.from('k'), u32(9), u32(4), u64(1e10)),
      message: /10000000000 elements of k/,
    },
    {
      name: 'a list of lists',
      bytes: start(3, u64(0), u64(1), u64(1), Buffer.from('k'), u32(9), u32(9), u64(1)),
      message: /list k has elements of the unknown type 9/,
    },
    {
      name: 'an unknown value',
      bytes: start(3, u64(0), u64(1), u64(1), Buffer.from('k'), u32(77)),
      message: /metadata k has the unknown type 77/,
    },
    {
      name: 'a long name',
      bytes: Buffer.concat([start(3, u64(0), u64(1), u64(1e6)), Buffer.alloc(1_100_000)]),
      message: /name of 1000000 bytes/,
    },
    { name: 'five dimensions', bytes: oneTensor([1, 1, 1, 1, 1], 0), message: /odd has 5 dimensions/ },
    { name: 'an unknown type', bytes: oneTensor([32], 4), message: /odd has the unknown type 4/ },
    { name: 'half a block', bytes: oneTensor([33], 3), message: /odd has the impossible shape 33/ },
    { name: 'an endless shape', bytes: oneTensorOf([2 ** 40, 2 ** 40]), message: /impossible shape/ },
    {
      name: 'odd alignment',
      bytes: ggufBytes({ metadata: { 'general.alignment': 48 } }),
      message: /48 is not a power/,
    },
  ])('$name', ({ bytes, message }) => {
    expect(judge(bytes)).toMatch(message);
  });

  it('a folder', () => {
    mkdirSync(join(folder, 'sub'), { recursive: true });
    expect(() => readGgufHeader(join(folder, 'sub'))).toThrow(/it is a folder/);
  });

  it('nothing at all', async () => {
    const failure = await caught(() => readGgufHeader(join(folder, 'absent')));
    expect(failure).toMatchObject({ reason: 'modelNotFound' });
  });

  it('damage anywhere in the header is survived', () => {
    const damage = fc.array(fc.record({ at: fc.nat(read(whole).dataOffset - 1), to: fc.nat(255) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(whole);
        for (const { at, to } of changes) damaged[at] = to;
        expect(judge(damaged)).toBeTypeOf('string');
      }),
      { numRuns: 500 },
    );
  });
});

/** A header alone, for a tensor whose data no file could hold. */
function oneTensorOf(dimensions: readonly number[]): Buffer {
  const name = Buffer.from('odd');
  const entry = [u64(name.length), name, u32(dimensions.length), ...dimensions.map(u64), u32(0), u64(0)];
  return start(3, u64(1), u64(0), ...entry);
}
