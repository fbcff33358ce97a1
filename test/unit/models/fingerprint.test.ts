import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { modelFingerprint } from '../../../extension/models/fingerprint.ts';
import { readGgufHeader } from '../../../extension/models/ggufFile.ts';
import { writeTinyModel } from '../../reference/tinyModel.ts';
import { tinyOptions } from '../../tinyEngine.ts';
import { temporaryFolder } from '../reference/temporaryFolder.ts';

const folder = temporaryFolder();
const path = join(folder, 'model.gguf');
beforeAll(() => writeTinyModel(path, tinyOptions));

test('a copy has the same, another model another', () => {
  const copy = join(folder, 'a copy.gguf');
  writeFileSync(copy, readFileSync(path));
  expect(modelFingerprint(copy)).toBe(modelFingerprint(path));
  writeTinyModel(copy, { ...tinyOptions, seed: 8 });
  expect(modelFingerprint(copy)).not.toBe(modelFingerprint(path));
});

test.each<[what: string, place: (header: { dataOffset: number; fileBytes: number }) => number]>([
  ['the tokenizer', ({ dataOffset }) => dataOffset - 3000],
  ['the first weights', ({ dataOffset }) => dataOffset + 8],
  ['the last weights', ({ fileBytes }) => fileBytes - 8],
])('a change in %s shows', (_, place) => {
  const changed = join(folder, 'changed.gguf');
  const bytes = readFileSync(path);
  // A letter of a text, or a bit of a weight, so that the file stays a whole model.
  bytes[place(readGgufHeader(path))]! ^= 1;
  writeFileSync(changed, bytes);
  expect(modelFingerprint(changed)).not.toBe(modelFingerprint(path));
});
