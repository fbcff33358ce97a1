import { readdirSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeStateFile } from '../../../extension/stateStore/stateFile.ts';
import { openStateStore, type StateStore } from '../../../extension/stateStore/stateStore.ts';
import { mountSmallDisk, type SmallDisk } from '../models/smallDisk.ts';
import { contentFrom, isWhole, nameOf } from './sampleState.ts';

const signal = new AbortController().signal;
const MIB = 2 ** 20;

describe('a disk of 8 MiB', () => {
  let disk: SmallDisk;
  let store: StateStore;
  let lines: string[];
  beforeEach(async () => {
    disk = await mountSmallDisk(8);
    lines = [];
    store = openStateStore({
      folder: join(disk.folder, 'states'),
      capBytes: 2 ** 30,
      log: (line) => lines.push(line),
    });
  });
  afterEach(() => disk.remove());

  function write(number: number, bytes: number) {
    const { header, sections } = contentFrom(number, [bytes]);
    return store.write(nameOf(number), header, sections, signal);
  }

  async function isReadable(number: number): Promise<boolean> {
    const content = await store.read(nameOf(number));
    return content !== null && isWhole(content);
  }

  it('is too small: nothing is removed for a state that does not fit', async () => {
    expect(await write(1, 5 * MIB)).toBe('written');
    expect(await write(2, 5 * MIB)).toBe('diskFull');
    expect(await write(3, 5 * MIB)).toBe('diskFull');
    expect(await isReadable(1)).toBe(true);
    expect(await isReadable(2)).toBe(false);
    expect(await readdir(join(disk.folder, 'states'))).toEqual([nameOf(1)]);
    expect(lines).toEqual([expect.stringMatching(/was not stored: the disk of .* is full/)]);
    await rm(join(disk.folder, 'states', nameOf(1)));
    expect(await write(2, 5 * MIB)).toBe('written');
    expect(await isReadable(2)).toBe(true);
  });

  it('runs full while a state is written', async () => {
    expect(await write(1, MIB)).toBe('written');
    const folder = join(disk.folder, 'states');
    const filler = join(disk.folder, 'filler');
    const fillOnceWriting = () => {
      if (!readdirSync(folder).some((name) => name.endsWith('.new'))) setImmediate(fillOnceWriting);
      else expect(() => writeFileSync(filler, Buffer.alloc(8 * MIB))).toThrow(/ENOSPC/);
    };
    setImmediate(fillOnceWriting);
    expect(await write(2, 6 * MIB)).toBe('diskFull');
    expect((await stat(filler)).size).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual([nameOf(1)]);
    expect(await isReadable(1)).toBe(true);
    await rm(filler);
    expect(await write(2, 6 * MIB)).toBe('written');
    expect(await isReadable(2)).toBe(true);
  });

  it('that is full to the last byte: what is there is read and can be cleared', async () => {
    expect(await write(1, MIB)).toBe('written');
    const filler = join(disk.folder, 'filler');
    await expect(writeFile(filler, Buffer.alloc(8 * MIB))).rejects.toMatchObject({ code: 'ENOSPC' });
    const { header, sections } = contentFrom(2, [100]);
    const path = join(disk.folder, 'states', nameOf(2));
    await expect(writeStateFile(path, header, sections, signal)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await write(3, 100)).toBe('diskFull');
    expect(await readdir(join(disk.folder, 'states'))).toEqual([nameOf(1)]);
    expect(await isReadable(1)).toBe(true);
    expect((await store.clear()).files).toBe(1);
    expect(await write(3, 100)).toBe('written');
  });

  it('that became read-only: states are read, and none is written', async () => {
    expect(await write(1, 1000)).toBe('written');
    await disk.makeReadOnly();
    expect(await isReadable(1)).toBe(true);
    expect(await write(2, 1000)).toBe('notWritable');
    expect(await write(3, 1000)).toBe('notWritable');
    await store.remove([nameOf(1)]);
    expect((await store.clear()).files).toBe(0);
    expect(await isReadable(1)).toBe(true);
    expect(
      lines.filter((line) => /was not stored: .*states cannot be written \(EROFS/.test(line)),
    ).toHaveLength(1);
  });
});
