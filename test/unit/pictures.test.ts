/** The README's pictures: each is there, for light and for dark windows, and none is heavy to load. */
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { PNG } from 'pngjs';
import { smallerPng } from '../vscode/pictures/encode.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = await readFile(join(root, 'README.md'), 'utf8');
const named = [...readme.matchAll(/media\/screenshots\/[\w.-]+/g)].map(([path]) => path);
const largestKilobytes: Readonly<Record<string, number>> = { png: 300, gif: 3_000 };

test('all that are kept are named, and each in a light and a dark form', async () => {
  const kept = (await readdir(join(root, 'media/screenshots'))).map((name) => `media/screenshots/${name}`);
  expect(kept.length).toBeGreaterThan(0);
  expect([...new Set(named)].sort()).toEqual(kept.sort());
  for (const path of named) {
    expect(path).toMatch(/-(light|dark)\./);
    expect(named).toContain(
      path.replace(/-(light|dark)\./, (_, form) => `-${form === 'light' ? 'dark' : 'light'}.`),
    );
  }
});

test.each(named)('%s is a whole picture', async (path) => {
  const bytes = await readFile(join(root, path));
  const ending = path.slice(path.lastIndexOf('.') + 1);
  expect(bytes.length).toBeLessThan(1_000 * (largestKilobytes[ending] ?? 0));
  if (ending === 'png') {
    const { width, height } = PNG.sync.read(bytes);
    expect({ width, height }).toEqual({ width: 2560, height: 1600 });
  } else {
    expect(bytes.subarray(0, 6).toString('latin1')).toBe('GIF89a');
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([1280, 800]);
    // The byte that ends a GIF: nothing is cut off.
    expect(bytes.at(-1)).toBe(0x3b);
  }
});

test('a picture of few colours is the same picture with a palette', () => {
  const picture = new PNG({ width: 7, height: 5 });
  for (let i = 0; i < 7 * 5; i++) picture.data.set([i * 7, 255 - i, i % 3, 255], 4 * i);
  expect(PNG.sync.read(smallerPng(PNG.sync.write(picture))).data).toEqual(picture.data);
});
