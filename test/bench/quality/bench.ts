/**
 * `npm run bench -- quality`: how good answers are within a number of tokens, against what a user would do instead, on
 * packages as the registries carry them. Rows are written as they are measured, and those that are there are kept.
 */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { LoadedEngine } from '../../../extension/engine/loadedEngine.ts';
import { loadEngine } from '../likelihood.ts';
import { productModel, type ProductModel } from '../productModel.ts';
import { groupOf, type Group } from './groups.ts';
import { Kvpress } from './kvpress.ts';
import { measureGroup } from './measure.ts';
import { packages, sourcesOf } from './packages.ts';
import { plotsOf } from './plots.ts';
import { positionGroups } from './positions.ts';
import { kindNames, questionsOf, writtenFacts, type Question, type QuestionedPackage } from './questions.ts';
import { longestWhole, tablesOf } from './report.ts';
import { keyOf, readRows, writeRows, type QualityRow } from './rows.ts';
import { wrongIn } from './wrongRows.ts';
import { grammars, wayNames } from './ways.ts';

const resultsPath = 'test/bench/results/quality.json';
const plotsPath = 'media/quality.svg';

/** Of the short form. */
const short = {
  ...{ only: 'fact,description,relation,absent', packages: 'httpx' },
  ...{ rounds: '1', budgets: '96', reading: '400' },
};

/** A fact at all depths of all lengths takes as long as a question to each package. */
const roundsPerPosition = 3;

export const usage = `npm run bench -- quality [options]
  --only NAMES      of ${kindNames.join(', ')}; default: all
  --ways NAMES      of ${wayNames.join(', ')}; default: all
  --budgets N,N     tokens that generation sees; default 512,1024, which takes 4 hours
  --packages NAMES  their beginnings, of ${packages.map(({ name }) => name).join(', ')}; default: all
  --rounds N        questions of each kind to each package; default 3
  --first-round N   leaves out so many of them; default 0
  --reading N       tokens of what is read of a package; default 6000; not whole beyond ${longestWhole}
  --seconds N       stops after so long; the next run goes on from there
  --times           keeps how long it took; for a machine that does nothing else
  --short           a few questions, not kept; fails when they do not come out as they have to
  --report          no measurement, only what is there
  --kvpress PYTHON  measures that way, too, with the packages that quality/finchPress.py names
  --model PATH`;

export async function qualityBench(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{
        only: text,
        ways: text,
        budgets: text,
        packages: text,
        rounds: text,
        'first-round': text,
        reading: text,
        seconds: text,
      },
      ...{ model: text, kvpress: text, times: flag, short: flag, report: flag },
    },
  });
  const model = await productModel(values.model, 'cpu');
  const rows = values.short ? [] : readRows(resultsPath);
  if (!values.report) await measure(model, rows, { ...(values.short ? short : {}), ...values });
  const own = rows.filter((row) => row.model === basename(model.file));
  console.log(tablesOf(own));
  if (!values.short) {
    const plots = plotsOf(own);
    if (plots !== null) writeFileSync(plotsPath, plots);
    return;
  }
  const wrong = wrongIn(own);
  if (wrong.length > 0) throw new Error(`What came out is wrong:\n${wrong.join('\n')}`);
}

interface Options {
  readonly only?: string;
  readonly ways?: string;
  readonly budgets?: string;
  readonly packages?: string;
  readonly rounds?: string;
  readonly 'first-round'?: string;
  readonly reading?: string;
  readonly seconds?: string;
  readonly kvpress?: string;
  readonly times: boolean;
  readonly short: boolean;
}

async function measure({ file, path }: ProductModel, rows: QualityRow[], options: Options): Promise<void> {
  const model = basename(file);
  const weights = path === file ? {} : ({ weights: 'q8_0' } as const);
  const have = new Set(rows.filter((row) => row.model === model).map(keyOf));
  const deadline = performance.now() + 1000 * Number(options.seconds ?? 'Infinity');
  const kvpress = options.kvpress === undefined ? null : new Kvpress(options.kvpress, file);
  const wanted = {
    kvpress,
    kinds: named(kindNames, options.only),
    ways: named(wayNames, options.ways),
    budgets: (options.budgets ?? '512,1024').split(',').map(Number),
  };
  const engine = loadEngine(path, 'cpu');
  try {
    for await (const group of groupsOf(engine, options, wanted.kinds.includes('position'))) {
      const measured = measureGroup(engine, group, wanted, (key) => !have.has(keyOf(key)));
      for await (const { seconds, ...row } of measured) {
        const date = new Date().toISOString().slice(0, 10);
        const times = options.times ? { seconds } : {};
        rows.push({ date, model, ...weights, device: engine.deviceName, ...row, ...times });
        if (!options.short) writeRows(resultsPath, rows);
        const { package: name, kind, way, budget, nll, question } = row;
        console.log([name, kind, way, budget, nll.toFixed(2), question].join('  '));
        if (performance.now() > deadline) return;
      }
    }
  } finally {
    engine.dispose();
    kvpress?.dispose();
  }
}

/** A question of each kind to every package before the next ones. */
async function* groupsOf(engine: LoadedEngine, options: Options, positions: boolean): AsyncGenerator<Group> {
  const countTokens = (text: string): number => engine.model.tokenize(text, { special: false }).length;
  const rounds = Number(options.rounds ?? 3);
  const asked: QuestionedPackage[] = [];
  for (const one of packages) {
    const isWanted = options.packages?.split(',').some((begin) => one.name.startsWith(begin)) ?? true;
    if (isWanted) asked.push(await questionsOf(one.name, await sourcesOf(one), grammars));
  }
  for (let round = Number(options['first-round'] ?? 0); round < rounds; round++) {
    for (const one of asked) {
      const absent = factOfAnother(one.name, round);
      yield groupOf(one, absent, round, Number(options.reading ?? 6000), countTokens);
    }
  }
  if (positions) yield* positionGroups(Math.ceil(rounds / roundsPerPosition), countTokens);
}

/** What no file of the package says. */
function factOfAnother(name: string, round: number): Question {
  const own = packages.findIndex((one) => one.name === name);
  const other = packages[(own + 1) % packages.length]!.name;
  const facts = writtenFacts().filter((fact) => fact.package === other);
  const { question, lead, answer } = facts[(round + 2) % facts.length]!;
  return { kind: 'absent', question, lead, answer, wrong: [], evidence: [] };
}

function named<T extends string>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((one) => one === name);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}.`);
    return found;
  });
}
