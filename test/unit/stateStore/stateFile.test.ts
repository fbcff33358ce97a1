import { mkdtemp, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  isUnfinishedStateFile,
  readStateFile,
  readStateHeader,
  stateFileBytes,
  writeStateFile,
  type StateContent,
} from '../../../extension/stateStore/stateFile.ts';
import { contentFrom, isWhole } from './sampleState.ts';

const signal = new AbortController().signal;
const KIB = 1024;
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-file-'));
  path = join(folder, 'state.kv');
});
afterAll(() => rm(folder, { recursive: true }));

async function write({ header, sections }: StateContent): Promise<Buffer> {
  await writeStateFile(path, header, sections, signal);
  return readFile(path);
}

/** Why the file is refused; it must be, unless it says what was written. */
async function whyRefused(read: () => Promise<unknown> = () => readStateFile(path)): Promise<unknown> {
  try {
    await read();
    return 'read';
  } catch (error) {
    if (error instanceof Error && 'why' in error) return error.why;
    throw error;
  }
}

/** Where the first section begins. */
function headBytes(header: StateContent['header'], sections: StateContent['sections']): number {
  return stateFileBytes(header, sections) - sections.reduce((sum, { length }) => sum + padded(length), 0);
}

function padded(length: number): number {
  return Math.ceil(length / 64) * 64;
}

describe('what was written is read', () => {
  const cases: [name: string, sizes: number[]][] = [
    ['no section', []],
    ['one empty section', [0]],
    ['one byte', [1]],
    ['sizes around the alignment', [63, 64, 65, 127, 128, 129]],
    ['empty sections between others', [0, 0, 100, 0, 7, 0]],
    ['more than 64 KiB', [64 * KIB, 64 * KIB + 1, 200_003]],
    ['sizes around a block', [1024 * KIB - 1, 1024 * KIB, 1024 * KIB + 1, 3 * 1024 * KIB + 17]],
    ['many sections', Array.from({ length: 1_000 }, (_, index) => index % 97)],
  ];
  it.each(cases)('%s', async (_, sizes) => {
    const content = contentFrom(7, sizes);
    const bytes = await write(content);
    expect(bytes.length).toBe(stateFileBytes(content.header, content.sections));
    const { header, sections } = await readStateFile(path);
    expect(header).toEqual(content.header);
    expect(sections.map(({ length }) => length)).toEqual(sizes);
    expect(isWhole({ header, sections })).toBe(true);
    expect(sections.every(({ byteOffset }) => byteOffset === 0)).toBe(true);
    expect(await readStateHeader(path)).toEqual(content.header);
  });

  it('a view into a larger buffer is written alone', async () => {
    const whole = new Float32Array([1, 2, 3, 4]);
    const middle = new Uint8Array(whole.buffer, 4, 8);
    await write({ header: {}, sections: [middle] });
    const [section] = (await readStateFile(path)).sections;
    expect([...new Float32Array(section!.buffer, 0, 2)]).toEqual([2, 3]);
  });

  it('sections begin at multiples of 64', async () => {
    const content = contentFrom(3, [5, 70, 1]);
    const bytes = await write(content);
    let position = headBytes(content.header, content.sections);
    for (const section of content.sections) {
      expect(position % 64).toBe(0);
      expect(bytes.subarray(position, position + section.length).equals(section)).toBe(true);
      position += padded(section.length);
    }
  });

  it('only the user can read it, and nothing is left beside it', async () => {
    await write(contentFrom(1, [10]));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['state.kv']);
  });
});

describe('damage', () => {
  it.each([0x01, 0x80, 0xff])('each byte of a small file, changed by %i, is noticed', async (mask) => {
    const content = contentFrom(5, [70, 0, 1, 64]);
    const bytes = await write(content);
    const sectionsAt = headBytes(content.header, content.sections);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= mask;
      await writeFile(path, damaged);
      // The length in bytes 8 to 11 may now point behind the end.
      const expected =
        at < 7 ? ['foreign'] : at === 7 ? ['version'] : at < 12 ? ['damaged', 'truncated'] : ['damaged'];
      expect(expected, `byte ${at}`).toContain(await whyRefused());
      const ofHeader = await whyRefused(() => readStateHeader(path));
      expect(ofHeader === 'read', `byte ${at}`).toBe(at >= sectionsAt);
    }
  });

  it('bytes here and there of a large file', async () => {
    const bytes = await write(contentFrom(5, [64 * KIB + 3, 1024 * KIB + 5, 1]));
    for (let at = 0; at < bytes.length; at += 17_977) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x10;
      await writeFile(path, damaged);
      expect(await whyRefused(), `byte ${at}`).toMatch(/foreign|damaged/);
    }
  });

  it('two sections that changed places', async () => {
    const content = contentFrom(5, [64, 64]);
    const bytes = await write(content);
    const at = headBytes(content.header, content.sections);
    const swapped = [bytes.subarray(0, at), bytes.subarray(at + 64), bytes.subarray(at, at + 64)];
    await writeFile(path, Buffer.concat(swapped));
    expect(await whyRefused()).toBe('damaged');
  });

  it('cut off anywhere', async () => {
    const content = contentFrom(5, [70, 0, 1, 100_000]);
    const bytes = await write(content);
    const sectionsAt = headBytes(content.header, content.sections);
    const lengths = Array.from({ length: sectionsAt + 200 }, (_, length) => length);
    for (let length = sectionsAt + 200; length < bytes.length; length += 1_013) lengths.push(length);
    lengths.push(bytes.length - 1);
    for (const length of lengths) {
      await writeFile(path, bytes);
      await truncate(path, length);
      expect(await whyRefused(), `${length} bytes`).toBe('truncated');
      expect(await whyRefused(() => readStateHeader(path)), `${length} bytes`).toBe('truncated');
    }
  });

  it('zeros where the end should be, as after a power cut', async () => {
    const content = contentFrom(5, [100_000]);
    const bytes = await write(content);
    for (const from of [0, 16, headBytes(content.header, content.sections), 50_000]) {
      await writeFile(path, Buffer.from(bytes).fill(0, from));
      expect(await whyRefused(), `from ${from}`).toMatch(/foreign|damaged/);
    }
  });

  it('something behind the end', async () => {
    const bytes = await write(contentFrom(5, [100]));
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(64)]));
    expect(await whyRefused()).toBe('damaged');
  });
});

