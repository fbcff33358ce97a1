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
  /** (nothing - way) / (nothing - everything), of the means; with the 95 % interval over the questions. */
  readonly shareOfGain: Interval;
  /** Nats that the same number of tokens of the best passages by words is worse; null where they were not measured. */
  readonly overPassages: Interval | null;
  readonly exact: number;
  /** Of the questions with wrong answers. */
  readonly chosen: number;
  readonly lineRecall: number;
  readonly fileRecall: number;
}

/** Nats that everything read has to be better than nothing, for shares of the gain to mean something. */
const leastGain = 0.1;

/** Kinds with a right answer that is in some lines of a package. */
export const answeredKinds = ['fact', 'description', 'relation'] as const;

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
      .filter(({ way, rows }) => rows.size > 0 && budget > 0 !== (way === 'nothing' || way === 'everything'));
    const common = [...nothing.keys()].filter(
      (key) => everything.has(key) && measured.every((one) => one.rows.has(key)),
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
        shareOfGain: meanRatio(gain(byQuestion), gain(everything)),
        overPassages: passages ? meanDifference(gain(byQuestion), gain(passages.rows)) : null,
        exact: mean(own.map(({ exact }) => Number(exact))),
        chosen: mean(own.flatMap(({ chosen }) => (chosen === null ? [] : [Number(chosen)]))),
        lineRecall: mean(own.flatMap(({ lineRecall }) => lineRecall ?? [])),
        fileRecall: mean(own.flatMap(({ fileRecall }) => fileRecall ?? [])),
      };
    });
  });
}

/** How well the focus tells questions that are answered from those that are not, with the best threshold. */
export function absenceOf(rows: readonly QualityRow[]) {
  const focusOf = (isAbsent: boolean): number[] =>
    rows
      .filter(({ way, kind }) => way === 'default' && kind !== 'position' && (kind === 'absent') === isAbsent)
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

/** The summaries as Markdown tables. */
export function tablesOf(rows: readonly QualityRow[]): string {
  const answered = rows.filter(({ kind }) => answeredKinds.some((name) => name === kind));
  const parts = [
    tableOf('facts, descriptions and relations', answered),
    ...answeredKinds.map((kind) =>
      tableOf(
        `${kind}s`,
        answered.filter((row) => row.kind === kind),
      ),
    ),
  ];
  const absence = absenceOf(rows);
  if (absence !== null) {
    const { present, absent, threshold, areaUnderCurve: area, absentBelow, presentBelow } = absence;
    parts.push(
      `Focus of ${present} questions that are answered and ${absent} that are not: area under the curve ` +
        `${area.toFixed(2)}; best threshold ${threshold}, below which ${percent(absentBelow)} of the absent and ` +
        `${percent(presentBelow)} of the others lie.`,
    );
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

function tableOf(title: string, rows: readonly QualityRow[]): string {
  const summaries = summariesOf(rows);
  if (summaries.length === 0) return '';
  const nllOf = (way: WayName): number => summaries.find((one) => one.way === way)?.nll ?? 0;
  const gains = nllOf('nothing') - nllOf('everything') > leastGain;
  const lines = summaries.map((one) =>
    [
      one.budget === 0 ? '' : String(one.budget),
      one.way,
      String(one.questions),
      one.nll.toFixed(2),
      gains ? shareText(one.shareOfGain) : '',
      one.overPassages === null || one.way === 'bm25' ? '' : natsText(one.overPassages),
      ...[one.exact, one.chosen, one.lineRecall, one.fileRecall].map(percent),
    ].join(' | '),
  );
  return [
    `${title}:`,
    '',
    '| tokens seen | way | questions | NLL | share of the gain (95 %) | better than bm25 (95 %) | exact | right of four | lines | files |',
    `|${'---|'.repeat(10)}`,
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
