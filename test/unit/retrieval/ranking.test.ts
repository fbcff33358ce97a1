import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startRanking } from '../../../extension/retrieval/ranking.ts';

type Files = Readonly<Record<string, string>>;

function rank(files: Files, question: string) {
  const ranking = startRanking(question);
  for (const [path, text] of Object.entries(files)) ranking.add({ workspace: 'w', path, text });
  return ranking.rank();
}

/** The files in the order of their best passages. */
function checkRanking(files: Files, question: string, expected: readonly string[]): void {
  expect([...new Set(rank(files, question).map(({ path }) => path))]).toEqual(expected);
}

const cases: readonly (readonly [what: string, files: Files, question: string, order: readonly string[]])[] =
  [
    [
      'the word decides',
      { 'a.ts': 'walk the tree', 'b.ts': 'evict the rows' },
      'what is evicted?',
      ['b.ts', 'a.ts'],
    ],
    [
      'a part of an identifier is a word',
      { 'a.ts': 'readFile(path)', 'b.ts': 'evictRows(tokens)' },
      'evicting of rows',
      ['b.ts', 'a.ts'],
    ],
    [
      'the whole identifier beats its parts',
      { 'a.ts': 'token; budget; token; budget', 'b.ts': 'tokenBudget', 'c.ts': 'nothing' },
      'token budget',
      ['b.ts', 'a.ts', 'c.ts'],
    ],
    [
      'a rare word beats a frequent one',
      { 'a.ts': 'model', 'b.ts': 'model', 'c.ts': 'quantise', 'd.ts': 'model' },
      'model quantise',
      ['c.ts', 'a.ts', 'b.ts', 'd.ts'],
    ],
    [
      'a short passage beats a long one',
      { 'a.ts': `score ${'other words here '.repeat(60)}`, 'b.ts': 'score' },
      'score',
      ['b.ts', 'a.ts'],
    ],
    [
      'the path counts',
      { 'src/walk.ts': 'const a = 1', 'src/evict.ts': 'const b = 1' },
      'evict',
      ['src/evict.ts', 'src/walk.ts'],
    ],
    [
      'the name of the file beats that of its folder',
      { 'cache/walk.ts': 'one', 'walk/cache.ts': 'one' },
      'cache',
      ['walk/cache.ts', 'cache/walk.ts'],
    ],
    [
      'tests come after the source',
      { 'test/keep.test.ts': 'keepBest()', 'src/keep.ts': 'keepBest()' },
      'keep best',
      ['src/keep.ts', 'test/keep.test.ts'],
    ],
    [
      'unless tests are asked for',
      { 'test/keep.test.ts': 'keepBest()', 'src/keep.ts': 'keepBest()' },
      'tests of keep best',
      ['test/keep.test.ts', 'src/keep.ts'],
    ],
    [
      'changelogs come after the source',
      { 'CHANGELOG.md': 'keep best rows', 'src.ts': 'keep best rows' },
      'keep best rows',
      ['src.ts', 'CHANGELOG.md'],
    ],
    [
      'questions about the whole project begin with its introduction',
      { 'a.ts': 'project readme architecture', 'README.md': 'A tool.', 'z.ts': 'code' },
      'What does this project do?',
      ['README.md', 'a.ts', 'z.ts'],
    ],
    [
      'other scripts',
      { 'a.md': '文書を読む', 'b.md': 'キャッシュを消す' },
      'キャッシュはどこですか',
      ['b.md', 'a.md'],
    ],
    ['nothing matches: by place', { 'b.ts': 'x', 'a.ts': 'y' }, 'zebra', ['a.ts', 'b.ts']],
  ];

test.each(cases)('%s', (_, files, question, order) => checkRanking(files, question, order));

