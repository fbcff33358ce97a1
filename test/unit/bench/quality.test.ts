import { describe, expect, it } from 'vitest';
import { readGrammarFile } from '../../../extension/grammarFiles.ts';
import { passageText } from '../../../extension/protocol/passageText.ts';
import { createGrammars } from '../../../extension/retrieval/syntax.ts';
import { groupOf } from '../../bench/quality/groups.ts';
import { recallOf } from '../../bench/quality/measure.ts';
import { packages } from '../../bench/quality/packages.ts';
import { plotsOf } from '../../bench/quality/plots.ts';
import { listing, questionsOf, writtenFacts } from '../../bench/quality/questions.ts';
import { absenceOf, depthsOf, summariesOf, tablesOf } from '../../bench/quality/report.ts';
import type { QualityRow } from '../../bench/quality/rows.ts';
import { defaultLimit, wayNames, wayOf } from '../../bench/quality/ways.ts';
import { wrongIn } from '../../bench/quality/wrongRows.ts';

const grammars = createGrammars(readGrammarFile);
const countTokens = (text: string): number => Math.ceil(text.length / 4);

const sources = [
  {
    ...{ workspace: 'small', path: 'first.py' },
    text: [
      'class Store:',
      '    def save(self, row):',
      '        """Writes one row behind all others of its table."""',
      '        check_row(row)',
      '        self.rows.append(row)',
      '        return len(self.rows)',
      '',
      'class FastStore(Store):',
      '    def save(self, row):',
      '        raise StoreError("full")',
      '',
      'class SlowStore(Store):',
      '    def save(self, row):',
      '        raise StoreError("slow")',
      '',
      'class Row: pass',
      'class Table: pass',
      'class Column: pass',
      '',
    ].join('\n'),
  },
  {
    ...{ workspace: 'small', path: 'second.js' },
    text: [
      'function check_row(row) { return row.length; }',
      'function first_user(row) {',
      '  function inner_user() {',
      '    return check_row(row);',
      '  }',
      '  return inner_user;',
      '}',
      'function second_user(row) { return check_row(row); }',
      ...['third', 'fourth'].map((name) => `function ${name}_user(row) { return row; }`),
      ...Array.from({ length: 200 }, (_, i) => `const filler${i} = ${i};`),
      '',
    ].join('\n'),
  },
];

describe('questions', () => {
  it('are made of descriptions that are taken out of what is read', async () => {
    const { documents, questions } = await questionsOf('small', sources, grammars);
    // Three methods are called save, so none of them is asked for by a relation; the description has one place.
    expect(questions.description).toMatchObject([
      {
        question: 'Which function does this: Writes one row behind all others of its table?',
        answer: ' save',
        evidence: [{ path: 'first.py', lines: [2] }],
      },
    ]);
    expect(documents[0]!.text).not.toContain('behind all others');
  });

  it('ask who calls, by the innermost function, and who overrides', async () => {
    const { questions } = await questionsOf('small', sources, grammars);
    expect(questions.relation.map(({ question, answer, evidence }) => [question, answer, evidence])).toEqual(
      [
        [
          'Which classes override save of Store?',
          ' FastStore and SlowStore',
          [
            { path: 'first.py', lines: [7, 8] },
            { path: 'first.py', lines: [11, 12] },
          ],
        ],
        [
          'Which functions call check_row?',
          ' inner_user and second_user',
          [
            { path: 'second.js', lines: [3, 4] },
            { path: 'second.js', lines: [8] },
          ],
        ],
      ].sort(),
    );
  });

  it.each([
    [['a'], ' a'],
    [['a', 'b'], ' a and b'],
    [['a', 'b', 'c'], ' a, b and c'],
  ])('list %j', (names, text) => {
    expect(listing(names)).toBe(text);
  });

  it('are about packages of the list, at least five facts each, whose answers stand in their lines', () => {
    const facts = writtenFacts();
    for (const { name } of packages) {
      expect(facts.filter((fact) => fact.package === name).length, name).toBeGreaterThanOrEqual(5);
    }
    expect(facts.filter(({ code, answer }) => !code.includes(answer.trim()))).toEqual([]);
    expect(new Set(facts.map(({ question }) => question)).size).toBe(facts.length);
  });
});

describe('a group', () => {
  it('is short, the same every time, and holds the lines that answer', async () => {
    const asked = await questionsOf('small', sources, grammars);
    const absent = { ...asked.questions.relation[0]!, kind: 'absent' as const, evidence: [] };
    const group = groupOf(asked, absent, 0, 300, countTokens);
    expect(groupOf(asked, absent, 0, 300, countTokens)).toEqual(group);
    const length = group.documents.reduce((sum, { text }) => sum + countTokens(text), 0);
    expect(length).toBeGreaterThan(200);
    expect(length).toBeLessThan(400);
    const texts = group.questions.map(({ kind, evidence }) => [
      kind,
      ...evidence.flatMap(({ path, lines }) => {
        const all = group.documents.find((document) => document.path === path)!.text.split('\n');
        return lines.map((line) => all[line - 1]!.trim());
      }),
    ]);
    expect(texts.at(-1)).toEqual(['absent']);
    expect(texts.find(([kind]) => kind === 'description')).toEqual(['description', 'def save(self, row):']);
  });
});

