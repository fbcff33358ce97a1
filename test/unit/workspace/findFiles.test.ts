import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { SkippedFile, SkipReason } from '../../../extension/protocol/nouns.ts';
import { findFiles } from '../../../extension/workspace/findFiles.ts';
import { maxSkippedListed } from '../../../extension/workspace/limits.ts';
import { asOrdinaryUser, makeTree, readPaths, removeTrees, type Tree } from './tree.ts';

afterEach(removeTrees);

const signal = new AbortController().signal;

/** Finds files in one folder: the paths that are read, and "path: reason" of the rest. */
async function find(
  rootPath: string,
): Promise<{ read: string[]; skipped: string[]; details: SkippedFile[] }> {
  const { files, skipped } = await findFiles([{ name: 'w', rootPath }], { signal });
  return {
    read: files.map(({ path }) => path),
    skipped: skipped.map(({ path, reason }) => `${path}: ${reason}`).sort(),
    details: skipped,
  };
}

const rows: readonly { name: string; tree: Tree; read: readonly string[]; skipped: readonly string[] }[] = [
  {
    name: 'what is found says where it is, sorted by path',
    tree: { 'b.ts': 'x', 'a/z.ts': 'x', 'a-b.ts': 'x', 'a.ts': 'x' },
    read: ['a-b.ts', 'a.ts', 'a/z.ts', 'b.ts'],
    skipped: [],
  },
  {
    name: 'names with spaces, quotes, newlines and letters of other alphabets',
    tree: {
      'a b/c d.ts': 'x',
      'it\'s "q".ts': 'x',
      'two\nlines/x\n.ts': 'x',
      'größe/資料.ts': 'x',
      '🙂.ts': 'x',
      'back\\slash.ts': 'x',
    },
    read: ['a b/c d.ts', 'back\\slash.ts', 'größe/資料.ts', 'it\'s "q".ts', 'two\nlines/x\n.ts', '🙂.ts'],
    skipped: [],
  },
  {
    name: 'a folder that is left out is one entry',
    tree: { '.gitignore': 'dist/\n', 'dist/a.js': 'x', 'dist/b/c.js': 'x', 'a.ts': 'x' },
    read: ['.gitignore', 'a.ts'],
    skipped: ['dist/: gitignore'],
  },
  {
    name: 'folders of packages and of version control are out without any rule',
    tree: {
      'node_modules/a/i.js': 'x',
      'b/.venv/x.py': 'x',
      'b/__pycache__/x': 'x',
      '.git/config': 'x',
      '.hg/x': 'x',
      'c/.git': 'gitdir: ../x',
      'dist/a.js': 'x',
    },
    read: ['dist/a.js'],
    skipped: ['b/.venv/: generated', 'b/__pycache__/: generated', 'node_modules/: generated'],
  },
  {
    name: 'lock files',
    tree: {
      'package-lock.json': '{}',
      'a/Cargo.lock': 'x',
      'go.sum': 'x',
      'package.json': '{}',
      'yarn.lock.md': 'x',
    },
    read: ['package.json', 'yarn.lock.md'],
    skipped: ['a/Cargo.lock: lockFile', 'go.sum: lockFile', 'package-lock.json: lockFile'],
  },
  {
    name: 'generated files by name',
    tree: { 'jquery.min.js': 'x', 'a/app.js.map': 'x', 'x_pb2.py': 'x', 'admin.js': 'x', 'map.js': 'x' },
    read: ['admin.js', 'map.js'],
    skipped: ['a/app.js.map: generated', 'jquery.min.js: generated', 'x_pb2.py: generated'],
  },
  {
    name: 'empty files',
    tree: { 'a/__init__.py': '', 'b.py': 'x' },
    read: ['b.py'],
    skipped: ['a/__init__.py: empty'],
  },
  {
    name: 'the own ignore file leaves out, nested too',
    tree: {
      '.askcodebaseignore': 'docs/\n*.csv\n',
      'docs/a.md': 'x',
      'd.csv': 'x',
      'a/.askcodebaseignore': '!keep.csv\n/x\n',
      'a/keep.csv': 'x',
      'a/x': 'x',
      x: 'x',
    },
    read: ['.askcodebaseignore', 'a/.askcodebaseignore', 'a/keep.csv', 'x'],
    skipped: ['a/x: askcodebaseignore', 'd.csv: askcodebaseignore', 'docs/: askcodebaseignore'],
  },
  {
    name: 'its negations win over .gitignore, secrets, lock files and generated names',
    tree: {
      '.gitignore': '*.log\n',
      'b/.gitignore': '*.log\n',
      '.askcodebaseignore': '!keep.log\n!.env.test\n!go.sum\n!*.min.js\n',
      'keep.log': 'x',
      'b/keep.log': 'x',
      'other.log': 'x',
      '.env.test': 'x',
      '.env': 'x',
      'go.sum': 'x',
      'a.min.js': 'x',
    },
    read: [
      '.askcodebaseignore',
      '.env.test',
      '.gitignore',
      'a.min.js',
      'b/.gitignore',
      'b/keep.log',
      'go.sum',
      'keep.log',
    ],
    skipped: ['.env: secret', 'other.log: gitignore'],
  },
  {
    name: "a folder that git ignores comes back by its name, with git's other rules in force",
    tree: {
      '.gitignore': 'gen/\n*.o\n',
      '.askcodebaseignore': '!gen/\n',
      'gen/a.ts': 'x',
      'gen/b/c.ts': 'x',
      'gen/d.o': 'x',
      'gen/.env': 'x',
      'gen/gen/e.ts': 'x',
    },
    read: ['.askcodebaseignore', '.gitignore', 'gen/a.ts', 'gen/b/c.ts', 'gen/gen/e.ts'],
    skipped: ['gen/.env: secret', 'gen/d.o: gitignore'],
  },
  {
    name: 'files below a folder that git ignores come back, by path, by double star and by name',
    tree: {
      '.gitignore': 'gen/\nout\n',
      '.askcodebaseignore': '!/gen/deep/a.ts\n!out/**/*.ts\n!notes.md\n',
      'gen/deep/a.ts': 'x',
      'gen/deep/b.ts': 'x',
      'gen/x.ts': 'x',
      'out/p/q.ts': 'x',
      'out/p/q.js': 'x',
      'gen/other/notes.md': 'x',
    },
    read: ['.askcodebaseignore', '.gitignore', 'gen/deep/a.ts', 'gen/other/notes.md', 'out/p/q.ts'],
    skipped: ['gen/: gitignore', 'out/: gitignore'],
  },
  {
    name: 'a package comes back only when its folder is named',
    tree: {
      '.askcodebaseignore': '!*.ts\n!node_modules/mine/**\n',
      'node_modules/mine/a.js': 'x',
      'node_modules/mine/lib/b.js': 'x',
      'node_modules/theirs/c.ts': 'x',
      'sub/node_modules/d.ts': 'x',
    },
    read: ['.askcodebaseignore', 'node_modules/mine/a.js', 'node_modules/mine/lib/b.js'],
    skipped: ['node_modules/: generated', 'sub/node_modules/: generated'],
  },
  {
    name: 'as in git, no file comes back from a folder that the same ignore file leaves out',
    tree: { '.askcodebaseignore': 'docs/\n!docs/keep.md\n', 'docs/keep.md': 'x' },
    read: ['.askcodebaseignore'],
    skipped: ['docs/: askcodebaseignore'],
  },
  {
    name: 'version control stays out whatever is asked for',
    tree: { '.askcodebaseignore': '!.git/\n!.git/**\n!**\n', '.git/config': 'x', a: 'x' },
    read: ['.askcodebaseignore', 'a'],
    skipped: [],
  },
  {
    name: 'a repository inside another is ruled by its own files',
    tree: {
      '.gitignore': '*.log\n',
      'inner/.git/HEAD': 'ref: refs/heads/main\n',
      'inner/.git/info/exclude': '*.tmp\n',
      'inner/a.log': 'x',
      'inner/b.tmp': 'x',
      'c.log': 'x',
    },
    read: ['.gitignore', 'inner/a.log'],
    skipped: ['c.log: gitignore', 'inner/b.tmp: gitignore'],
  },
  {
    name: 'a linked working tree has the excludes of the main one',
    tree: {
      '.git': 'gitdir: store/worktrees/w\n',
      'store/worktrees/w/commondir': '../..\n',
      'store/info/exclude': '*.tmp\nstore/\n',
      'a.tmp': 'x',
      b: 'x',
    },
    read: ['b'],
    skipped: ['a.tmp: gitignore', 'store/: gitignore'],
  },
];

