import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SkipReason } from '../../../extension/protocol/nouns.ts';
import { findFiles } from '../../../extension/workspace/findFiles.ts';
import { maxSkippedListed } from '../../../extension/workspace/limits.ts';
import { asOrdinaryUser, find, makeTree, removeTrees } from './tree.ts';

afterEach(removeTrees);

const signal = new AbortController().signal;

test('sizes, times and places of what is found', async () => {
  const root = makeTree({ 'a/b.ts': 'größe' });
  const { files } = await findFiles([{ name: 'mine', rootPath: root }], { signal });
  expect(files).toEqual([
    {
      workspace: 'mine',
      path: 'a/b.ts',
      absolutePath: join(root, 'a/b.ts'),
      bytes: 7,
      modifiedMs: expect.closeTo(Date.now(), -5) as number,
    },
  ]);
});

test('a file of 2 GB is left out by its size, even when it is asked for', async () => {
  const root = makeTree({ 'a.txt': 'x', '.askcodebaseignore': '!huge.txt\n' });
  await writeFile(join(root, 'huge.txt'), '');
  await truncate(join(root, 'huge.txt'), 2 * 1024 ** 3);
  const { details } = await find(root);
  expect(details).toEqual([
    { workspace: 'w', path: 'huge.txt', reason: 'tooLarge', detail: '2.1 GB, limit 1 MB' },
  ]);
});

test('pipes, sockets and devices are not files', async () => {
  const root = makeTree({ 'a.txt': 'x' });
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  const { read, skipped } = await find(root);
  server.close();
  expect({ read, skipped }).toEqual({ read: ['a.txt'], skipped: ['pipe: notAFile', 'socket: notAFile'] });
});

test('symbolic links are not followed, and each says why', async () => {
  const outside = makeTree({ 'o.txt': 'x' });
  const root = makeTree({ 'real/a.txt': 'x', 'sub/b.txt': 'x', '.gitignore': 'ignored\nfolder/\n' });
  const links: Readonly<Record<string, string>> = {
    'to-file': 'real/a.txt',
    'to-folder': 'real',
    'sub/up': '..',
    itself: 'itself',
    ping: 'pong',
    pong: 'ping',
    nowhere: 'missing',
    out: join(outside, 'o.txt'),
    'out-folder': outside,
    ignored: 'real',
    // A link is no folder, so git's "folder/" does not match it.
    folder: 'real',
  };
  for (const [path, target] of Object.entries(links)) await symlink(target, join(root, path));
  const { read, skipped } = await find(root);
  expect(read).toEqual(['.gitignore', 'real/a.txt', 'sub/b.txt']);
  const reasons: Readonly<Record<string, SkipReason>> = {
    'to-file': 'symlink',
    'to-folder': 'symlinkLoop',
    'sub/up': 'symlinkLoop',
    itself: 'symlinkLoop',
    ping: 'symlinkLoop',
    pong: 'symlinkLoop',
    nowhere: 'symlink',
    out: 'symlink',
    'out-folder': 'symlink',
    ignored: 'gitignore',
    folder: 'symlinkLoop',
  };
  expect(skipped).toEqual(
    Object.entries(reasons)
      .map(([path, reason]) => `${path}: ${reason}`)
      .sort(),
  );
});

test('a link in the place of an ignore file has no say, as in git', async () => {
  const root = makeTree({ rules: 'a.txt\n', 'a.txt': 'x' });
  await symlink('rules', join(root, '.gitignore'));
  expect((await find(root)).read).toEqual(['a.txt', 'rules']);
});

test('a workspace folder that is a link is walked under its own name', async () => {
  const root = makeTree({ 'a.txt': 'x' });
  const links = makeTree({});
  await symlink(root, join(links, 'link'));
  const { files } = await findFiles([{ name: 'w', rootPath: join(links, 'link') }], { signal });
  expect(files.map(({ absolutePath }) => absolutePath)).toEqual([join(links, 'link', 'a.txt')]);
});

