/** The figures that rows of planted facts come to. */
import type { Measured } from './measureFacts.ts';

type Row = Pick<Measured, 'document' | 'fact' | 'cache' | 'nll' | 'place' | 'focus'>;

export interface CacheSummary {
  readonly cache: string;
  readonly facts: number;
  /** Means over the facts. */
  readonly nll: number;
  readonly nothing: number;
  readonly everything: number;
  /** (nothing - nll) / (nothing - everything), of the means: 1 is as good as reading everything. */
  readonly shareOfGain: number;
  /** Share of the facts whose NLL is closer to "everything" than to "nothing", or below both. */
  readonly closer: number;
}

/** One entry for each cache, over the facts that were also measured with nothing and with everything. */
export function summaries(rows: readonly Row[]): CacheSummary[] {
  const at = (cache: string): Map<string, number> =>
    new Map(rows.filter((row) => row.cache === cache).map((row) => [`${row.document} ${row.fact}`, row.nll]));
  const nothing = at('nothing');
  const everything = at('everything');
  const names = [...new Set(rows.map(({ cache }) => cache))];
  return names.flatMap((cache) => {
    const triples = [...at(cache)].flatMap(([key, nll]) => {
      const n = nothing.get(key);
      const e = everything.get(key);
      return n === undefined || e === undefined ? [] : [{ nll, n, e }];
    });
    if (triples.length === 0) return [];
    const [nll, n, e] = [
      mean(triples.map((t) => t.nll)),
      mean(triples.map((t) => t.n)),
      mean(triples.map((t) => t.e)),
    ];
    const closer = mean(triples.map((t) => Number(isCloser(t.nll, t.n, t.e))));
    return [
      {
        cache,
        facts: triples.length,
        nll,
        nothing: n,
        everything: e,
        shareOfGain: (n - nll) / (n - e),
        closer,
      },
    ];
  });
}

/** Whether an NLL is closer to "everything" than to "nothing"; one below both is. */
export function isCloser(nll: number, nothing: number, everything: number): boolean {
  return nll <= Math.min(nothing, everything) || Math.abs(nll - everything) < Math.abs(nll - nothing);
}

/** How well a score tells one set from another: the chance that one of `high` exceeds one of `low`, ties by half. */
export function areaUnderCurve(high: readonly number[], low: readonly number[]): number {
  return mean(high.flatMap((h) => low.map((l) => (h > l ? 1 : h === l ? 0.5 : 0))));
}

/** The summary as lines for people. */
export function summarize(rows: readonly Row[]): string {
  const lines = ['cache         facts   NLL  (nothing, everything)  share of gain  closer to everything'];
  for (const s of summaries(rows)) {
    const range = `(${s.nothing.toFixed(2)}, ${s.everything.toFixed(2)})`;
    lines.push(
      `${s.cache.padEnd(12)}  ${String(s.facts).padStart(5)}  ${s.nll.toFixed(2)}  ${range.padEnd(21)}` +
        `  ${percent(s.shareOfGain).padStart(13)}  ${percent(s.closer).padStart(6)}`,
    );
  }
  const long = rows.filter(({ document }) => document === 'long');
  for (const cache of new Set(long.map((row) => row.cache))) {
    const nll = long.filter((row) => row.cache === cache).map((row) => row.nll);
    lines.push(`${cache.padEnd(12)}  ${String(nll.length).padStart(5)}  ${mean(nll).toFixed(2)}`);
  }
  const focusOf = (cache: string): number[] =>
    rows.flatMap((row) => (row.cache === cache && row.focus !== null ? [row.focus] : []));
  const [present, absent] = [focusOf('default'), focusOf('absent')];
  if (present.length > 0 && absent.length > 0) {
    lines.push(
      `focus of the attention on one line: present ${spread(present)}, absent ${spread(absent)}, ` +
        `area under the curve ${areaUnderCurve(present, absent).toFixed(2)}`,
    );
  }
  return lines.join('\n');
}

/** The 10th, 50th and 90th percentile. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.1, 0.5, 0.9].map((q) => sorted[Math.round(q * (sorted.length - 1))]!.toFixed(3)).join(' / ');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
