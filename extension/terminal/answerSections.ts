/** What stands under an answer: citations, evidence, coverage and figures. */
import type { CompletedAnswer } from '../protocol/answerEvents.ts';
import {
  skipReasonText,
  type Coverage,
  type Evidence,
  type LineRange,
  type SkippedFile,
  type SkipReason,
  type Statistics,
} from '../protocol/nouns.ts';
import { count, mebibytes, percent, plural, seconds } from './numbers.ts';
import { safeName } from './safeText.ts';

export interface SectionOptions {
  readonly heading: (text: string) => string;
  readonly severalFolders: boolean;
}

const shownEvidence = 8; // ranges
export const shownNames = 3; // names per reason of files left out
const barColumns = 10;

export type Section = readonly [title: string, lines: readonly string[]];

/** Begins with an empty line and ends with a line feed. */
export function answerSections(answer: CompletedAnswer, options: SectionOptions): string {
  return printedSections(
    [
      ['Citations', citationLines(answer, options)],
      ['Evidence: the lines that the model kept in its memory', evidenceLines(answer.evidence, options)],
      ['Coverage', coverageLines(answer.coverage, options)],
      ['Figures', figureLines(answer.statistics)],
    ],
    options.heading,
  );
}

/** Each begins with an empty line; those without lines are left out. */
export function printedSections(sections: readonly Section[], heading: SectionOptions['heading']): string {
  return sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `\n${heading(title)}\n${lines.map((line) => `  ${line}\n`).join('')}`)
    .join('');
}

/** The reason with the most files first. */
export function skippedByReason({ skipped }: Coverage): [SkipReason, SkippedFile[]][] {
  const byReason = new Map<SkipReason, SkippedFile[]>();
  for (const file of skipped) {
    const group = byReason.get(file.reason);
    if (group) group.push(file);
    else byReason.set(file.reason, [file]);
  }
  return [...byReason].sort(([, one], [, other]) => other.length - one.length);
}

export function citationLines(answer: CompletedAnswer, options: SectionOptions): string[] {
  const cited = answer.citations.map((citation) => place(citation, options));
  const notes: string[] = [];
  if (answer.citations.some(({ source }) => source === 'evidence')) {
    notes.push('(taken from the evidence, since the answer itself names no lines)');
  }
  if (answer.thinEvidence) notes.push('(little was found: take this answer with care)');
  return [...cited, ...notes];
}

function evidenceLines(evidence: readonly Evidence[], options: SectionOptions): string[] {
  const shown = evidence.slice(0, shownEvidence);
  const most = Math.max(...shown.map(({ weight }) => weight));
  const lines = shown.map((range) => {
    const filled = most > 0 ? Math.max(1, Math.round((range.weight / most) * barColumns)) : 0;
    const bar = '█'.repeat(filled) + '░'.repeat(barColumns - filled);
    return `${bar} ${percent(range.weight).padStart(5)}  ${place(range, options)}`;
  });
  const rest = evidence.slice(shownEvidence);
  if (rest.length > 0) {
    const weight = rest.reduce((sum, range) => sum + range.weight, 0);
    lines.push(
      `${' '.repeat(barColumns)} ${percent(weight).padStart(5)}  in ${plural(rest.length, 'more range')}`,
    );
  }
  return lines;
}

export function coverageLines(coverage: Coverage, options: SectionOptions): string[] {
  return [
    `Read ${count(coverage.filesRead)} of ${plural(coverage.filesFound, 'file')}.`,
    ...skippedByReason(coverage).map(([reason, files]) => {
      const names = files.slice(0, shownNames).map((file) => name(file, options));
      if (files.length > shownNames) names.push('...');
      return `Not read, ${skipReasonText[reason]}: ${count(files.length)} (${names.join(', ')})`;
    }),
  ];
}

function figureLines(figures: Statistics): string[] {
  const kept =
    figures.keptTokens >= figures.documentTokens
      ? 'all kept'
      : `${count(figures.keptTokens)} kept (budget ${count(figures.tokenBudget)})`;
  const reading =
    figures.readAt !== undefined
      ? `read before, on ${new Date(figures.readAt).toLocaleString()}`
      : `read in ${seconds(figures.prefillSeconds + figures.scoreSeconds + figures.evictSeconds)}` +
        rate(figures.prefillTokens, figures.prefillSeconds);
  const ranked = figures.reused === 'index' ? ['ranked with the index'] : [];
  return [
    ...ranked,
    `${plural(figures.documentTokens, 'token')} of source ${reading}, ${kept}`,
    `of that ${seconds(figures.scoreSeconds)} for scoring and ${seconds(figures.evictSeconds)} for eviction`,
    `${plural(figures.generatedTokens, 'token')} of answer in ${seconds(figures.generateSeconds)}` +
      rate(figures.generatedTokens, figures.generateSeconds),
    `KV cache ${mebibytes(figures.kvCacheBytes)}, engine at its largest ${mebibytes(figures.peakEngineBytes)}`,
  ];
}

function rate(tokens: number, inSeconds: number): string {
  return inSeconds > 0 ? ` (${count(tokens / inSeconds)} tokens/s)` : '';
}

function place(range: LineRange, options: SectionOptions): string {
  const lines =
    range.startLine === range.endLine ? `${range.startLine}` : `${range.startLine}-${range.endLine}`;
  return `${name(range, options)}:${lines}`;
}

function name(file: { workspace: string; path: string }, options: SectionOptions): string {
  return safeName(options.severalFolders ? `${file.workspace}/${file.path}` : file.path);
}