test.each(rows)('$name', async ({ tree, read, skipped }) => {
  const found = await find(await makeTree(tree));
  expect({ read: found.read, skipped: found.skipped }).toEqual({ read: [...read].sort(), skipped });
});

const secrets: readonly string[] = [
  ...['.env', '.env.local', '.env.production', 'prod.env', '.envrc', 'a/.ENV'],
  ...[
    'server.pem',
    'tls.key',
    'a.p12',
    'a.pfx',
    'a.jks',
    'release.keystore',
    'id_rsa',
    'id_ed25519.pub',
    'x.ppk',
    '.ssh/config',
  ],
  ...['ca.crt', 'ca.cer', 'ca.der', 'vpn.ovpn', 'passwords.kdbx', 'secring.gpg'],
  ...[
    '.npmrc',
    '.pypirc',
    '.netrc',
    '.htpasswd',
    '.pgpass',
    '.git-credentials',
    '.docker/config.json',
    '.m2/settings.xml',
  ],
  ...[
    '.aws/credentials',
    '.aws/config',
    'credentials.json',
    'kubeconfig',
    'dev.kubeconfig',
    '.kube/config',
    'terraform.tfstate',
    'terraform.tfstate.backup',
    'prod.tfvars',
  ],
  ...[
    'service-account.json',
    'my-service-account.json',
    'client_secret_1.json',
    'secrets.yaml',
    '.vault-token',
  ],
];
const noSecrets: readonly string[] = [
  ...['.env.example', '.env.sample', '.env.template', '.env.local.example', 'env.ts', 'environment.py'],
  ...[
    'keys.ts',
    'id_rsa_parser.c',
    'config.json',
    'docker/config.json',
    'aws/config',
    'credentials.ts',
    'secrets.ts',
    'kubeconfig.go',
    'main.tf',
    'key',
    'pem.md',
    'locales/auth.json',
  ],
];