/** Each defines `evict` in one language; the other file calls it. */
const definitions: readonly (readonly [path: string, definition: string, call: string])[] = [
  ['a.ts', 'export async function evict(rows: Row[]) {', 'await evict(rows);'],
  ['a.ts', 'export const evict = (rows: Row[]) => {', 'const kept = evict(rows, () => {'],
  ['a.ts', '  private evict(rows: Row[]): void {', '  this.evict(rows);'],
  ['a.ts', 'export interface Evict {', 'let x: Evict = evict;'],
  ['a.py', 'async def evict(rows):', 'await evict(rows)'],
  ['a.py', 'EVICT = 3', 'x = EVICT'],
  ['a.rs', 'pub(crate) fn evict(rows: &[Row]) {', 'let x = evict(rows);'],
  ['a.rs', 'pub struct Evict {', 'let x = Evict {'],
  ['a.go', 'func (c *Cache) Evict(rows []Row) error {', 'err := c.Evict(rows)'],
  ['a.go', 'type Evict struct {', 'x := Evict{}'],
  ['a.java', '    public static int evict(List<Row> rows)', '    return evict(rows);'],
  ['a.cs', '    internal void Evict(Row[] rows)', '    x.Evict(rows);'],
  ['a.cpp', 'int evict(const Row *rows) {', 'if (evict(rows)) {'],
  ['a.c', '#define EVICT 3', 'x[3] = EVICT;'],
  ['a.rb', '  def self.evict(rows)', '  x = evict(rows)'],
  ['a.php', '    public function evict(array $rows)', '    $x->evict($rows);'],
  ['a.sh', 'evict() {', 'if evict; then'],
  ['a.md', '## How to evict', 'You can evict rows.'],
];

test.each(definitions)('a definition in %s: %s', (path, definition, call) => {
  const called = `0/${path}`;
  const defined = `1/${path}`;
  checkRanking({ [called]: call, [defined]: definition }, 'evict', [defined, called]);
});

test('every passage is in the result, with its size', () => {
  const text = Array.from({ length: 500 }, (_, n) => `line ${n}`).join('\n');
  const passages = rank({ 'a.ts': text, 'b.ts': 'x' }, 'zebra');
  expect(passages.reduce((sum, { characters }) => sum + characters, 0)).toBe(text.length + 1);
  expect(passages.every(({ score }) => score === 0)).toBe(true);
  expect(passages.at(-1)).toEqual({
    workspace: 'w',
    path: 'b.ts',
    startLine: 1,
    endLine: 1,
    score: 0,
    characters: 1,
  });
});

test('workspaces with equal paths stay apart', () => {
  const ranking = startRanking('evict');
  ranking.add({ workspace: 'two', path: 'a', text: 'evict' });
  ranking.add({ workspace: 'one', path: 'a', text: 'evict' });
  expect(ranking.rank().map(({ workspace }) => workspace)).toEqual(['one', 'two']);
});

test('nothing was added: nothing is ranked', () => expect(startRanking('a question').rank()).toEqual([]));

test('the order in which documents come changes nothing', () => {
  const word = fc.constantFrom('keep', 'evict', 'tokenBudget', 'score', 'row', 'walk');
  const texts = fc.array(fc.array(word, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(texts, (texts) => {
      const files = texts.map((words, index) => [`${index}.ts`, words.join(' ')] as const);
      const question = 'which token budget keeps scored rows?';
      const forward = rank(Object.fromEntries(files), question);
      const ranking = startRanking(question);
      for (const [path, text] of files.toReversed()) ranking.add({ workspace: 'w', path, text });
      expect(ranking.rank()).toEqual(forward);
      for (let index = 1; index < forward.length; index++)
        expect(forward[index]!.score).toBeLessThanOrEqual(forward[index - 1]!.score);
    }),
  );
});

test.each<[what: string, question: string, previous: string, order: readonly string[]]>([
  ['no question before', 'where is the budget?', '', ['budget.ts', 'cache.ts', 'queue.ts']],
  ['its words count', 'where is that called?', 'what is the queue?', ['queue.ts', 'budget.ts', 'cache.ts']],
  [
    'less than those of the question',
    'and the cache?',
    'what is the queue?',
    ['cache.ts', 'queue.ts', 'budget.ts'],
  ],
])('after a question: %s', (_, question, previous, order) => {
  const ranking = startRanking(question, previous);
  for (const name of ['budget', 'cache', 'queue'])
    ranking.add({ workspace: 'w', path: `${name}.ts`, text: `${name} of rows` });
  expect(ranking.rank().map(({ path }) => path)).toEqual(order);
});
