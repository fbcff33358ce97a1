/** Which source lines the compressed cache holds: the evidence behind an answer. */
import type { Evidence, Passage } from '../protocol/nouns.ts';
import type { CellList } from './compression/compress.ts';
import type { DocumentTokens } from './documentTokens.ts';

/** Ranges shown at most. */
const maxEvidence = 50;
/** Lines between two kept ones that are still shown as one range. */
const maxGapLines = 2;

/** A range with its share of the kept tokens and of the question's last attention. */
export interface WeighedEvidence extends Evidence {
  /** 0 to 1: the share of the attention that the question pays to the document. */
  readonly attention: number;
}

/**
 * Ranges of kept lines, the largest share of the kept document tokens first.
 * @param lists the kept cells; with one list for each KV head, a line's share is the mean over the lists.
 * @param attention per document token, what the question paid to it at the end; empty when unknown.
 */
export function weighEvidence(
  lists: readonly Pick<CellList, 'entries'>[],
  document: DocumentTokens,
  passages: readonly Passage[],
  attention: ReadonlyMap<number, number>,
): WeighedEvidence[] {
  const lineTokens = new Float64Array(document.lines.length);
  let kept = 0;
  for (const { entries } of lists) {
    for (const entry of entries) {
      if (entry < 0) continue;
      lineTokens[document.lineOf[entry]!]!++;
      kept++;
    }
  }
  const lineAttention = new Float64Array(document.lines.length);
  let attended = 0;
  for (const [entry, value] of attention) {
    lineAttention[document.lineOf[entry]!]! += value;
    attended += value;
  }

  const ranges: { passage: number; startLine: number; endLine: number; weight: number; attention: number }[] =
    [];
  document.lines.forEach(({ passage, sourceLine }, line) => {
    if (lineTokens[line] === 0 || sourceLine === null) return;
    const weight = lineTokens[line]! / kept;
    const paid = attended === 0 ? 0 : lineAttention[line]! / attended;
    const last = ranges.at(-1);
    if (last?.passage === passage && sourceLine - last.endLine <= maxGapLines + 1) {
      last.endLine = sourceLine;
      last.weight += weight;
      last.attention += paid;
    } else ranges.push({ passage, startLine: sourceLine, endLine: sourceLine, weight, attention: paid });
  });
  return ranges
    .sort((a, b) => b.weight - a.weight)
    .slice(0, maxEvidence)
    .map(({ passage, ...range }) => ({
      workspace: passages[passage]!.workspace,
      path: passages[passage]!.path,
      ...range,
    }));
}
