import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { findFiles } from '../../../extension/workspace/findFiles.ts';
import { isSkipped, readSourceDocuments } from '../../../extension/workspace/readSourceDocument.ts';
import { makeTree, removeTrees } from './tree.ts';

afterEach(removeTrees, 60_000);

const folders = 200;
const filesPerFolder = 100;
const fileBytes = 1200;
/** All texts together are 24 MB; what is kept of a file is its name, size and time. */
const heapBound = 12_000_000;

test('20,000 files are found and read without holding their texts', { timeout: 120_000 }, async () => {
  const root = makeTree({ '.gitignore': '*.log\n/build/\n' });
  const text = `${'x'.repeat(59)}\n`.repeat(fileBytes / 60);
  for (let folder = 0; folder < folders; folder++) {
    const path = join(root, `group ${folder % 10}`, `folder ${folder}`);
    mkdirSync(path, { recursive: true });
    for (let index = 0; index < filesPerFolder; index++) writeFileSync(join(path, `file ${index}.ts`), text);
  }
  const { signal } = new AbortController();

  const before = bytesInUse();
  const progress: number[] = [];
  const { files, skipped } = await findFiles([{ name: 'w', rootPath: root }], {
    signal,
    onProgress: (filesFound) => progress.push(filesFound),
  });
  expect(bytesInUse() - before).toBeLessThan(heapBound);
  expect(files).toHaveLength(folders * filesPerFolder + 1);
  expect(skipped).toEqual([]);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBe(files.length);

  let characters = 0;
  let documents = 0;
  const heapWhileReading: number[] = [];
  for await (const result of readSourceDocuments(files, { signal })) {
    documents++;
    if (!isSkipped(result)) characters += result.text.length;
    if (documents % 4000 === 0) heapWhileReading.push(bytesInUse());
  }
  expect(characters).toBeGreaterThan(folders * filesPerFolder * fileBytes);
  expect(heapWhileReading).toHaveLength(5);
  expect(Math.max(...heapWhileReading) - before).toBeLessThan(heapBound);
});

/** Collects what is unreachable and says how many bytes the heap then holds, buffers included. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
