import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SkippedFile } from '../../../extension/protocol/nouns.ts';
import { findFiles, type FoundFile } from '../../../extension/workspace/findFiles.ts';
import {
  binaryProbeBytes,
  maxFileBytes,
  minifiedLineCharacters,
} from '../../../extension/workspace/limits.ts';
import {
  isSkipped,
  readSourceDocument,
  readSourceDocuments,
} from '../../../extension/workspace/readSourceDocument.ts';
import { asOrdinaryUser, makeTree, removeTrees, type Tree } from './tree.ts';

afterEach(removeTrees);

const signal = new AbortController().signal;

async function findIn(rootPath: string): Promise<FoundFile[]> {
  return (await findFiles([{ name: 'w', rootPath }], { signal })).files;
}

/** What reading a file with these bytes gives: its text, or the reason why there is none. */
async function read(path: string, content: string | Uint8Array, more: Tree = {}) {
  const files = await findIn(makeTree({ ...more, [path]: content }));
  const result = await readSourceDocument(files.find((file) => file.path === path)!);
  return isSkipped(result) ? { reason: result.reason } : { text: result.text };
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

const texts: readonly { name: string; content: string | Uint8Array; text: string }[] = [
  { name: 'UTF-8', content: 'größe 資料 🙂\n', text: 'größe 資料 🙂\n' },
  { name: 'UTF-8 with a byte order mark', content: '\uFEFFa\n', text: 'a\n' },
  {
    name: 'UTF-8 with a character across the end of the probe',
    content: `${'a\n'.repeat(binaryProbeBytes / 2 - 1)}b資料\n`,
    text: `${'a\n'.repeat(binaryProbeBytes / 2 - 1)}b資料\n`,
  },
  { name: 'a byte order mark in the middle stays', content: 'a\uFEFFb', text: 'a\uFEFFb' },
  { name: 'UTF-16, little end first', content: utf16('größe 資料\r\n🙂'), text: 'größe 資料\n🙂' },
  { name: 'UTF-16, big end first', content: utf16('größe 資料').swap16(), text: 'größe 資料' },
  { name: 'UTF-16 cut in a character', content: utf16('ab').subarray(0, 5), text: 'a\uFFFD' },
  { name: 'CRLF', content: 'a\r\nb\r\n\r\nc', text: 'a\nb\n\nc' },
  { name: 'CR', content: 'a\rb\r', text: 'a\nb\n' },
  { name: 'mixed line ends', content: 'a\r\nb\rc\nd\r\r\n', text: 'a\nb\nc\nd\n\n' },
  {
    name: 'windows-1252',
    content: latin1('int caf\xe9; // \x93quoted\x94 \x80 5, and some more words\r\n'),
    text: 'int café; // “quoted” € 5, and some more words\n',
  },
  {
    name: 'bytes that windows-1252 leaves open',
    content: latin1('a plain line of text, long enough \x81 \x9d'),
    text: 'a plain line of text, long enough \x81 \x9d',
  },
  {
    name: 'UTF-8 cut in a character',
    content: Buffer.from('a plain line, größe').subarray(0, 17),
    text: 'a plain line, grÃ',
  },
  { name: 'control characters of terminals', content: 'a\x1b[31mb\f\n', text: 'a\x1b[31mb\f\n' },
  {
    name: 'long lines of prose',
    content: `${'word '.repeat(300)}\n\n${'word '.repeat(300)}\n`,
    text: `${'word '.repeat(300)}\n\n${'word '.repeat(300)}\n`,
  },
  {
    name: 'one long line in much code',
    content: `${'short line\n'.repeat(400)}${'x'.repeat(3000)}`,
    text: `${'short line\n'.repeat(400)}${'x'.repeat(3000)}`,
  },
  {
    name: 'code that speaks of generated files',
    content: 'const marker = "@generated";\n// Finds the word generated in a head.\n',
    text: 'const marker = "@generated";\n// Finds the word generated in a head.\n',
  },
  {
    name: 'a marker far below the head',
    content: `${'a\n'.repeat(40)}// @generated\n`,
    text: `${'a\n'.repeat(40)}// @generated\n`,
  },
  {
    name: 'code that quotes the head of a key',
    content: 'const head = "-----BEGIN PRIVATE KEY-----";\n',
    text: 'const head = "-----BEGIN PRIVATE KEY-----";\n',
  },
  {
    name: 'as large as the limit',
    content: 'line\n'.repeat(maxFileBytes / 5),
    text: 'line\n'.repeat(maxFileBytes / 5),
  },
];

test.each(texts)('text: $name', async ({ content, text }) => {
  expect(await read('a', content)).toEqual({ text });
});

const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
const leftOut: readonly { name: string; content: string | Uint8Array; reason: string }[] = [
  { name: 'a picture', content: png, reason: 'binary' },
  {
    name: 'a program',
    content: Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(64)]),
    reason: 'binary',
  },
  {
    name: 'a PDF',
    content: latin1('%PDF-1.7\n%\xe2\xe3 mostly plain letters'.padEnd(500, 'a')),
    reason: 'binary',
  },
  {
    name: 'noise',
    content: Buffer.from(Array.from({ length: 4096 }, (_, index) => 128 + ((index * 89) % 127))),
    reason: 'binary',
  },
  { name: 'a NUL after a readable head', content: `${'text\n'.repeat(5000)}\0`, reason: 'binary' },
  { name: 'UTF-16 without a byte order mark', content: utf16('plain text').subarray(2), reason: 'binary' },
  { name: 'UTF-32', content: Buffer.from('fffe00006100000062000000', 'hex'), reason: 'binary' },
  { name: 'only a byte order mark', content: '\uFEFF', reason: 'empty' },
  { name: 'only white space', content: ' \n\t\r\n', reason: 'empty' },
  {
    name: 'minified code',
    content: `/* licence */\n${'a=b;'.repeat(minifiedLineCharacters / 2)}\n`,
    reason: 'generated',
  },
  { name: 'a head that says @generated', content: '/**\n * @generated by x\n */\na\n', reason: 'generated' },
  {
    name: 'the head of Go generators',
    content: '// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n',
    reason: 'generated',
  },
  {
    name: 'the head of Python generators',
    content: '# -*- coding: utf-8 -*-\n# Generated by the compiler. Do not edit!\n',
    reason: 'generated',
  },
  { name: 'the head of C# generators', content: '// <auto-generated />\nclass A {}\n', reason: 'generated' },
  {
    name: 'a head in plain words',
    content: '; This file was automatically generated by x\n',
    reason: 'generated',
  },
  {
    name: 'a private key under another name',
    content: '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n',
    reason: 'secret',
  },
  { name: 'an OpenPGP key', content: '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n', reason: 'secret' },
  {
    name: 'a service account under another name',
    content: '{ "type": "service_account",\n "private_key": "-----BEGIN PRIVATE KEY-----\\nM" }\n',
    reason: 'secret',
  },
];

