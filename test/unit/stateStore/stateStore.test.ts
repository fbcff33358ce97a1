import { readdirSync, rmSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stateFileBytes, type StateContent } from '../../../extension/stateStore/stateFile.ts';
import { openStateStore, type StateStore } from '../../../extension/stateStore/stateStore.ts';
import { contentFrom, isWhole, nameOf } from './sampleState.ts';
import { watchUsage } from './watchUsage.ts';

const signal = new AbortController().signal;
/** Longer than the file system's clock ticks, so that uses have an order. */
const TICK_MILLISECONDS = 20;
const unfinished = `${nameOf(9)}.0b7c5f0e-2d3c-4e56-8b9a-0123456789ab.new`;

let parent: string;
let folder: string;
let lines: string[];
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'state-store-'));
  folder = join(parent, 'storage', 'states');
  lines = [];
});
afterEach(() => rm(parent, { recursive: true }));

function openStore(capBytes = 2 ** 30, at = folder): StateStore {
  return openStateStore({ folder: at, capBytes, log: (line) => lines.push(line) });
}

function write(store: StateStore, number: number, { header, sections }: StateContent = small(number)) {
  return store.write(nameOf(number), header, sections, signal);
}

function small(seed: number): StateContent {
  return contentFrom(seed, [1000, 10]);
}

function bytesOf({ header, sections }: StateContent): number {
  return stateFileBytes(header, sections);
}

async function seedOf(store: StateStore, number: number): Promise<unknown> {
  const content = await store.read(nameOf(number));
  if (content === null) return null;
  expect(isWhole(content)).toBe(true);
  return content.header['seed'];
}

async function presentIn(store: StateStore, numbers: readonly number[]): Promise<number[]> {
  const has = await Promise.all(numbers.map((number) => store.has(nameOf(number))));
  return numbers.filter((_, index) => has[index]);
}

