/** The plots of the quality bench: the gain of each way, by budget, and by the depth of what is asked for. */
import { mean } from '../summary.ts';
import { answeredKinds, longestWhole, summariesOf, type WaySummary } from './report.ts';
import type { QualityRow } from './rows.ts';
import { svgOf, type Bars, type Plot, type Series } from './svg.ts';
import { wayNames } from './ways.ts';

/** Null when there is nothing to draw. */
export function plotsOf(rows: readonly QualityRow[]): string | null {
  const plots = [...waysPlots(rows), gainPlot(rows), positionPlot(rows)].filter((plot) => plot !== null);
  return plots.length === 0 ? null : svgOf(plots);
}

function waysPlots(rows: readonly QualityRow[]): Bars[] {
  const summaries = answeredSummaries(rows);
  const budgets = [...new Set(summaries.map(({ budget }) => budget))].filter((budget) => budget > 0);
  return budgets.map((budget) => {
    const own = summaries.filter((one) => one.budget === budget);
    const bars = own.flatMap(({ way, shareOfGain }) =>
      shareOfGain === null ? [] : [{ name: way, ...shareOfGain }],
    );
    return {
      title: `Share of the gain of reading everything, ${budget} tokens seen, ${own[0]!.questions} questions`,
      ticks: sharesAround(bars.flatMap(({ low, high }) => [low, high])),
      tickText: percent,
      bars,
    };
  });
}

function answeredSummaries(rows: readonly QualityRow[]): WaySummary[] {
  return summariesOf(
    rows.filter(
      ({ kind, readingTokens }) =>
        readingTokens <= longestWhole && answeredKinds.some((name) => name === kind),
    ),
  );
}

function gainPlot(rows: readonly QualityRow[]): Plot | null {
  const summaries = answeredSummaries(rows);
  const budgets = [...new Set(summaries.map(({ budget }) => budget))].filter((budget) => budget > 0);
  if (budgets.length < 2) return null;
  const series: Series[] = wayNames.map((way) => ({
    name: way,
    points: summaries
      .filter((one) => one.way === way && one.budget > 0)
      .flatMap(({ budget, shareOfGain }) =>
        shareOfGain === null ? [] : [{ x: budget, y: shareOfGain.value }],
      ),
  }));
  const drawn = series.filter(({ points }) => points.length > 0);
  return {
    title: 'Share of the gain of reading everything, in NLL of the answer',
    xLabel: 'document tokens that the answer sees',
    yLabel: 'share of the gain',
    xTicks: budgets,
    logarithmic: true,
    yTicks: sharesAround(drawn.flatMap(({ points }) => points.map(({ y }) => y))),
    tickText: percent,
    series: drawn,
  };
}

function positionPlot(rows: readonly QualityRow[]): Plot | null {
  const own = rows.filter(({ kind, way }) => kind === 'position' && way === 'inFileOrder');
  const series = [...new Set(own.map((row) => row.package))].map((name) => {
    const ofLength = own.filter((row) => row.package === name);
    const places = [...new Set(ofLength.map(({ place }) => place ?? 0))].sort((a, b) => a - b);
    return {
      name: name.replace('sources of ', ''),
      points: places.map((place) => ({
        x: place * 100,
        y: mean(ofLength.filter((row) => row.place === place).map(({ nll }) => nll)),
      })),
    };
  });
  const drawn = series.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return null;
  const top = Math.ceil(Math.max(...drawn.flatMap(({ points }) => points.map(({ y }) => y))));
  return {
    title: 'NLL of a planted fact by its depth',
    xLabel: 'depth, per cent of the reading',
    yLabel: 'NLL of the answer',
    xTicks: [0, 25, 50, 75, 100],
    yTicks: Array.from({ length: top + 1 }, (_, tick) => tick),
    logarithmic: false,
    tickText: String,
    series: drawn,
  };
}

/** Of the axis: intervals of few questions reach beyond them. */
const [leastShare, mostShare] = [-1, 2];

/** Ticks, a quarter apart, around 0, 1 and the values. */
function sharesAround(values: readonly number[]): number[] {
  const low = Math.floor(4 * Math.max(leastShare, Math.min(0, ...values)));
  const high = Math.ceil(4 * Math.min(mostShare, Math.max(1, ...values)));
  return Array.from({ length: high - low + 1 }, (_, i) => (low + i) / 4);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