test('names that are not UTF-8 are left out with a reason', async () => {
  const root = makeTree({ 'a.txt': 'x' });
  const bad = (name: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
  await writeFile(bad('caf\xe9.txt'), 'x');
  await mkdir(bad('d\xff'));
  const { read, details } = await find(root);
  expect(read).toEqual(['a.txt']);
  const detail = 'its name is not valid UTF-8';
  expect(details).toEqual([
    { workspace: 'w', path: 'caf\uFFFD.txt', reason: 'unreadable', detail },
    { workspace: 'w', path: 'd\uFFFD/', reason: 'unreadable', detail },
  ]);
});

test('a folder that may not be entered is one entry with what the system says', async () => {
  const root = makeTree({ 'locked/a.txt': 'x', 'b.txt': 'x' });
  await chmod(root, 0o755);
  await chmod(join(root, 'locked'), 0);
  const { read, details } = await asOrdinaryUser(() => find(root));
  await chmod(join(root, 'locked'), 0o755);
  expect(read).toEqual(['b.txt']);
  expect(details).toEqual([
    { workspace: 'w', path: 'locked/', reason: 'unreadable', detail: 'EACCES: permission denied' },
  ]);
});

test.each(['missing', 'file.txt'])('a workspace folder that is none: %s', async (name) => {
  const root = makeTree({ 'file.txt': 'x' });
  const finding = findFiles([{ name: 'w', rootPath: join(root, name) }], { signal });
  await expect(finding).rejects.toMatchObject({
    reason: 'workspaceNotFound',
    message: expect.stringContaining(join(root, name)) as string,
  });
});

test('several folders: in their order, each file once, the inner folder as itself', async () => {
  const root = makeTree({
    'outer/a.ts': 'x',
    'outer/inner/b.ts': 'x',
    'outer/inner/c.log': 'x',
    'outer/.gitignore': '*.log\ninner/\n',
    'outer/z.ts': 'x',
    'other/a.ts': 'x',
  });
  await symlink(join(root, 'outer'), join(root, 'again'));
  const folders = ['other', 'outer', 'outer/inner', 'again', 'other/'].map((path) => ({
    name: path,
    rootPath: join(root, path),
  }));
  const { files, skipped } = await findFiles(folders, { signal });
  expect(files.map(({ workspace, path }) => `${workspace}: ${path}`)).toEqual([
    'other: a.ts',
    'outer: .gitignore',
    'outer: a.ts',
    'outer: z.ts',
    'outer/inner: b.ts',
  ]);
  // The rules of the outer folder hold in the inner one, though the user asked for the inner one itself.
  expect(skipped).toEqual([{ workspace: 'outer/inner', path: 'c.log', reason: 'gitignore' }]);
});

test('files beyond the limit are left out, in a fixed order', async () => {
  const root = makeTree({ 'a.ts': 'x', 'b.ts': 'x', 'c/d.ts': 'x', 'e/f.ts': 'x', 'z.ts': 'x' });
  const { files, skipped } = await findFiles([{ name: 'w', rootPath: root }], { signal, maxFiles: 2 });
  expect(files.map(({ path }) => path)).toEqual(['a.ts', 'b.ts']);
  const rest = { workspace: 'w', reason: 'tooManyFiles', detail: 'limit 2' };
  expect(skipped).toEqual([
    { ...rest, path: 'z.ts' },
    { ...rest, path: 'c/' },
    { ...rest, path: 'e/' },
  ]);
});

test('the list of what is left out stays bounded and counts the rest', async () => {
  const surplus = 57;
  const root = makeTree(
    Object.fromEntries(Array.from({ length: maxSkippedListed + surplus }, (_, index) => [`${index}`, ''])),
  );
  const { details } = await find(root);
  expect(details).toHaveLength(maxSkippedListed + 1);
  expect(details.at(-1)).toMatchObject({
    reason: 'empty',
    detail: `and ${surplus - 1} more files and folders that are not listed, limit ${maxSkippedListed}`,
  });
});

test('an aborted walk stops at once', async () => {
  const root = makeTree(
    Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${index}/a.ts`, 'x'])),
  );
  const controller = new AbortController();
  const seen: number[] = [];
  const onProgress = (filesFound: number) => {
    seen.push(filesFound);
    if (filesFound === 10) controller.abort();
  };
  const finding = findFiles([{ name: 'w', rootPath: root }], { signal: controller.signal, onProgress });
  await expect(finding).rejects.toMatchObject({ reason: 'cancelled' });
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test.each<
  [what: string, exclude: readonly string[], own: string, read: readonly string[], skipped: readonly string[]]
>([
  ['nothing', [], '', ['a.ts', 'docs/b.md', 'sub/docs/c.md'], ['out/: gitignore']],
  [
    'a name anywhere',
    ['docs'],
    '',
    ['a.ts'],
    ['docs/: excludeSetting', 'out/: gitignore', 'sub/docs/: excludeSetting'],
  ],
  ['a place', ['/docs/'], '', ['a.ts', 'sub/docs/c.md'], ['docs/: excludeSetting', 'out/: gitignore']],
  [
    'files',
    ['*.md'],
    '',
    ['a.ts'],
    ['docs/b.md: excludeSetting', 'out/: gitignore', 'sub/docs/c.md: excludeSetting'],
  ],
  [
    'all but one',
    ['*.md', '!b.md'],
    '',
    ['a.ts', 'docs/b.md'],
    ['out/: gitignore', 'sub/docs/c.md: excludeSetting'],
  ],
  [
    'it does not bring back what git leaves out',
    ['!out/'],
    '',
    ['a.ts', 'docs/b.md', 'sub/docs/c.md'],
    ['out/: gitignore'],
  ],
  [
    'an .askcodebaseignore has the last word',
    ['docs'],
    '!/docs/b.md\n',
    ['a.ts', 'docs/b.md'],
    ['docs/: excludeSetting', 'out/: gitignore', 'sub/docs/: excludeSetting'],
  ],
])('the exclude setting: %s', async (_, exclude, own, read, skipped) => {
  const rules = { '.gitignore': 'out/\n', ...(own === '' ? {} : { '.askcodebaseignore': own }) };
  const rootPath = makeTree({
    ...rules,
    'a.ts': 'x',
    'docs/b.md': 'x',
    'sub/docs/c.md': 'x',
    'out/d.ts': 'x',
  });
  const found = await findFiles([{ name: 'w', rootPath, exclude }], { signal });
  expect(found.files.map(({ path }) => path).filter((path) => !path.startsWith('.'))).toEqual(read);
  expect(found.skipped.map(({ path, reason }) => `${path}: ${reason}`).sort()).toEqual(skipped);
});

test('the exclude setting holds in its own workspace folder', async () => {
  const top = makeTree({ 'docs/a.md': 'x', 'inner/docs/b.md': 'x' });
  const folders = [
    { name: 'top', rootPath: top },
    { name: 'inner', rootPath: join(top, 'inner'), exclude: ['docs'] },
  ];
  const { files } = await findFiles(folders, { signal });
  expect(files.map(({ workspace, path }) => `${workspace}/${path}`)).toEqual(['top/docs/a.md']);
});