describe('ways', () => {
  const parts = {
    ...{ documents: sources, question: 'Who uses check_row?', tokenBudget: 100 },
    ...{ countTokens, evidenceHeads: null },
  };
  const textsOf = async (name: (typeof wayNames)[number]): Promise<string[]> =>
    (await wayOf(name).read(parts)).passages.map(passageText);

  it.each(['head', 'tail', 'bm25', 'bm25First'] as const)(
    '%s fills the budget and not more',
    async (name) => {
      const tokens = countTokens((await textsOf(name)).join(''));
      expect(tokens).toBeLessThanOrEqual(100);
      expect(tokens).toBeGreaterThan(70);
    },
  );

  it('put the best last or first, the beginning or the end', async () => {
    const bm25 = await textsOf('bm25');
    expect(bm25).toEqual((await textsOf('bm25First')).reverse());
    expect(bm25.at(-1)).toContain('check_row');
    expect((await textsOf('head'))[0]).toContain('File first.py, lines 1-');
    expect((await textsOf('tail')).at(-1)).toContain('const filler199');
    expect(await textsOf('nothing')).toEqual([]);
    expect(await textsOf('everything')).toHaveLength(2);
  });

  it('read as the product does: the best within its limit, or everything', async () => {
    const text = Array.from({ length: 1500 }, (_, n) => `const filler${n} = ${n};`).join('\n');
    const long = { ...parts, documents: [{ workspace: 'w', path: 'filler.ts', text }, ...sources] };
    const read = async (name: 'default' | 'allRead'): Promise<string> =>
      (await wayOf(name).read(long)).passages.map(passageText).join('');
    const [byDefault, all] = [await read('default'), await read('allRead')];
    expect(countTokens(byDefault)).toBeLessThanOrEqual(defaultLimit(100));
    expect(byDefault).toContain('check_row');
    expect(all).toContain('const filler1499');
    expect(countTokens(all)).toBeGreaterThan(defaultLimit(100));
  });
});

