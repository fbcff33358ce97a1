import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attempt } from './attempt.ts';
import { serve, stopAt, testContent, type Answer } from './faultyServer.ts';
import { mountSmallDisk, type SmallDisk } from './smallDisk.ts';

const content = testContent(200_000);

describe('the disk of a download', () => {
  let disk: SmallDisk;
  beforeEach(async () => {
    disk = await mountSmallDisk(8);
  });
  afterEach(() => disk.remove());

  it('is too small: refused before the first request', async () => {
    const expected = testContent(9 * 2 ** 20);
    const outcome = await attempt({ answers: [serve(expected)], expected, folder: disk.folder });
    expect(outcome).toMatchObject({ result: 'diskFull', ranges: [], files: [] });
    expect(outcome.message).toMatch(/9 MiB needed, 8 MiB free/);
  });

  it('runs full on the way: what arrived is kept and continued', async () => {
    const expected = testContent(5 * 2 ** 20);
    const diskPart = join(disk.folder, 'file.part');
    const filler = join(disk.folder, 'filler');
    const fillUp: Answer = stopAt(expected, expected.length / 2, diskPart, (response) => {
      void writeFile(filler, Buffer.alloc(8 * 2 ** 20)).catch(() =>
        response.end(expected.subarray(expected.length / 2)),
      );
    });
    const outcome = await attempt({ answers: [fillUp], expected, folder: disk.folder });
    expect(outcome.result).toBe('diskFull');
    expect(outcome.files).toContain('file.part');
    const kept = (await readFile(diskPart)).length;
    expect(kept).toBeGreaterThanOrEqual(expected.length / 2);

    await rm(filler);
    const again = await attempt({ answers: [serve(expected)], expected, folder: disk.folder });
    expect(again).toMatchObject({ result: 'whole', ranges: [`bytes=${kept}-`] });
  });

  it('is read-only', async () => {
    await disk.makeReadOnly();
    const outcome = await attempt({ answers: [serve(content)], expected: content, folder: disk.folder });
    expect(outcome.result).toBe('cacheFolderNotWritable');
    expect(outcome.message).toMatch(/EROFS/);
  });

  it('has a file where the folder should be', async () => {
    await writeFile(join(disk.folder, 'taken'), '');
    const outcome = await attempt({
      answers: [serve(content)],
      expected: content,
      folder: join(disk.folder, 'taken'),
    });
    expect(outcome.result).toBe('cacheFolderNotWritable');
  });
});
