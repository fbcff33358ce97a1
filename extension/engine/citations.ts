/** Finding the places that an answer cites, and checking that they are among what was read. */
import type { Citation, Passage } from '../protocol/nouns.ts';
import type { WeighedEvidence } from './evidence.ts';

/** Citations added from the evidence to an answer that has none. */
const citationsFromEvidence = 3;

/**
 * The citations of an answer. One whose file was not read is dropped; a shortened path is completed when only one file
 * ends so; lines outside of what was read of the file are corrected to the best evidence in it, or dropped.
 * An answer without any gets the ranges to which the question attends most, marked `evidence`.
 */
export function citationsOf(
  text: string,
  passages: readonly Passage[],
  evidence: readonly WeighedEvidence[],
): Citation[] {
  const found = new Map<string, Citation>();
  for (const { path, startLine, endLine } of citedPlaces(text)) {
    const citation = checkPlace(path, startLine, endLine, passages, evidence);
    if (citation !== null)
      found.set(`${citation.workspace}\n${citation.path}:${citation.startLine}`, citation);
  }
  if (found.size > 0) return [...found.values()];
  return [...evidence]
    .sort((a, b) => b.attention - a.attention || b.weight - a.weight)
    .slice(0, citationsFromEvidence)
    .map(({ workspace, path, startLine, endLine }) => ({
      workspace,
      path,
      startLine,
      endLine,
      source: 'evidence',
    }));
}

interface CitedPlace {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}

/** `src/a.ts:12`, `src/a.ts:12-20`, `src/a.ts, lines 12-20`, `src/a.ts#L12-L20`. */
const placePattern =
  /(?<path>[\p{L}\p{N}_@$+./\\-]*[\p{L}\p{N}_])(?::|#L|,? lines? )(?<start>\d{1,7})(?:\s?[-–]\s?L?(?<end>\d{1,7}))?/gu;

function citedPlaces(text: string): CitedPlace[] {
  return Array.from(text.matchAll(placePattern), ({ groups }) => {
    const startLine = Number(groups!['start']);
    const endLine = Math.max(startLine, Number(groups!['end'] ?? startLine));
    const path = groups!['path']!.replaceAll('\\', '/').replace(/^(\.\/|\/)+/, '');
    return { path, startLine, endLine };
  });
}

function checkPlace(
  path: string,
  startLine: number,
  endLine: number,
  passages: readonly Passage[],
  evidence: readonly WeighedEvidence[],
): Citation | null {
  const file = fileNamed(path, passages);
  if (file === null) return null;
  const inFile = (place: { workspace: string; path: string }): boolean =>
    place.workspace === file.workspace && place.path === file.path;
  const holder = passages.find((p) => inFile(p) && p.startLine <= startLine && startLine <= p.endLine);
  if (holder !== undefined) {
    return { ...file, startLine, endLine: Math.min(endLine, holder.endLine), source: 'answer' };
  }
  const best = evidence.filter(inFile).sort((a, b) => b.attention - a.attention || b.weight - a.weight)[0];
  return best === undefined
    ? null
    : { ...file, startLine: best.startLine, endLine: best.endLine, source: 'answer' };
}

function fileNamed(path: string, passages: readonly Passage[]): { workspace: string; path: string } | null {
  const files = new Map(
    passages.map((p) => [`${p.workspace}\n${p.path}`, { workspace: p.workspace, path: p.path }]),
  );
  const all = [...files.values()];
  const exact = all.filter((file) => file.path === path || `${file.workspace}/${file.path}` === path);
  const matches = exact.length > 0 ? exact : all.filter((file) => file.path.endsWith(`/${path}`));
  return matches.length === 1 ? matches[0]! : null;
}
