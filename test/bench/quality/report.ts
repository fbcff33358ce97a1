/** What the rows come to: shares of the gain with their intervals, recall, and how well what is absent is told. */
import { meanDifference, meanRatio, type Interval } from '../recall.ts';
import { areaUnderCurve, mean } from '../summary.ts';
import { keyOf, type QualityRow } from './rows.ts';
import { wayNames, type WayName } from './ways.ts';

export interface WaySummary {
  readonly way: WayName;
  readonly budget: number;
  readonly questions: number;
  readonly nll: number;
  /**
   * (nothing - way) / (nothing - everything), of the means; with the 95 % interval over the questions. Null of readings
   * that no window holds.
   */
  readonly shareOfGain: Interval | null;
  /** Nats that the same number of tokens of the best passages by words is worse; null where they were not measured. */
  readonly overPassages: Interval | null;
  readonly exact: number;
  /** Of the questions with wrong answers. */
  readonly chosen: number;
  readonly lineRecall: number;
  readonly fileRecall: number;
  /** Document tokens that went through the model. */
  readonly documentTokens: number;
  /** Until the answer can begin, of the questions whose time was taken; NaN when none was. */
  readonly seconds: number;
}

/** Nats that everything read has to be better than nothing, for shares of the gain to mean something. */
const leastGain = 0.1;

/** Tokens of the longest reading, headers included, that is read whole, too: the default model's window is 8,192. */
export const longestWhole = 7500;

/** Kinds with a right answer that is in some lines of a package. */
export const answeredKinds = ['fact', 'description', 'relation'] as const;

/** Compared with the default alone, since they are measured on fewer questions. */
const besides: readonly WayName[] = ['kvpress', 'allRead'];

/** What the default is compared with at every length and number of tokens seen that were measured. */
const compared: readonly WayName[] = ['nothing', 'everything', 'bm25', 'default'];

/** Lengths of readings that are told apart, in tokens. */
const lengthStep = 3000;

/** One entry for each way and budget, over the questions that were asked in all of the ways of that budget. */
export function summariesOf(rows: readonly QualityRow[]): WaySummary[] {
  return [0, ...numbersOf(rows, budgetOf)].flatMap((budget) => {
    const of = (way: WayName): Map<string, QualityRow> =>
      new Map(
        rows
          .filter((row) => row.way === way && (row.budget === budget || row.budget === 0))
          .map((row) => [questionOf(row), row]),
      );
    const [nothing, everything] = [of('nothing'), of('everything')];
    const measured = wayNames
      .map((way) => ({ way, rows: of(way) }))
      .filter(
        ({ way, rows }) =>
          !besides.includes(way) &&
          rows.size > 0 &&
          budget > 0 !== (way === 'nothing' || way === 'everything'),
      );
    const common = [...nothing.keys()].filter(
      (key) => (everything.size === 0 || everything.has(key)) && measured.every((one) => one.rows.has(key)),
    );
    if (common.length === 0) return [];
    const passages = measured.find(({ way }) => way === 'bm25');
    return measured.map(({ way, rows: byQuestion }) => {
      const own = common.map((key) => byQuestion.get(key)!);
      const gain = (others: Map<string, QualityRow>): number[] =>
        common.map((key) => nothing.get(key)!.nll - others.get(key)!.nll);
      return {
        ...{ way, budget, questions: common.length },
        nll: mean(own.map(({ nll }) => nll)),
        shareOfGain: everything.size === 0 ? null : meanRatio(gain(byQuestion), gain(everything)),
        overPassages: passages ? meanDifference(gain(byQuestion), gain(passages.rows)) : null,
        exact: mean(own.map(({ exact }) => Number(exact))),
        chosen: mean(own.flatMap(({ chosen }) => (chosen === null ? [] : [Number(chosen)]))),
        lineRecall: mean(own.flatMap(({ lineRecall }) => lineRecall ?? [])),
        fileRecall: mean(own.flatMap(({ fileRecall }) => fileRecall ?? [])),
        documentTokens: mean(own.map(({ documentTokens }) => documentTokens)),
        seconds: mean(own.flatMap(({ seconds }) => seconds ?? [])),
      };
    });
  });
}