describe('not a state', () => {
  const files: [name: string, content: string | Buffer, why: string][] = [
    ['empty', '', 'truncated'],
    ['text', 'A file of another program, which is longer than a prelude.', 'foreign'],
    ['short text', 'hello', 'foreign'],
    ['zeros', Buffer.alloc(4096), 'foreign'],
    ['a GGUF file', Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(100)]), 'foreign'],
    ['a later version', Buffer.concat([Buffer.from('AskKvSt\x02'), Buffer.alloc(100)]), 'version'],
    ['an earlier version', Buffer.concat([Buffer.from('AskKvSt\x00'), Buffer.alloc(100)]), 'version'],
    ['a huge header', Buffer.concat([Buffer.from('AskKvSt\x01'), Buffer.alloc(100, 0xff)]), 'damaged'],
  ];
  it.each(files)('%s', async (_, content, why) => {
    await writeFile(path, content);
    expect(await whyRefused()).toBe(why);
    expect(await whyRefused(() => readStateHeader(path))).toBe(why);
  });

  it('a folder, a symbolic link and a named pipe', async () => {
    await write(contentFrom(1, [1]));
    const link = join(folder, 'link');
    const pipe = join(folder, 'pipe');
    await symlink(path, link);
    execFileSync('mkfifo', [pipe]);
    for (const other of [folder, link, pipe]) {
      expect(await whyRefused(() => readStateFile(other)), other).toBe('foreign');
    }
    await Promise.all([rm(link), rm(pipe)]);
  });

  it('none', async () => {
    await expect(readStateFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('while it changes', () => {
  const large = [12 * 2 ** 20, 12 * 2 ** 20];

  it('a reader reads the state that it opened', async () => {
    const other = join(folder, 'other');
    await write(contentFrom(2, large));
    await rename(path, other);
    await write(contentFrom(1, large));
    for (const [change, seed] of [
      [() => rename(other, path), 1],
      [() => rm(path), 2],
    ] as const) {
      let done = false;
      const reading = readStateFile(path).finally(() => (done = true));
      // By the time that a second reader has the header, the first one is at the sections.
      await readStateHeader(path);
      await change();
      expect(done).toBe(false);
      const content = await reading;
      expect(isWhole(content)).toBe(true);
      expect(content.header['seed']).toBe(seed);
    }
  });

  it('writing can be cancelled at any moment; the old state stays', async () => {
    const old = await write(contentFrom(1, [100]));
    const { header, sections } = contentFrom(2, large);
    let cancelled = 0;
    for (let milliseconds = 0; milliseconds < 40; milliseconds += 2) {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), milliseconds);
      const outcome = await writeStateFile(path, header, sections, controller.signal).catch(
        (error: unknown) => error,
      );
      clearTimeout(timer);
      if (outcome === undefined) break;
      cancelled++;
      expect(outcome).toMatchObject({ reason: 'cancelled' });
      expect(await readdir(folder)).toEqual(['state.kv']);
      expect((await readFile(path)).equals(old)).toBe(true);
    }
    expect(cancelled).toBeGreaterThan(2);
  });
});

it('names of unfinished files are known', () => {
  const id = '0b7c5f0e-2d3c-4e56-8b9a-0123456789ab';
  expect(isUnfinishedStateFile(`0123456789abcdef.kv.${id}.new`)).toBe(true);
  for (const name of ['0123456789abcdef.kv', '0123456789abcdef', 'a.new', id, `x.${id}.new.kv`]) {
    expect(isUnfinishedStateFile(name)).toBe(false);
  }
});
