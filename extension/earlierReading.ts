/** What was read for an answer, written down so that it can be gone on with, and seen to have changed. */
import { isAbsolute, join, relative } from 'node:path';
import type { AskRequest } from './ask.ts';
import type { ReadingChoice } from './chooseReading.ts';
import type { ReadFile, ReadingRecord } from './protocol/conversation.ts';
import type { Passage, SkippedFile } from './protocol/nouns.ts';
import { passageOf } from './retrieval/lines.ts';
import { textHash } from './textHash.ts';
import type { FoundFile, WorkspaceFolder } from './workspace/findFiles.ts';
import { isSkipped, type readSourceDocuments } from './workspace/readSourceDocument.ts';

/** @param coverage of which `skipped` is all that was left out */
export function recordReading(
  request: AskRequest,
  { passages, fileHashes, everything, filesRead, tokens }: ReadingChoice,
  { filesFound, skipped }: { readonly filesFound: number; readonly skipped: readonly SkippedFile[] },
): ReadingRecord {
  const files: ReadFile[] = [];
  const indexOf = new Map<string, number>();
  const places = passages.map(({ workspace, path, startLine, endLine }) => {
    const key = `${workspace}\n${path}`;
    const index = indexOf.get(key) ?? files.length;
    if (index === files.length) {
      files.push({ workspace, path, hash: fileHashes.get(key) ?? '' });
      indexOf.set(key, index);
    }
    return [index, startLine, endLine] as const;
  });
  const previousQuestion = request.history.at(-1)?.question;
  return {
    question: request.question,
    ...(previousQuestion === undefined ? {} : { previousQuestion }),
    ...scopeOf(request),
    tokens,
    everything,
    files,
    passages: places,
    coverage: { filesFound, filesRead, skipped },
  };
}

/** Whether a question may be answered from what was read under another: it asks for the same folders, pins and limit. */
export function hasSameScope(request: AskRequest, record: ReadingRecord): boolean {
  const { folders, pins, readingLimit } = record;
  // A follow-up without pins of its own is about what was read.
  const wanted = scopeOf(request.pins.length === 0 ? { ...request, pins } : request);
  const had = { folders, pins, ...(readingLimit === undefined ? {} : { readingLimit }) };
  return JSON.stringify(wanted) === JSON.stringify(had);
}

/** Whether the reading was made under this very question. */
export function isUnderQuestion(request: AskRequest, record: ReadingRecord): boolean {
  return record.question === request.question && record.previousQuestion === request.history.at(-1)?.question;
}

export interface ReadAgain {
  /** In reading order, as they were; empty when a file has changed. */
  readonly passages: readonly Passage[];
  /** Files whose text is not what it was, or that cannot be read any more. */
  readonly changed: readonly ReadFile[];
}

/**
 * The passages of an earlier reading, from the files as they are now.
 * @throws AskError cancelled
 */
export async function readPassagesAgain(
  record: Pick<ReadingRecord, 'files' | 'passages'>,
  folders: readonly WorkspaceFolder[],
  readDocuments: typeof readSourceDocuments,
  signal: AbortSignal,
): Promise<ReadAgain> {
  const changed: ReadFile[] = [];
  const passages: Passage[] = [];
  const found = record.files.map((file) => findFile(file, folders));
  const here = found.filter((file) => file !== undefined);
  const placesOf = record.files.map((): { order: number; startLine: number; endLine: number }[] => []);
  record.passages.forEach(([inFile, startLine, endLine], order) => {
    placesOf[inFile]?.push({ order, startLine, endLine });
  });
  const texts = readDocuments(here, { signal });
  for (const [index, file] of record.files.entries()) {
    const document = found[index] === undefined ? undefined : (await texts.next()).value;
    if (document === undefined || isSkipped(document) || textHash(document.text) !== file.hash) {
      changed.push(file);
      continue;
    }
    const { workspace, path } = file;
    for (const { order, ...lines } of placesOf[index]!) {
      passages[order] = passageOf(document, { workspace, path, ...lines });
    }
  }
  return { passages: changed.length === 0 ? passages : [], changed };
}

/** A record comes from a file, so that its paths are not trusted to stay inside their folder. */
function findFile({ workspace, path }: ReadFile, folders: readonly WorkspaceFolder[]): FoundFile | undefined {
  const rootPath = folders.find(({ name }) => name === workspace)?.rootPath;
  if (rootPath === undefined) return undefined;
  const absolutePath = join(rootPath, path);
  const inside = relative(rootPath, absolutePath);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) return undefined;
  return { workspace, path, absolutePath, bytes: 0, modifiedMs: 0, askedFor: true };
}

function scopeOf({
  folders,
  pins,
  readingLimit,
}: AskRequest): Pick<ReadingRecord, 'folders' | 'pins' | 'readingLimit'> {
  return {
    folders: folders.map(({ name }) => name),
    pins,
    ...(readingLimit === undefined ? {} : { readingLimit }),
  };
}
