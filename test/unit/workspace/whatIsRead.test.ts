import { afterEach, expect, test } from 'vitest';
import { find, makeTree, removeTrees, type Tree } from './tree.ts';

afterEach(removeTrees);

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
    name: 'a folder of packages that git ignores says so, and is still not walked for a name that may be anywhere',
    tree: {
      '.gitignore': 'node_modules\n',
      '.askcodebaseignore': '!*.md\n',
      'node_modules/a/README.md': 'x',
    },
    read: ['.askcodebaseignore', '.gitignore'],
    skipped: ['node_modules/: gitignore'],
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
  const found = await find(makeTree(tree));
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
  const { read, skipped } = await find(makeTree(tree));
  expect(read).toEqual([...noSecrets].sort());
  expect(skipped).toEqual(secrets.map((path) => `${path}: secret`).sort());
});