test.each(leftOut)('left out: $name', async ({ content, reason }) => {
  expect(await read('a', content)).toEqual({ reason });
});

test.each([
  { name: 'generated text is read', content: '// @generated\na\n', expected: { text: '// @generated\na\n' } },
  { name: 'a binary is not', content: png, expected: { reason: 'binary' } },
])('asked for by .askcodebaseignore: $name', async ({ content, expected }) => {
  expect(await read('a', content, { '.askcodebaseignore': '!a\n' })).toEqual(expected);
});

test('a document says which file it is', async () => {
  const [file] = await findIn(makeTree({ 'a b/ü.ts': 'x\r\n' }));
  expect(await readSourceDocument(file!)).toEqual({ workspace: 'w', path: 'a b/ü.ts', text: 'x\n' });
});

/** What happens to the file after it was found, and what reading it then says. */
const changes: readonly {
  name: string;
  change: (path: string) => Promise<unknown>;
  expected: Partial<SkippedFile>;
}[] = [
  {
    name: 'vanished',
    change: rm,
    expected: { reason: 'unreadable', detail: 'ENOENT: no such file or directory' },
  },
  {
    name: 'became a folder',
    change: (path) => rm(path).then(() => mkdir(path)),
    expected: { reason: 'notAFile' },
  },
  {
    name: 'became a pipe',
    change: (path) => rm(path).then(() => execFileSync('mkfifo', [path])),
    expected: { reason: 'notAFile' },
  },
  {
    name: 'became a link',
    change: (path) => rm(path).then(() => symlink('/etc/hosts', path)),
    expected: { reason: 'unreadable', detail: 'ELOOP: too many symbolic links encountered' },
  },
  {
    name: 'grew beyond the limit',
    change: (path) => truncate(path, 3_100_000),
    expected: { reason: 'tooLarge', detail: '3.1 MB, limit 1 MB' },
  },
  { name: 'became empty', change: (path) => truncate(path, 0), expected: { reason: 'empty' } },
  {
    name: 'may not be read any more',
    change: (path) => chmod(path, 0),
    expected: { reason: 'unreadable', detail: 'EACCES: permission denied' },
  },
];

