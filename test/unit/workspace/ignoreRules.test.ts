import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { find, makeTree, removeTrees, type Tree } from './tree.ts';

/**
 * Each row is a tree: ignore files with their contents, and paths to judge. What our walk reads must be what real git
 * does not ignore, path by path.
 */
const cases: readonly { name: string; ignore: Tree; paths: readonly string[]; within?: string }[] = [
  {
    name: 'plain name at any depth',
    ignore: { '.gitignore': 'foo\n' },
    paths: ['foo', 'a/foo', 'b/foo/b', 'foobar', 'a/b/c'],
  },
  { name: 'no line end at the end', ignore: { '.gitignore': 'foo\nbar' }, paths: ['foo', 'bar', 'baz'] },
  { name: 'leading slash', ignore: { '.gitignore': '/foo\n' }, paths: ['foo', 'a/foo'] },
  { name: 'slash in the middle', ignore: { '.gitignore': 'a/foo\n' }, paths: ['a/foo', 'b/a/foo', 'foo'] },
  { name: 'trailing slash', ignore: { '.gitignore': 'foo/\n' }, paths: ['foo/x', 'a/foo/y', 'b/foo'] },
  {
    name: 'trailing slash and a slash',
    ignore: { '.gitignore': 'a/foo/\n' },
    paths: ['a/foo/x', 'b/a/foo/x', 'foo/x'],
  },
  {
    name: 'star in a name',
    ignore: { '.gitignore': '*.log\n' },
    paths: ['a.log', 'd/b.log', '.log', 'a.log.txt', 'log'],
  },
  {
    name: 'star does not cross a slash',
    ignore: { '.gitignore': 'a/*.txt\n' },
    paths: ['a/x.txt', 'a/b/x.txt', 'x.txt'],
  },
  { name: 'star for a folder', ignore: { '.gitignore': 'a/*/c\n' }, paths: ['a/b/c', 'a/c', 'a/b/b/c'] },
  { name: 'question mark', ignore: { '.gitignore': 'a?c\n' }, paths: ['abc', 'ac', 'abbc', 'a/c'] },
  {
    name: 'leading double star',
    ignore: { '.gitignore': '**/foo\n' },
    paths: ['foo', 'a/foo', 'a/b/foo', 'afoo'],
  },
  {
    name: 'double star with a path',
    ignore: { '.gitignore': '**/a/foo\n' },
    paths: ['a/foo', 'x/a/foo', 'a/x/foo'],
  },
  {
    name: 'trailing double star',
    ignore: { '.gitignore': 'foo/**\n' },
    paths: ['foo/a', 'foo/b/c', 'x/foo/a'],
  },
  {
    name: 'double star in the middle',
    ignore: { '.gitignore': 'a/**/b\n' },
    paths: ['a/b', 'a/x/b', 'a/x/y/b', 'c/a/b', 'a/xb'],
  },
  {
    name: 'double star beside letters',
    ignore: { '.gitignore': 'x/f**r\n' },
    paths: ['x/foobar', 'x/fo/ar', 'x/fr'],
  },
  {
    name: 'double star after letters, before a slash',
    ignore: { '.gitignore': 'ab**/c\n/x**/**/y\n' },
    paths: ['abc', 'ab/c', 'abz/c', 'abz/q/c', 'd/ab/c', 'xy', 'x1/2/3/y'],
  },
  {
    name: 'double star after letters at the end',
    ignore: { '.gitignore': 'a/*/*\n!a/b**\nc**\n' },
    paths: ['a/bc/d', 'a/x/d', 'a/bc/e/f', 'cd', 'x/cd'],
  },
  { name: 'double star alone', ignore: { '.gitignore': '**\n!*.md\n' }, paths: ['a', 'b.md', 'c/d.md'] },
  { name: 'three stars', ignore: { '.gitignore': 'a/***/b\n' }, paths: ['a/b', 'a/x/y/b', 'ab'] },
  {
    name: 'everything but',
    ignore: { '.gitignore': '/*\n!/keep\n' },
    paths: ['keep/a', 'keep/b/c', 'other', 'x/keep'],
  },
  {
    name: 'negation after',
    ignore: { '.gitignore': '*.log\n!keep.log\n' },
    paths: ['a.log', 'keep.log', 'd/keep.log'],
  },
  { name: 'negation before', ignore: { '.gitignore': '!keep.log\n*.log\n' }, paths: ['keep.log'] },
  { name: 'negation twice', ignore: { '.gitignore': '*.log\n!a.log\na.log\n' }, paths: ['a.log', 'b.log'] },
  {
    name: 'no return from an ignored folder',
    ignore: { '.gitignore': 'build/\n!build/keep.txt\n' },
    paths: ['build/keep.txt', 'build/x'],
  },
  {
    name: 'return from the content of a folder',
    ignore: { '.gitignore': 'build/*\n!build/keep.txt\n' },
    paths: ['build/keep.txt', 'build/x', 'build/d/keep.txt'],
  },
  {
    name: 'return of a folder, then of its files',
    ignore: { '.gitignore': 'b/*\n!b/c/\nb/c/*\n!b/c/d\n' },
    paths: ['b/x', 'b/c/x', 'b/c/d'],
  },
  {
    name: 'negation with a trailing slash',
    ignore: { '.gitignore': 'foo*\n!foobar/\n' },
    paths: ['foobar/a', 'foobaz', 'x/foobar'],
  },
  { name: 'comment', ignore: { '.gitignore': '#foo\n# bar\nbaz\n' }, paths: ['#foo', 'bar', 'baz', '# bar'] },
  { name: 'escaped hash', ignore: { '.gitignore': '\\#foo\n' }, paths: ['#foo', 'foo'] },
  { name: 'escaped exclamation mark', ignore: { '.gitignore': '\\!foo\n' }, paths: ['!foo', 'foo'] },
  { name: 'exclamation mark inside', ignore: { '.gitignore': 'a!b\n' }, paths: ['a!b'] },
  { name: 'hash inside', ignore: { '.gitignore': 'a#b\nc #d\n' }, paths: ['a#b', 'c', 'c #d'] },
  { name: 'trailing spaces', ignore: { '.gitignore': 'foo   \n' }, paths: ['foo', 'foo   '] },
  { name: 'escaped trailing space', ignore: { '.gitignore': 'foo\\ \n' }, paths: ['foo', 'foo '] },
  {
    name: 'escaped space, then spaces',
    ignore: { '.gitignore': 'foo\\   \n' },
    paths: ['foo', 'foo ', 'foo  '],
  },
  { name: 'trailing tab', ignore: { '.gitignore': 'foo\t\n' }, paths: ['foo', 'foo\t'] },
  { name: 'leading space', ignore: { '.gitignore': ' foo\n' }, paths: ['foo', ' foo'] },
  { name: 'space inside', ignore: { '.gitignore': 'a b\n/c d/\n' }, paths: ['a b', 'c d/x', 'ab'] },
  { name: 'blank lines', ignore: { '.gitignore': '\n   \n\nfoo\n\n' }, paths: ['foo', 'bar', '   '] },
  { name: 'only a slash', ignore: { '.gitignore': '/\n' }, paths: ['foo', 'a/b'] },
  { name: 'only an exclamation mark', ignore: { '.gitignore': 'foo\n!\n' }, paths: ['foo', '!'] },
  {
    name: 'CRLF',
    ignore: { '.gitignore': 'foo\r\n/bar/\r\n!keep\r\n' },
    paths: ['foo', 'bar/x', 'keep', 'foo\r'],
  },
  {
    name: 'CRLF and trailing spaces',
    ignore: { '.gitignore': 'foo  \r\nbar\\ \r\n' },
    paths: ['foo', 'bar ', 'bar'],
  },
  { name: 'CR at the end of the file', ignore: { '.gitignore': 'foo\r' }, paths: ['foo', 'foo\r'] },
  {
    name: 'byte order mark',
    ignore: { '.gitignore': '\uFEFFfoo\nbar\n' },
    paths: ['foo', 'bar', '\uFEFFfoo'],
  },
  { name: 'class', ignore: { '.gitignore': '[ab].txt\n' }, paths: ['a.txt', 'b.txt', 'c.txt', '[ab].txt'] },
  { name: 'class with a range', ignore: { '.gitignore': '[a-c0-9]x\n' }, paths: ['bx', '7x', 'dx', '-x'] },
  { name: 'negated class', ignore: { '.gitignore': '[!a]x\n[^b]y\n' }, paths: ['ax', 'bx', 'ay', 'by'] },
  { name: 'class with a bracket', ignore: { '.gitignore': '[]]x\n[]-]y\n' }, paths: [']x', 'x', ']y', '-y'] },
  {
    name: 'named classes',
    ignore: { '.gitignore': '[[:digit:]]x\n[[:upper:][:space:]]y\n' },
    paths: ['1x', 'ax', 'By', 'by', ' y'],
  },
  { name: 'class that does not end', ignore: { '.gitignore': '[ab\n' }, paths: ['[ab', 'a', 'b'] },
  { name: 'class with an escape', ignore: { '.gitignore': '[\\]a]x\n' }, paths: [']x', 'ax', '\\x'] },
  {
    name: 'class does not match a slash',
    ignore: { '.gitignore': 'a[!x]b\na[/]c\n' },
    paths: ['a/b', 'aab', 'a/c'],
  },
  { name: 'range upside down', ignore: { '.gitignore': '[z-a]x\n' }, paths: ['bx', 'zx', 'ax'] },
  { name: 'escaped star', ignore: { '.gitignore': 'a\\*b\n' }, paths: ['a*b', 'axb'] },
  { name: 'escaped question mark', ignore: { '.gitignore': 'a\\?b\n' }, paths: ['a?b', 'axb'] },
  { name: 'escaped bracket', ignore: { '.gitignore': '\\[ab]\n' }, paths: ['[ab]', 'a'] },
  { name: 'escaped letter', ignore: { '.gitignore': '\\f\\oo\n\\d\n' }, paths: ['foo', 'd', '1'] },
  { name: 'escaped backslash', ignore: { '.gitignore': 'a\\\\b\n' }, paths: ['a\\b', 'ab'] },
  { name: 'trailing backslash', ignore: { '.gitignore': 'foo\\\nbar\n' }, paths: ['foo', 'foo\\', 'bar'] },
  {
    name: 'characters of regular expressions',
    ignore: { '.gitignore': 'a.b\n(c)\nd+\n{e,f}\n^g\nh$\ni|j\n' },
    paths: ['a.b', 'axb', '(c)', 'c', 'd+', 'dd', '{e,f}', 'e', '^g', 'g', 'h$', 'h', 'i|j', 'i'],
  },
  {
    name: 'letters of other alphabets',
    ignore: { '.gitignore': 'größe/\n*.данные\n/資料\n' },
    paths: ['größe/a', 'x.данные', 'd/y.данные', '資料', 'a/資料', 'grosse/a'],
  },
  { name: 'emoji under a question mark', ignore: { '.gitignore': '?x\n' }, paths: ['ax', 'xx', 'bbx'] },
  {
    name: 'upper and lower case',
    ignore: { '.gitignore': 'Foo\n*.TXT\n' },
    paths: ['Foo', 'foo', 'a.txt', 'b.TXT'],
  },
  { name: 'dot files', ignore: { '.gitignore': '.*\n!.gitignore\n' }, paths: ['.a', 'b/.c', 'b/d', '.e/f'] },
  { name: 'star matches a leading dot', ignore: { '.gitignore': '*rc\n' }, paths: ['.vimrc', 'rc', 'a/.rc'] },
  {
    name: 'a dot slash pattern matches nothing',
    ignore: { '.gitignore': './foo\n' },
    paths: ['foo', 'a/foo'],
  },
  { name: 'two slashes', ignore: { '.gitignore': 'a//b\n//c\n' }, paths: ['a/b', 'c'] },
  {
    name: 'nested file adds',
    ignore: { 'a/.gitignore': 'foo\n' },
    paths: ['foo', 'a/foo', 'a/b/foo', 'b/foo'],
  },
  {
    name: 'nested file is anchored at its folder',
    ignore: { 'a/.gitignore': '/foo\n/b/bar\n' },
    paths: ['a/foo', 'a/b/foo', 'a/b/bar', 'a/c/b/bar', 'b/bar'],
  },
  {
    name: 'deeper wins over shallower',
    ignore: { '.gitignore': '*.log\n', 'a/.gitignore': '!*.log\n', 'a/b/.gitignore': '*.log\n' },
    paths: ['x.log', 'a/x.log', 'a/b/x.log', 'a/c/x.log'],
  },
  {
    name: 'deeper brings a folder back',
    ignore: { '.gitignore': 'build/\n', 'a/.gitignore': '!build/\n' },
    paths: ['build/x', 'a/build/x', 'a/build/b/y', 'a/b/build/x', 'b/build/x'],
  },
  {
    name: 'a folder brought back keeps other rules',
    ignore: { '.gitignore': 'build\n*.o\n', 'a/.gitignore': '!build\n' },
    paths: ['a/build/x', 'a/build/x.o', 'a/build/sub/build/x', 'a/build/sub/y'],
  },
  {
    name: 'a folder with odd letters brought back',
    ignore: { '.gitignore': 'b*\n!*.txt\n', 'a/.gitignore': '!b [x]*!#\\\\\n' },
    paths: ['a/b [x]y!#\\/c', 'a/b [x]y!#\\/bd', 'a/b [x]z!#\\/c.txt'],
  },
  {
    name: 'an ignore file in an ignored folder',
    ignore: { '.gitignore': 'a/\n', 'a/.gitignore': '!*\n' },
    paths: ['a/x', 'a/b/y'],
  },
  {
    name: 'an ignore file that ignores all but itself',
    ignore: { 'a/.gitignore': '*\n!.gitignore\n' },
    paths: ['a/x', 'a/b/c', 'y'],
  },
  { name: 'the ignore file itself', ignore: { '.gitignore': '.gitignore\nx\n' }, paths: ['x', 'y'] },
  {
    name: 'folder and file of one name',
    ignore: { '.gitignore': 'n/\n!a/n\n' },
    paths: ['n/x', 'a/n/x', 'b/n'],
  },
  {
    name: 'excludes of the repository',
    ignore: { '.git/info/exclude': '*.tmp\n/only\n' },
    paths: ['a.tmp', 'd/b.tmp', 'only', 'd/only'],
  },
  {
    name: 'an ignore file wins over the excludes',
    ignore: { '.git/info/exclude': '*.tmp\nfoo/\n', '.gitignore': '!a.tmp\n!foo/\n' },
    paths: ['a.tmp', 'b.tmp', 'foo/x'],
  },
  {
    name: 'excludes of the user',
    ignore: { '.git/home/git/ignore': '*.swp\n.idea/\n', '.gitignore': '!keep.swp\n' },
    paths: ['a.swp', 'keep.swp', 'a/.idea/x'],
  },
  {
    name: 'core.excludesFile',
    ignore: {
      '.git/home/git/config': '[user]\n\tname = x\n[Core]\n\texcludesFile = "~/my excludes" ; mine\n',
      '.git/home/my excludes': '*.bak\n',
    },
    paths: ['a.bak', 'a'],
  },
  {
    name: 'excludes of the repository win over those of the user',
    ignore: { '.git/home/git/ignore': '*.x\n', '.git/info/exclude': '!a.x\n' },
    paths: ['a.x', 'b.x'],
  },
  {
    name: 'core.ignoreCase',
    ignore: { '.git/home/git/config': '[core]\n\tignorecase = true\n', '.gitignore': 'Foo\n*.TXT\n' },
    paths: ['foo', 'a.txt', 'FOO2'],
  },
  {
    name: 'a workspace below the top',
    within: 'a/b/',
    ignore: { '.gitignore': '*.log\n/a/b/x\n/y\nz/\n', 'a/.gitignore': '!k.log\nb/w\n' },
    paths: ['a/b/c.log', 'a/b/k.log', 'a/b/x', 'a/b/y', 'a/b/z/1', 'a/b/w', 'a/b/v'],
  },
  {
    name: 'a workspace below the top and the excludes',
    within: 'a/',
    ignore: { '.git/info/exclude': '/a/x\n/y\n' },
    paths: ['a/x', 'a/y', 'a/a/x'],
  },
];

