import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deleteOwnModel, freeBytesFor, ownModels } from '../../../extension/models/ownModels.ts';

const signal = new AbortController().signal;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-'));
  await mkdir(join(folder, 'huggingface/owner'), { recursive: true });
  const files = {
    'SmolLM2-135M-Instruct.Q4_1.gguf': 'model',
    'SmolLM2-135M-Instruct.Q4_1.gguf.verified': '{}',
    'SmolLM2-135M-Instruct.Q4_1.gguf.q8_0': 'its copy',
    'removed.gguf.q8_0': 'a copy',
    'huggingface/owner/b.gguf.part': 'half a model',
    'huggingface/owner/b.gguf.part.etag': '"x"',
    'notes.txt': 'mine',
  };
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
});
afterEach(() => rm(folder, { recursive: true }));

it('lists models whole and begun, the largest first, with all that they take', async () => {
  const models = await ownModels(folder);
  expect(models.map(({ name, bytes, unfinished }) => [name, bytes, unfinished])).toEqual([
    ['SmolLM2-135M-Instruct', 15, false],
    ['huggingface/owner/b.gguf', 15, true],
    ['removed.gguf', 6, true],
  ]);
});

it('deletes a model with what stands beside it, and nothing else', async () => {
  for (const { path } of await ownModels(folder)) await deleteOwnModel(path, signal);
  expect(await ownModels(folder)).toEqual([]);
  expect(await readdir(folder, { recursive: true })).toEqual([
    'huggingface',
    'notes.txt',
    'huggingface/owner',
  ]);
});

it('has nothing in a folder that is not there, on a disk that has room', async () => {
  const absent = join(folder, 'a', 'b');
  expect(await ownModels(absent)).toEqual([]);
  expect(await freeBytesFor(absent)).toBeGreaterThan(0);
});