describe('rows', () => {
  const row = (given: Partial<QualityRow>): QualityRow => ({
    ...{ date: '2026-11-24', model: 'm', device: 'd', package: 'p', kind: 'fact', question: 'q', round: 0 },
    ...{ way: 'nothing', budget: 0, readingTokens: 900, documentTokens: 900, seenTokens: 0, nll: 4 },
    ...{ exact: false, chosen: null, lineRecall: 0, fileRecall: 0, focus: 0.01, place: null },
    ...given,
  });
  const measured = (['fact', 'description', 'relation'] as const).flatMap((kind) =>
    wayNames.flatMap((way) =>
      way === 'nothing' || way === 'everything'
        ? [row({ kind, way, nll: way === 'nothing' ? 4 : 2, lineRecall: way === 'nothing' ? 0 : 1 })]
        : [128, 256].map((budget) =>
            row({ kind, way, budget, nll: way === 'head' ? 3 : 2, seenTokens: budget }),
          ),
    ),
  );

  it('come to shares of the gain, over questions that were asked in all ways', () => {
    const lone = row({ question: 'only here', way: 'head', budget: 128, nll: 9 });
    const summaries = summariesOf([...measured, lone]);
    expect(summaries.find(({ way, budget }) => way === 'head' && budget === 128)).toMatchObject({
      questions: 3,
      nll: 3,
      shareOfGain: { low: 0.5, value: 0.5, high: 0.5 },
    });
    expect(summaries.find(({ way }) => way === 'nothing')?.shareOfGain?.value).toBe(0);
  });

  it('compare the default with the best passages at each length, and over all by question', () => {
    const rows = measured.map((one) =>
      one.way === 'default' ? { ...one, nll: one.kind === 'fact' ? 0.5 : 2, lineRecall: 1 } : one,
    );
    const passages = rows.map((one) => (one.way === 'bm25' ? { ...one, lineRecall: 0.5 } : one));
    const longer = passages
      .filter(({ kind, budget }) => kind === 'fact' && budget !== 128)
      .map((one) => ({ ...one, readingTokens: 6100 }));
    const beyond = longer
      .filter(({ way }) => way !== 'everything')
      .map((one) => ({ ...one, question: 'of a long reading', readingTokens: 16_000 }));
    const parts = tablesOf([...passages, ...longer, ...beyond]).split('\n\n');
    const at = parts.findIndex((part) => part.startsWith('the default against'));
    const lines = parts[at + 1]!.split('\n').slice(2);
    const [three, six, more] = ['about 3000', 'about 6000', 'more than the window holds'];
    expect(lines.map((line) => line.split(' | ').slice(0, 3).join(', '))).toEqual([
      ...[`| ${three}, nothing, 3`, `| ${three}, everything, 3`],
      ...[`| 128 of ${three}, bm25, 3`, `| 128 of ${three}, default, 3`],
      ...[`| ${three}, nothing, 3`, `| ${three}, everything, 3`],
      ...[`| 256 of ${three}, bm25, 3`, `| 256 of ${three}, default, 3`],
      ...[`| ${six}, nothing, 1`, `| ${six}, everything, 1`],
      ...[`| 256 of ${six}, bm25, 1`, `| 256 of ${six}, default, 1`],
      ...[`| ${more}, nothing, 1`, `| 256 of ${more}, bm25, 1`, `| 256 of ${more}, default, 1`],
    ]);
    // Two of four questions are better by 1.5 nats: one with three answers, one with one, of eight answers.
    expect(parts[at + 2]).toMatch(
      /^all of these, 4 questions, 8 answers: the default is 0\.75 \(0\.00 to 1\.50\) nats better/,
    );
    expect(parts[at + 2]).toContain(
      'with 128 seen 100 % against 50 % (2.00 times, 3 answers), with 256 seen 100 %',
    );
  });

  it('compare kvpress with the default, and leave it out of the tables', () => {
    const better = measured.map((one) => (one.way === 'kvpress' ? { ...one, nll: 1.5 } : one));
    const text = tablesOf(better);
    expect(text).toContain(
      'kvpress, 128 seen, 3 questions: nats better than the default: all 0.50 (0.50 to 0.50), facts 0.50',
    );
    expect(text).not.toContain('| kvpress |');
  });

  it('of readings that no window holds have no share of a gain', () => {
    const long = measured
      .filter(({ way }) => way !== 'everything')
      .map((one) => ({ ...one, readingTokens: 32_000 }));
    expect(summariesOf(long).map(({ shareOfGain }) => shareOfGain)).not.toContainEqual(expect.anything());
    expect(summariesOf(long).find(({ way }) => way === 'default')?.overPassages?.value).toBe(0);
    const [title, lines] = tablesOf(long).split('\n\n');
    expect(title).toBe('the default against the best passages:');
    expect(lines).toContain('| 128 of more than the window holds | default | 3 | 2.00 |  | 0.00 (');
  });

  it('tell of the same fact at many depths how much the worst keeps of the best', () => {
    const at = (place: number, nll: number): QualityRow =>
      row({ kind: 'position', way: 'inFileOrder', budget: 512, place, nll, lineRecall: place });
    const nothing = row({ kind: 'position', way: 'nothing', place: 0, nll: 5 });
    expect(depthsOf([nothing, at(0, 1), at(1, 2), at(0, 3)])).toEqual([
      { package: 'p', budget: 512, places: 2, lineRecall: 1 / 3, nothing: 5, best: 2, worst: 2 },
    ]);
    expect(depthsOf([at(0, 1)])).toEqual([]);
  });

  it('tell what is absent by its focus', () => {
    const rows = [0.03, 0.02, 0.01].map((focus) => row({ way: 'default', focus }));
    const absent = [0.001, 0.015].map((focus) => row({ way: 'default', kind: 'absent', focus }));
    expect(absenceOf([...rows, ...absent])).toMatchObject({
      ...{ present: 3, absent: 2, areaUnderCurve: 5 / 6 },
      ...{ threshold: 0.02, absentBelow: 1 },
    });
    expect(absenceOf(rows)).toBeNull();
  });

  it('are right when nothing is wrong with them', () => {
    expect(wrongIn([...measured, row({ kind: 'absent', way: 'default' })])).toEqual([]);
  });

  it.each<[string, QualityRow[], RegExp]>([
    ['missing', measured.filter(({ kind }) => kind !== 'relation'), /nothing was measured of "relation"/],
    ['malformed', [...measured, row({ nll: Number.NaN })], /nothing of "q"/],
    ['beyond the budget', [...measured, row({ way: 'tail', budget: 128, seenTokens: 129 })], /tail sees 129/],
    [
      'without its evidence',
      [...measured, row({ way: 'everything', lineRecall: 0.5 })],
      /not in the reading/,
    ],
    [
      'no better than nothing',
      measured.map((one) => (one.way === 'everything' ? { ...one, nll: 5 } : one)),
      /everything read: 5, nothing read: 4/,
    ],
  ])('are wrong: %s', (_, rows, sentence) => {
    expect(wrongIn(rows).join('\n')).toMatch(sentence);
  });

  it('are drawn by way, by budget and by depth', () => {
    const depths = [0.05, 0.95].map((place) =>
      row({
        kind: 'position',
        way: 'inFileOrder',
        package: 'sources of <2048> tokens',
        place,
        nll: 1 + place,
      }),
    );
    const svg = plotsOf([...measured, ...depths])!;
    // The ways at each of two budgets, all budgets, and the depths.
    expect(svg.match(/<g /g)).toHaveLength(4);
    expect(svg).toContain('>&lt;2048&gt; tokens</text>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(plotsOf([])).toBeNull();
  });

  it('hold shares of the lines and files that answer', () => {
    const evidence = [
      { path: 'a', lines: [1, 2] },
      { path: 'b', lines: [3, 4] },
    ];
    expect(recallOf(evidence, (path, line) => path === 'a' && line === 2)).toEqual({
      lineRecall: 0.25,
      fileRecall: 0.5,
    });
    expect(recallOf([], () => true)).toEqual({ lineRecall: null, fileRecall: null });
  });
});