describe('a store', () => {
  it('is empty before the first write, and touches nothing', async () => {
    const store = openStore(1000);
    expect(await store.read(nameOf(1))).toBeNull();
    expect(await store.has(nameOf(1))).toBe(false);
    await store.remove([nameOf(1)]);
    expect(await store.clear()).toEqual({ files: 0, bytes: 0 });
    expect(await store.usage()).toEqual({ files: 0, bytes: 0, capBytes: 1000 });
    expect(await readdir(parent)).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('gives what was written last', async () => {
    const store = openStore();
    expect(await write(store, 1)).toBe('written');
    expect(await write(store, 2)).toBe('written');
    expect(await write(store, 1, contentFrom(77, [5]))).toBe('written');
    expect(await seedOf(store, 1)).toBe(77);
    expect(await seedOf(store, 2)).toBe(2);
    expect(await store.usage()).toMatchObject({
      files: 2,
      bytes: bytesOf(contentFrom(77, [5])) + bytesOf(small(2)),
    });
    expect(lines).toEqual([]);
  });

  it('is for the user only', async () => {
    await write(openStore(), 1);
    for (const made of [join(parent, 'storage'), folder]) {
      expect((await stat(made)).mode & 0o777).toBe(0o700);
    }
    expect(await readdir(folder)).toEqual([nameOf(1)]);
    expect((await stat(join(folder, nameOf(1)))).mode & 0o777).toBe(0o600);
  });

  it('removes the named ones, and all', async () => {
    const store = openStore();
    for (const number of [1, 2, 3]) await write(store, number);
    await writeFile(join(folder, unfinished), 'left over');
    await writeFile(join(folder, 'notes.txt'), "the user's");
    await store.remove([nameOf(2), nameOf(4)]);
    expect(await presentIn(store, [1, 2, 3])).toEqual([1, 3]);
    expect(await store.clear()).toEqual({ files: 3, bytes: bytesOf(small(1)) + bytesOf(small(3)) + 9 });
    expect(await readdir(folder)).toEqual(['notes.txt']);
  });

  const badNames = [
    ...['', '.', '..', '../0123456789abcdef', '0123456789abcdef/..', '0123456789abcde', '0'.repeat(65)],
    ...['0123456789ABCDEF', '0123456789abcdef.KV', '0123456789abcdef.kv.part', '0123456789abcdef.'],
    ...['0123456789abcdef\n', '0123456789abcdef\0', 'writer.lock', unfinished],
  ];
  it.each(badNames)('refuses the name %j', async (name) => {
    const store = openStore();
    await expect(store.read(name)).rejects.toThrow(RangeError);
    await expect(store.write(name, {}, [], signal)).rejects.toThrow(RangeError);
    await expect(store.has(name)).rejects.toThrow(RangeError);
    await expect(store.remove([nameOf(1), name])).rejects.toThrow(RangeError);
  });
});

describe('the cap', () => {
  const bytes = bytesOf(small(1));

  it('removes what was not used for longest', async () => {
    const store = openStore(3 * bytes);
    for (const number of [1, 2, 3]) {
      await write(store, number);
      await sleep(TICK_MILLISECONDS);
    }
    await seedOf(store, 1);
    await sleep(TICK_MILLISECONDS);
    await write(store, 4);
    expect(await presentIn(store, [1, 2, 3, 4])).toEqual([1, 3, 4]);
    await sleep(TICK_MILLISECONDS);
    await write(store, 5, contentFrom(5, [1000 + bytes - 100]));
    expect(await presentIn(store, [1, 3, 4, 5])).toEqual([4, 5]);
  });

  it('holds at every moment, with the file that is being written', async () => {
    const content = (seed: number) => contentFrom(seed, [300_000]);
    const capBytes = 3 * bytesOf(content(1)) + 10;
    const store = openStore(capBytes);
    const watch = watchUsage(folder);
    for (let round = 0; round < 30; round++) {
      expect(await write(store, round % 7, content(round % 7))).toBe('written');
    }
    const { mostBytes, sawUnfinished } = watch.stop();
    expect(sawUnfinished).toBe(true);
    expect(mostBytes).toBeLessThanOrEqual(capBytes);
    expect(mostBytes).toBeGreaterThan(2 * bytesOf(content(1)));
  });

  it('is exact: one byte less removes one more', async () => {
    for (const [capBytes, left] of [
      [3 * bytes, 3],
      [3 * bytes - 1, 2],
    ] as const) {
      const store = openStore(capBytes, join(parent, String(capBytes)));
      for (const number of [1, 2, 3]) await write(store, number);
      expect(await presentIn(store, [1, 2, 3])).toHaveLength(left);
    }
  });

  it('a state that is replaced goes first, for it goes anyway', async () => {
    const store = openStore(2 * bytes);
    for (const number of [1, 2]) {
      await write(store, number);
      await sleep(TICK_MILLISECONDS);
    }
    await write(store, 2, contentFrom(8, [1000, 10]));
    expect([await seedOf(store, 1), await seedOf(store, 2)]).toEqual([1, 8]);
  });

  it('one that is larger than all is not stored, and removes none', async () => {
    const store = openStore(2 * bytes);
    await write(store, 1);
    await write(store, 2);
    expect(await write(store, 3, contentFrom(3, [2 * bytes]))).toBe('tooLarge');
    expect(await presentIn(store, [1, 2, 3])).toEqual([1, 2]);
    expect(lines).toEqual([
      `A state of ${bytesOf(contentFrom(3, [2 * bytes]))} bytes was not stored: ${2 * bytes} bytes are the limit of all`,
    ]);
  });

  it('lowered later, is kept to by the next write', async () => {
    const store = openStore();
    for (const number of [1, 2, 3, 4]) await write(store, number);
    const lower = openStore(2 * bytes);
    await write(lower, 5);
    expect((await lower.usage()).files).toBe(2);
  });
});

describe('what is not a whole state is none, and goes', () => {
  const path = () => join(folder, nameOf(1));
  const cases: [name: string, spoil: () => Promise<void>, said: RegExp][] = [
    ['a changed byte', () => changeByte(path(), -30), /damaged/],
    ['a changed byte in its header', () => changeByte(path(), 40), /damaged/],
    ['cut off', () => truncate(path(), 500), /truncated/],
    ['empty', () => truncate(path(), 0), /truncated/],
    ['of another program', () => writeFile(path(), 'something else entirely'), /foreign/],
    ['of another version', () => changeByte(path(), 7), /version/],
    ['a link to a state elsewhere', () => linkOutside(), /foreign/],
  ];
  async function changeByte(file: string, at: number) {
    const bytes = await readFile(file);
    bytes[(at + bytes.length) % bytes.length]! ^= 4;
    await writeFile(file, bytes);
  }
  async function linkOutside() {
    await writeFile(join(parent, 'outside'), await readFile(path()));
    await rm(path());
    await symlink(join(parent, 'outside'), path());
  }
  it.each(cases)('%s', async (name, spoil, said) => {
    const store = openStore();
    await write(store, 1);
    await spoil();
    expect(await store.read(nameOf(1))).toBeNull();
    expect(lines).toEqual([expect.stringMatching(said)]);
    expect(await readdir(folder)).toEqual([]);
    if (name.startsWith('a link')) expect((await stat(join(parent, 'outside'))).size).toBeGreaterThan(0);
    expect(await write(store, 1)).toBe('written');
    expect(await seedOf(store, 1)).toBe(1);
  });

  it('a folder of that name is none, and stays', async () => {
    const store = openStore();
    await mkdir(join(folder, nameOf(1), 'inner'), { recursive: true });
    expect(await store.read(nameOf(1))).toBeNull();
    expect(await store.has(nameOf(1))).toBe(false);
    expect(await write(store, 1)).toBe('notWritable');
    expect(await write(store, 2)).toBe('written');
    await store.clear();
    expect(await readdir(folder)).toEqual([nameOf(1)]);
  });

  it('a link is replaced by a write, and what it points to is not touched', async () => {
    const store = openStore();
    await write(store, 2);
    await writeFile(join(parent, 'outside'), 'precious');
    await symlink(join(parent, 'outside'), path());
    expect(await write(store, 1)).toBe('written');
    expect(await seedOf(store, 1)).toBe(1);
    expect(await readFile(join(parent, 'outside'), 'utf8')).toBe('precious');
  });
});

describe('a folder that cannot be used', () => {
  it.each([
    ['is a file', ''],
    ['is below a file', 'states'],
  ])('%s: as if empty, and one line in the log', async (_, below) => {
    await writeFile(join(parent, 'file'), '');
    const store = openStore(2 ** 30, join(parent, 'file', below));
    expect(await store.read(nameOf(1))).toBeNull();
    for (const number of [1, 2]) expect(await write(store, number)).toBe('notWritable');
    expect(await store.has(nameOf(1))).toBe(false);
    expect(await store.usage()).toMatchObject({ files: 0, bytes: 0 });
    expect(await store.clear()).toEqual({ files: 0, bytes: 0 });
    await store.remove([nameOf(1)]);
    expect(lines).toEqual([expect.stringMatching(/was not stored: .* cannot be written \(E/)]);
  });

  it('is told again after it worked in between', async () => {
    const store = openStore();
    await writeFile(join(parent, 'storage'), '');
    await write(store, 1);
    await rm(join(parent, 'storage'));
    await write(store, 1);
    await rm(join(parent, 'storage'), { recursive: true });
    await writeFile(join(parent, 'storage'), '');
    await write(store, 1);
    expect(lines).toHaveLength(2);
  });
});

describe('writers', () => {
  const lockPath = () => join(folder, 'writer.lock');
  const longAgo = new Date(Date.now() - 60_000);

  it('wait for the one that lives, and leave its unfinished file alone', async () => {
    const store = openStore();
    await write(store, 1);
    await writeFile(lockPath(), '');
    await writeFile(join(folder, unfinished), 'half');
    let outcome: string | undefined;
    const writing = write(store, 2).then((result) => (outcome = result));
    await sleep(500);
    expect(outcome).toBeUndefined();
    expect(await seedOf(store, 1)).toBe(1);
    expect(await readdir(folder)).toContain(unfinished);
    await rm(lockPath());
    expect(await writing).toBe('written');
  });

  it('take over from one that is gone, and remove what it left', async () => {
    const store = openStore();
    await write(store, 1);
    await writeFile(lockPath(), '');
    await utimes(lockPath(), longAgo, longAgo);
    await writeFile(join(folder, unfinished), 'half');
    await writeFile(`${lockPath()}.0b7c5f0e-2d3c-4e56-8b9a-0123456789ab`, '');
    expect(await write(store, 2)).toBe('written');
    expect((await readdir(folder)).sort()).toEqual([nameOf(1), nameOf(2)]);
  });

  it('that are taken for dead while they write store nothing', async () => {
    const store = openStore();
    await write(store, 1);
    const removeOnceWriting = () => {
      const name = readdirSync(folder).find((file) => file.endsWith('.new'));
      if (name === undefined) setImmediate(removeOnceWriting);
      else rmSync(join(folder, name));
    };
    setImmediate(removeOnceWriting);
    expect(await write(store, 1, contentFrom(2, [8 * 2 ** 20]))).toBe('notWritable');
    expect(await seedOf(store, 1)).toBe(1);
    expect(await readdir(folder)).toEqual([nameOf(1)]);
    expect(lines).toEqual([expect.stringMatching(/cannot be written \(ENOENT\)/)]);
  });

  it('can stop waiting and writing', async () => {
    const store = openStore();
    await write(store, 1);
    await writeFile(lockPath(), '');
    const controller = new AbortController();
    const { header, sections } = small(2);
    const writing = store.write(nameOf(2), header, sections, controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(writing).rejects.toMatchObject({ reason: 'cancelled' });
    await expect(store.write(nameOf(3), {}, [], controller.signal)).rejects.toMatchObject({
      reason: 'cancelled',
    });
    expect((await readdir(folder)).sort()).toEqual([nameOf(1), 'writer.lock']);
    await rm(lockPath());
    expect(await write(store, 2)).toBe('written');
    expect(lines).toEqual([]);
  });

  it('many at once in one process, and a clear among them', async () => {
    const stores = [openStore(20_000), openStore(20_000)];
    for (let round = 0; round < 4; round++) {
      const outcomes = Array.from({ length: 12 }, (_, number) =>
        write(stores[number % 2]!, number % 5, contentFrom(round, [2000 + number])),
      );
      const cleared = await stores[round % 2]!.clear();
      expect(cleared.files).toBeGreaterThanOrEqual(0);
      expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['written']));
      for (const number of [0, 1, 2, 3, 4]) expect([null, round]).toContain(await seedOf(stores[0]!, number));
      const files = await readdir(folder);
      expect(files.filter((file) => !/^[0-9a-f]{16}\.kv$/u.test(file))).toEqual([]);
      expect((await stores[0]!.usage()).files).toBe(files.length);
    }
    await write(stores[0]!, 1);
    const { files } = await stores[1]!.usage();
    expect(files).toBeGreaterThan(0);
    expect((await stores[1]!.clear()).files).toBe(files);
    expect(await readdir(folder)).toEqual([]);
    expect(lines.filter((line) => !line.endsWith('made room'))).toEqual([]);
  });
});