/** How well the default's focus tells questions that are answered from those that are not, with the best threshold. */
export function absenceOf(rows: readonly QualityRow[]) {
  const own = rows.filter(({ way, kind }) => way === 'default' && kind !== 'position');
  const budgets = new Set(own.filter(({ kind }) => kind === 'absent').map(({ budget }) => budget));
  const focusOf = (isAbsent: boolean): number[] =>
    own
      .filter(({ kind, budget }) => budgets.has(budget) && (kind === 'absent') === isAbsent)
      .flatMap(({ focus }) => focus ?? []);
  const [present, absent] = [focusOf(false), focusOf(true)];
  if (present.length === 0 || absent.length === 0) return null;
  const below = (values: readonly number[], threshold: number): number =>
    mean(values.map((value) => Number(value < threshold)));
  const threshold = [...present, ...absent].sort(
    (a, b) => below(absent, b) - below(present, b) - (below(absent, a) - below(present, a)) || a - b,
  )[0]!;
  return {
    ...{ present: present.length, absent: absent.length, threshold },
    areaUnderCurve: areaUnderCurve(present, absent),
    absentBelow: below(absent, threshold),
    presentBelow: below(present, threshold),
  };
}

export interface DepthSummary {
  readonly package: string;
  readonly budget: number;
  readonly places: number;
  /** Shares of the depths at which the line is held. */
  readonly lineRecall: number;
  /** Mean NLL of nothing read, and the least and the largest of a depth's. */
  readonly nothing: number;
  readonly best: number;
  readonly worst: number;
}

/** One entry for each length: the depths at which the same fact is answered best and worst. */
export function depthsOf(rows: readonly QualityRow[]): DepthSummary[] {
  const own = rows.filter(({ kind }) => kind === 'position');
  return [...new Set(own.map((row) => row.package))].flatMap((name) => {
    const ofLength = own.filter((row) => row.package === name && row.way === 'inFileOrder');
    const nothing = own.filter((row) => row.package === name && row.way === 'nothing');
    if (ofLength.length === 0 || nothing.length === 0) return [];
    const places = [...new Set(ofLength.map(({ place }) => place))];
    const nlls = places.map((place) =>
      mean(ofLength.filter((row) => row.place === place).map(({ nll }) => nll)),
    );
    return [
      {
        ...{ package: name, budget: ofLength[0]!.budget, places: places.length },
        lineRecall: mean(ofLength.map(({ lineRecall }) => lineRecall ?? 0)),
        nothing: mean(nothing.map(({ nll }) => nll)),
        ...{ best: Math.min(...nlls), worst: Math.max(...nlls) },
      },
    ];
  });
}

