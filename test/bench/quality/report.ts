/** What the rows come to: shares of the gain with their intervals, recall, and how well what is absent is told. */
import { meanDifference, meanRatio, type Interval } from '../recall.ts';
import { areaUnderCurve } from '../summary.ts';
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

/** What the compressions are told apart by. */
const compressions = [4, 6, 8, 12, 16, 32, 64];

/** Ways that all readings, shorter and longer, were measured in. */
const ofCompression: readonly WayName[] = ['nothing', 'everything', 'bm25', 'default'];

/** One entry for each way and budget, over the questions that were asked in all of the ways of that budget. */
export function summariesOf(rows: readonly QualityRow[]): WaySummary[] {
  const budgets = [...new Set(rows.map(({ budget }) => budget).filter((budget) => budget > 0))].sort(
    (a, b) => a - b,
  );
  return [0, ...budgets].flatMap((budget) => {
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
    tableOf(
      'the best passages and the default by compression',
      answered.filter(({ way }) => ofCompression.includes(way)).map(byCompression),
      'compression',
    ),
    ...answeredKinds.map((kind) =>
      tableOf(
        `${kind}s`,
        answered.filter((row) => row.kind === kind),
      ),
    ),
    tableOf(
      'readings that the window does not hold',
      ofAnswered.filter(({ readingTokens }) => readingTokens > longestWhole),
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
  const own = rows.filter(({ way }) => way === name);
  return [...new Set(own.map(({ budget }) => budget))].flatMap((budget) => {
    const ofDefault = new Map(
      rows
        .filter((row) => row.way === 'default' && row.budget === budget)
        .map((row) => [questionOf(row), row]),
    );
    const pairs = own.flatMap((row) => {
      const other = row.budget === budget ? ofDefault.get(questionOf(row)) : undefined;
      return other === undefined ? [] : [{ row, other }];
    });
    const better = (kinds: readonly string[]): string => {
      const ofKinds = pairs.filter(({ row }) => kinds.includes(row.kind));
      const nlls = (of: 'row' | 'other'): number[] => ofKinds.map((pair) => pair[of].nll);
      return `${kinds.length === 1 ? `${kinds[0]}s` : 'all'} ${natsText(meanDifference(nlls('other'), nlls('row')))}`;
    };
    if (pairs.length === 0) return [];
    const recall = (of: 'row' | 'other'): number => mean(pairs.flatMap((pair) => pair[of].lineRecall ?? []));
    return [
      `${name}, ${budget} seen, ${pairs.length} questions: nats better than the default: ` +
        `${[answeredKinds, ...answeredKinds.map((kind) => [kind])].map(better).join(', ')}; ` +
        `lines ${percent(recall('row'))} against ${percent(recall('other'))}.`,
    ];
  });
}

/** How many times as much was read as is seen, about, in place of the budget. */
function byCompression(row: QualityRow): QualityRow {
  if (row.budget === 0) return row;
  const distance = (one: number): number => Math.abs(Math.log((one * row.budget) / row.readingTokens));
  const nearest = compressions.reduce((best, one) => (distance(one) < distance(best) ? one : best));
  return { ...row, budget: nearest };
}

/** @param what of the first column */
function tableOf(title: string, rows: readonly QualityRow[], what = 'tokens seen'): string {
  const summaries = summariesOf(rows);
  if (summaries.length === 0) return '';
  const nllOf = (way: WayName): number => summaries.find((one) => one.way === way)?.nll ?? 0;
  const gains =
    summaries.some(({ way }) => way === 'everything') && nllOf('nothing') - nllOf('everything') > leastGain;
  const lines = summaries.map((one) =>
    [
      one.budget === 0 ? '' : String(one.budget),
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

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