afterEach(removeTrees);

/** The least that git takes for a repository, which spares starting it a second time for each row. */
const repository: Tree = { '.git/HEAD': 'ref: refs/heads/main\n', '.git/objects/x': '', '.git/refs/x': '' };

test.each(cases)('git and we agree: $name', async ({ ignore, paths, within = '' }) => {
  const content = Object.fromEntries(paths.map((path) => [path, 'text\n']));
  const root = makeTree({ ...repository, ...ignore, ...content });
  const home = `${root}/.git/home`;
  const environment = { HOME: home, XDG_CONFIG_HOME: home, GIT_CONFIG_NOSYSTEM: '1' };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const ignoredByGit = new Set(checkIgnore(root, paths));
  const read = new Set((await find(`${root}/${within}`)).read.map((path) => within + path));
  vi.unstubAllEnvs();
  const answers = paths.map((path) => ({
    path,
    git: ignoredByGit.has(path) ? 'ignored' : 'read',
    ours: read.has(path) ? 'read' : 'ignored',
  }));
  expect(answers.filter(({ git, ours }) => git !== ours)).toEqual([]);
});

/** Few names and many wildcards, so that most random patterns match something. */
const randomPattern = fc
  .tuple(
    fc.constantFrom('', '', '', '!'),
    fc.constantFrom('', '', '/'),
    fc.array(
      fc.constantFrom(
        'a',
        'b',
        'ab',
        'a.b',
        '*',
        '**',
        'a*',
        '*b',
        '?',
        '?b',
        '[ab]',
        '[!a]',
        '[a-b]*',
        'a**b',
        '**b',
        'b**',
        '\\a',
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.constantFrom('', '', '/'),
  )
  .map(([sign, anchor, segments, end]) => sign + anchor + segments.join('/') + end);
const randomRules = fc.array(randomPattern, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
/** Folders have no dot and files end in one, so that no path is both. */
const randomPath = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { maxLength: 3 }),
    fc.constantFrom('a.', 'b.', 'ab.', 'a.b'),
  )
  .map(([folders, name]) => [...folders, name].join('/'));
const randomRow = fc.record({
  rules: randomRules,
  nested: randomRules,
  paths: fc.uniqueArray(randomPath, { minLength: 8, maxLength: 8 }),
});

test('git and we agree on random rules', async () => {
  // One folder of one repository for each row, so that git is asked once.
  const rows = fc.sample(randomRow, { numRuns: 250, seed: 20_26 });
  const tree = rows.flatMap(({ rules, nested, paths }, row) => [
    [`${row}/.gitignore`, rules] as const,
    [`${row}/a/.gitignore`, nested] as const,
    ...paths.map((path) => [`${row}/${path}`, 'text\n'] as const),
  ]);
  const root = makeTree({ ...repository, ...Object.fromEntries(tree) });
  const paths = tree.map(([path]) => path).filter((path) => !path.endsWith('.gitignore'));
  const ignoredByGit = new Set(checkIgnore(root, paths));
  const read = new Set((await find(root)).read);
  const wrong = paths.filter((path) => ignoredByGit.has(path) === read.has(path));
  expect(wrong.map((path) => ({ path, rules: rows[Number.parseInt(path)] }))).toEqual([]);
  // Both answers occur often enough to mean something.
  expect(ignoredByGit.size).toBeGreaterThan(paths.length / 5);
  expect(ignoredByGit.size).toBeLessThan((paths.length * 4) / 5);
});

test('the table is large enough to mean something', () => {
  expect(cases.flatMap(({ paths }) => paths).length).toBeGreaterThanOrEqual(200);
});

/** The paths that git ignores. */
function checkIgnore(root: string, paths: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(
    'git',
    ['check-ignore', '--no-index', '--verbose', '--non-matching', '-z', '--stdin'],
    { cwd: root, input: paths.join('\0'), encoding: 'utf8' },
  );
  // 1 is how check-ignore says that nothing is ignored.
  if (status !== 0 && status !== 1) throw new Error(`git ended with ${String(status)}: ${stderr}`);
  const fields = stdout.split('\0').slice(0, -1);
  const ignored: string[] = [];
  for (let index = 0; index < fields.length; index += 4) {
    const pattern = fields[index + 2]!;
    if (pattern !== '' && !pattern.startsWith('!')) ignored.push(fields[index + 3]!);
  }
  return ignored;
}