test.each(changes)('between finding and reading, the file $name', async ({ change, expected }) => {
  const root = makeTree({ a: 'text\n' });
  await chmod(root, 0o755);
  const [file] = await findIn(root);
  await change(join(root, 'a'));
  const result = await asOrdinaryUser(() => readSourceDocument(file!));
  expect(result).toEqual({ workspace: 'w', path: 'a', ...expected });
});

test('a file that was edited after it was found is read as it is now', async () => {
  const root = makeTree({ a: 'old\n' });
  const [file] = await findIn(root);
  await writeFile(join(root, 'a'), 'new and longer\n');
  expect(await readSourceDocument(file!)).toMatchObject({ text: 'new and longer\n' });
});

test('many files are read in their order, skipped ones in their places', async () => {
  const tree = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [
      `${index}`,
      index % 7 === 3 ? png : `text ${index}\n`.repeat(1 + (index % 5) * 2000),
    ]),
  );
  const files = await findIn(makeTree(tree));
  const paths: string[] = [];
  for await (const result of readSourceDocuments(files, { signal })) {
    paths.push(result.path);
    expect(isSkipped(result)).toBe(Number(result.path) % 7 === 3);
  }
  expect(paths).toEqual(files.map(({ path }) => path));
});

test('an aborted reading throws, and hands nothing out after that', async () => {
  const files = await findIn(
    makeTree(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}`, 'x']))),
  );
  const controller = new AbortController();
  let handedOut = 0;
  const reading = async () => {
    for await (const result of readSourceDocuments(files, { signal: controller.signal })) {
      handedOut++;
      if (result.path === files[4]!.path) controller.abort();
    }
  };
  await expect(reading()).rejects.toMatchObject({ reason: 'cancelled' });
  expect(handedOut).toBe(5);
});

test('no files give no documents', async () => {
  const results = [];
  for await (const result of readSourceDocuments([], { signal })) results.push(result);
  expect(results).toEqual([]);
});

test.each<[what: string, unsaved: string, result: object]>([
  ['text', 'new\r\ntext', { text: 'new\ntext' }],
  ['with a byte order mark', '\uFEFFnew', { text: 'new' }],
  ['nothing', ' \n', { reason: 'empty' }],
  ['a NUL', 'new\0', { reason: 'binary' }],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nabc', { reason: 'secret' }],
  ['what a tool wrote', '// Code generated by x. DO NOT EDIT.\nx', { reason: 'generated' }],
  ['too much', 'é'.repeat(maxFileBytes / 2 + 1), { reason: 'tooLarge', detail: '1 MB, limit 1 MB' }],
])('unsaved text comes before the file, under the same rules: %s', async (_, unsaved, expected) => {
  const files = await findIn(makeTree({ 'a.ts': 'old', 'b.ts': 'other' }));
  const results: unknown[] = [];
  const only = (path: string) => (path === files[0]!.absolutePath ? unsaved : undefined);
  for await (const result of readSourceDocuments(files, { signal, unsaved: only })) results.push(result);
  expect(results).toEqual([
    expect.objectContaining(expected),
    { workspace: 'w', path: 'b.ts', text: 'other' },
  ]);
});

test('unsaved text of a file that is empty, too large or gone on the disk is read', async () => {
  const root = makeTree({ 'empty.ts': '', 'large.ts': 'x'.repeat(maxFileBytes + 1), 'gone.ts': 'x' });
  const folders = [{ name: 'w', rootPath: root }];
  const { files, skipped } = await findFiles(folders, { signal, isUnsaved: () => true });
  expect(skipped).toEqual([]);
  await rm(join(root, 'gone.ts'));
  for await (const result of readSourceDocuments(files, { signal, unsaved: () => 'edited' }))
    expect(result).toMatchObject({ text: 'edited' });
  expect(files).toHaveLength(3);
});