/** The summaries as Markdown tables. */
export function tablesOf(rows: readonly QualityRow[]): string {
  const ofAnswered = rows.filter(({ kind }) => answeredKinds.some((name) => name === kind));
  const answered = ofAnswered.filter(({ readingTokens }) => readingTokens <= longestWhole);
  const parts = [
    tableOf('facts, descriptions and relations', answered),
    defaultAgainstPassages(ofAnswered),
    ...answeredKinds.map((kind) =>
      tableOf(
        `${kind}s`,
        answered.filter((row) => row.kind === kind),
      ),
    ),
  ];
  for (const { package: name, budget, places, lineRecall, nothing, best, worst } of depthsOf(rows)) {
    parts.push(
      `${name}, ${budget} seen, the same fact at ${places} depths: held at ${percent(lineRecall)}, NLL ` +
        `${best.toFixed(2)} at the best and ${worst.toFixed(2)} at the worst (nothing read ${nothing.toFixed(2)}), ` +
        `of whose gain the worst has ${percent((nothing - worst) / (nothing - best))}.`,
    );
  }
  parts.push(...besides.flatMap((way) => overDefault(ofAnswered, way)));
  const absence = absenceOf(rows);
  if (absence !== null) {
    const { present, absent, threshold, areaUnderCurve: area, absentBelow, presentBelow } = absence;
    parts.push(
      `focus of ${present} questions that are answered and ${absent} that are not: area under the curve ` +
        `${area.toFixed(2)}; best threshold ${threshold}, below which ${percent(absentBelow)} of the absent and ` +
        `${percent(presentBelow)} of the others lie.`,
    );
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

/** How much better than the default a way is, by kind, at each budget that both were measured at. */
function overDefault(rows: readonly QualityRow[], name: WayName): string[] {
  const ofAll = pairsOf(rows, name, 'default');
  return numbersOf(
    ofAll.map(({ row }) => row),
    budgetOf,
  ).map((budget) => {
    const pairs = ofAll.filter(({ row }) => row.budget === budget);
    const better = (kinds: readonly string[]): string => {
      const ofKinds = pairs.filter(({ row }) => kinds.includes(row.kind));
      const nlls = (of: 'row' | 'other'): number[] => ofKinds.map((pair) => pair[of].nll);
      return `${kinds.length === 1 ? `${kinds[0]}s` : 'all'} ${natsText(meanDifference(nlls('other'), nlls('row')))}`;
    };
    return (
      `${name}, ${budget} seen, ${pairs.length} questions: nats better than the default: ` +
      `${[answeredKinds, ...answeredKinds.map((kind) => [kind])].map(better).join(', ')}; ` +
      `lines ${percent(recallOf(pairs, 'row'))} against ${percent(recallOf(pairs, 'other'))}.`
    );
  });
}

/** The default and the best passages of as many tokens, by the reading's length and what is seen of it, and together. */
function defaultAgainstPassages(rows: readonly QualityRow[]): string {
  const pairs = pairsOf(rows, 'default', 'bm25');
  if (pairs.length === 0) return '';
  const lines = numbersOf(rows, lengthOf).flatMap((length) =>
    numbersOf(rows, budgetOf).flatMap((budget) => {
      const asked = new Set(
        pairs
          .filter(({ row }) => lengthOf(row) === length && row.budget === budget)
          .map(({ row }) => questionOf(row)),
      );
      const own = rows.filter(
        (row) => compared.includes(row.way) && [0, budget].includes(row.budget) && asked.has(questionOf(row)),
      );
      const name = Number.isFinite(length) ? `about ${length}` : 'more than the window holds';
      return linesOf(summariesOf(own), (seen) => `${seen === 0 ? '' : `${seen} of `}${name}`);
    }),
  );
  return [
    ...[markdownOf('the default against the best passages', 'tokens seen of those to read', lines), ''],
    togetherOf(pairs),
  ].join('\n');
}

function togetherOf(pairs: readonly Pair[]): string {
  const held = numbersOf(
    pairs.map(({ row }) => row),
    budgetOf,
  ).map((budget) => {
    const own = pairs.filter(({ row }) => row.budget === budget);
    const [ours, theirs] = [recallOf(own, 'row'), recallOf(own, 'other')];
    const times = (ours / theirs).toFixed(2);
    return `with ${budget} seen ${percent(ours)} against ${percent(theirs)} (${times} times, ${own.length} answers)`;
  });
  const better = answeredKinds
    .map((kind) => ({ kind, own: pairs.filter(({ row }) => row.kind === kind) }))
    .flatMap(({ kind, own }) => (own.length === 0 ? [] : [`${kind}s ${natsText(gainByQuestion(own))}`]));
  const questions = new Set(pairs.map(({ row }) => askedOf(row))).size;
  return (
    `all of these, ${questions} questions, ${pairs.length} answers: the default is ` +
    `${natsText(gainByQuestion(pairs))} nats better than the best passages, resampled by question ` +
    `(${better.join(', ')}); lines that answer, held: ${held.join(', ')}.`
  );
}

/**
 * How many nats the first of each pair is better. The interval draws whole questions, since the answers to one, with
 * other budgets, are much alike.
 */
function gainByQuestion(pairs: readonly Pair[]): Interval {
  const questions = new Map<string, { gain: number; answers: number }>();
  for (const { row, other } of pairs) {
    const { gain, answers } = questions.get(askedOf(row)) ?? { gain: 0, answers: 0 };
    questions.set(askedOf(row), { gain: gain + other.nll - row.nll, answers: answers + 1 });
  }
  const ofEach = [...questions.values()];
  return meanRatio(
    ofEach.map(({ gain }) => gain),
    ofEach.map(({ answers }) => answers),
  );
}

/** What is asked, of whatever reading. */
function askedOf(row: QualityRow): string {
  return [row.package, row.kind, row.question].join('\n');
}

interface Pair {
  readonly row: QualityRow;
  readonly other: QualityRow;
}

/** The same questions, of the same reading with the same budget, in two ways. */
function pairsOf(rows: readonly QualityRow[], way: WayName, otherWay: WayName): Pair[] {
  const nameOf = (row: QualityRow): string => `${row.budget} ${questionOf(row)}`;
  const others = new Map(rows.filter((row) => row.way === otherWay).map((row) => [nameOf(row), row]));
  return rows.flatMap((row) => {
    const other = row.way === way ? others.get(nameOf(row)) : undefined;
    return other === undefined ? [] : [{ row, other }];
  });
}

function recallOf(pairs: readonly Pair[], of: 'row' | 'other'): number {
  return mean(pairs.flatMap((pair) => pair[of].lineRecall ?? []));
}

/** Infinity beyond the window. */
function lengthOf({ readingTokens }: QualityRow): number {
  return readingTokens > longestWhole
    ? Infinity
    : lengthStep * Math.max(1, Math.round(readingTokens / lengthStep));
}

function budgetOf({ budget }: QualityRow): number {
  return budget;
}

/** The different ones above 0, the least first. */
function numbersOf(rows: readonly QualityRow[], of: (row: QualityRow) => number): number[] {
  return [...new Set(rows.map(of))].filter((number) => number > 0).sort((a, b) => a - b);
}

function tableOf(title: string, rows: readonly QualityRow[]): string {
  const lines = linesOf(summariesOf(rows), (seen) => (seen === 0 ? '' : String(seen)));
  return lines.length === 0 ? '' : markdownOf(title, 'tokens seen', lines);
}

/** @param nameOf what a line begins with, of the tokens seen */
function linesOf(summaries: readonly WaySummary[], nameOf: (seen: number) => string): string[] {
  const nllOf = (way: WayName): number => summaries.find((one) => one.way === way)?.nll ?? 0;
  const gains =
    summaries.some(({ way }) => way === 'everything') && nllOf('nothing') - nllOf('everything') > leastGain;
  return summaries.map((one) =>
    [
      nameOf(one.budget),
      one.way,
      String(one.questions),
      one.nll.toFixed(2),
      gains && one.shareOfGain !== null ? shareText(one.shareOfGain) : '',
      one.overPassages === null || one.way === 'bm25' ? '' : natsText(one.overPassages),
      ...[one.exact, one.chosen, one.lineRecall, one.fileRecall].map(percent),
      one.documentTokens.toFixed(0),
      Number.isNaN(one.seconds) ? '' : one.seconds.toFixed(1),
    ].join(' | '),
  );
}

function markdownOf(title: string, what: string, lines: readonly string[]): string {
  return [
    `${title}:`,
    '',
    `| ${what} | way | questions | NLL | share of the gain (95 %) | better than bm25 (95 %) | exact | right of four | lines | files | tokens read | seconds to the first token |`,
    `|${'---|'.repeat(12)}`,
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

function shareText({ low, value, high }: Interval): string {
  return `${percent(value)} (${percent(low)} to ${percent(high)})`;
}

function natsText({ low, value, high }: Interval): string {
  return `${value.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function questionOf(row: QualityRow): string {
  return keyOf({ ...row, way: 'nothing', budget: 0 });
}

function percent(share: number): string {
  return Number.isNaN(share) ? '' : `${(100 * share).toFixed(0)} %`;
}