test('secrets are out by their names, and names that sound like them are not', async () => {
  const tree = Object.fromEntries([...secrets, ...noSecrets].map((path) => [path, 'x']));
  const { read, skipped } = await find(await makeTree(tree));
  expect(read).toEqual([...noSecrets].sort());
  expect(skipped).toEqual(secrets.map((path) => `${path}: secret`).sort());
});

test('sizes, times and places of what is found', async () => {
  const root = await makeTree({ 'a/b.ts': 'größe' });
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
  const root = await makeTree({ 'a.txt': 'x', '.askcodebaseignore': '!huge.txt\n' });
  await writeFile(join(root, 'huge.txt'), '');
  await truncate(join(root, 'huge.txt'), 2 * 1024 ** 3);
  const { details } = await find(root);
  expect(details).toEqual([
    { workspace: 'w', path: 'huge.txt', reason: 'tooLarge', detail: '2.1 GB, limit 1 MB' },
  ]);
});

test('pipes, sockets and devices are not files', async () => {
  const root = await makeTree({ 'a.txt': 'x' });
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  const { read, skipped } = await find(root);
  server.close();
  expect({ read, skipped }).toEqual({ read: ['a.txt'], skipped: ['pipe: notAFile', 'socket: notAFile'] });
});

test('symbolic links are not followed, and each says why', async () => {
  const outside = await makeTree({ 'o.txt': 'x' });
  const root = await makeTree({ 'real/a.txt': 'x', 'sub/b.txt': 'x', '.gitignore': 'ignored\nfolder/\n' });
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
  const root = await makeTree({ rules: 'a.txt\n', 'a.txt': 'x' });
  await symlink('rules', join(root, '.gitignore'));
  expect(await readPaths(root)).toEqual(['a.txt', 'rules']);
});

test('a workspace folder that is a link is walked under its own name', async () => {
  const root = await makeTree({ 'a.txt': 'x' });
  const links = await makeTree({});
  await symlink(root, join(links, 'link'));
  const { files } = await findFiles([{ name: 'w', rootPath: join(links, 'link') }], { signal });
  expect(files.map(({ absolutePath }) => absolutePath)).toEqual([join(links, 'link', 'a.txt')]);
});

test('names that are not UTF-8 are left out with a reason', async () => {
  const root = await makeTree({ 'a.txt': 'x' });
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
  const root = await makeTree({ 'locked/a.txt': 'x', 'b.txt': 'x' });
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
  const root = await makeTree({ 'file.txt': 'x' });
  const finding = findFiles([{ name: 'w', rootPath: join(root, name) }], { signal });
  await expect(finding).rejects.toMatchObject({
    reason: 'workspaceNotFound',
    message: expect.stringContaining(join(root, name)) as string,
  });
});

test('several folders: in their order, each file once, the inner folder as itself', async () => {
  const root = await makeTree({
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
  const root = await makeTree({ 'a.ts': 'x', 'b.ts': 'x', 'c/d.ts': 'x', 'e/f.ts': 'x', 'z.ts': 'x' });
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
  const root = await makeTree(
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
  const root = await makeTree(
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
