/** A workspace as the engine's index knows it: how its files are cut, which are indexed, and what the index says of them. */
import type { AskEngine } from './ask.ts';
import type { IndexedFile, RankParams } from './protocol/engine.ts';
import type { SourceDocument } from './protocol/nouns.ts';
import { CHUNK_PASSAGES, splitPassages, type PassageSpan } from './retrieval/passages.ts';
import type { AttentionScores, RankedPassage } from './retrieval/ranking.ts';
import { textHash } from './textHash.ts';

/** A file of the workspace, cut into chunks; its text is not held. */
export interface ChunkedFile extends IndexedFile {
  readonly workspace: string;
}

/** The chunks of a document that are read into the index one by one. */
export function chunkSpans(document: SourceDocument): PassageSpan[] {
  return splitPassages(document, CHUNK_PASSAGES);
}

export function chunkedFile(document: SourceDocument): ChunkedFile {
  const { workspace, path, text } = document;
  const chunkStarts = chunkSpans(document).map(({ startLine }) => startLine);
  return { workspace, path, textHash: textHash(text), chunkStarts };
}

/**
 * What the model's attention finds in the index for a question.
 * @param ranked by words, best first: where the index is very large, only the likelier files are looked at
 * @returns null when nothing is indexed
 * @throws AskError what the engine throws
 */
export async function rankByIndex(
  engine: AskEngine,
  asked: Omit<RankParams, 'files'>,
  chunked: readonly ChunkedFile[],
  ranked: readonly RankedPassage[],
  signal: AbortSignal,
): Promise<AttentionScores | null> {
  const byPlace = new Map(chunked.map((file) => [placeOf(file), file]));
  // A set keeps the place of what was added first.
  const ordered = [...new Set(ranked.map(placeOf))].flatMap((place) => byPlace.get(place) ?? []);
  const files = ordered.map(({ path, textHash, chunkStarts }) => ({ path, textHash, chunkStarts }));
  const { scores } = await engine.request('rank', { ...asked, files }, signal);
  const scoresOf = new Map(ordered.map((file, index) => [placeOf(file), { file, scores: scores[index] }]));
  if (scores.every((own) => own === null)) return null;
  return (place, line) => {
    const indexed = scoresOf.get(placeOf(place));
    const chunk = indexed?.file.chunkStarts.findLastIndex((start) => start <= line);
    return (chunk === undefined ? undefined : indexed?.scores?.[chunk]) ?? NaN;
  };
}

function placeOf({ workspace, path }: { readonly workspace: string; readonly path: string }): string {
  return `${workspace}\n${path}`;
}
