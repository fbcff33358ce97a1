/** What the repository says of one symbol, and the form of it on the disk, which is checked since it may be damaged. */
import { z } from 'zod';
import type { ReadFile } from '../protocol/conversation.ts';
import type { LineRange } from '../protocol/nouns.ts';
import { textHash } from '../textHash.ts';

export interface SymbolKey {
  readonly workspace: string;
  /** Of the file that defines it; where that is not known, of the one that it was explained in. */
  readonly path: string;
  /** The symbols around it, outermost first, joined by full stops: '' at the top of a file. */
  readonly container: string;
  readonly name: string;
}

export interface Explanation extends SymbolKey {
  /** One or two sentences that a model wrote: plain text of one line, without control characters, and still not trusted. */
  readonly text: string;
  /** From the line with its name on. */
  readonly definition?: LineRange;
  readonly uses: readonly LineRange[];
  /** What it was made from: it holds as long as none of them is another. */
  readonly files: readonly ReadFile[];
  /** Milliseconds since 1970. */
  readonly madeAt: number;
}

/** A word of a text, in which file and on which line (1-based). */
export interface WordPlace {
  readonly workspace: string;
  readonly path: string;
  readonly line: number;
}

/**
 * Which of the explanations of one name is that of the word at a place. A line that was seen to define or use it
 * decides; else where it is defined, as `findDefinition` says; else, where that is not known, the file, unless several
 * of the name are known there.
 */
export async function explanationAt(
  explanations: readonly Explanation[],
  place: WordPlace,
  findDefinition: () => Promise<LineRange | undefined>,
): Promise<Explanation | undefined> {
  const seen = explanations.find(({ definition, uses }) =>
    [...(definition === undefined ? [] : [nameLineOf(definition)]), ...uses].some((range) =>
      isIn(place, range),
    ),
  );
  if (seen !== undefined || explanations.length === 0) return seen;
  const defined = await findDefinition();
  const { near, inside } =
    defined === undefined
      ? { near: place, inside: place }
      : { near: defined, inside: { ...defined, line: defined.startLine } };
  const candidates = explanations.filter((one) =>
    defined === undefined ? one.files.some((file) => isSameFile(file, near)) : isSameFile(one, near),
  );
  if (candidates.length <= 1) return candidates[0];
  return candidates.find(({ definition }) => definition !== undefined && isIn(inside, definition));
}

function nameLineOf(definition: LineRange): LineRange {
  return { ...definition, endLine: definition.startLine };
}

/** The name of its file: that of all symbols of one name begins alike, so that they are found without an index. */
export function fileNameOf(key: SymbolKey): string {
  const { workspace, path, container, name } = key;
  return `${fileNameStart(name)}${textHash([workspace, path, container].join('\n'))}.json`;
}

export function fileNameStart(name: string): string {
  return `${textHash(name).slice(0, nameHashLength)}-`;
}

export function formatExplanation(explanation: Explanation): string {
  return JSON.stringify({ version: formatVersion, ...explanation });
}

/** Throws when it is none. */
export function parseExplanation(json: string): Explanation {
  const { version: _, ...explanation } = stored.parse(JSON.parse(json));
  return explanation;
}

const nameHashLength = 12;
const formatVersion = 1;
const file = { workspace: z.string(), path: z.string() };
const lines = z.object({ ...file, startLine: z.int().positive(), endLine: z.int().positive() });
const stored = z.object({
  version: z.literal(formatVersion),
  ...file,
  container: z.string(),
  name: z.string(),
  text: z.string(),
  definition: lines.exactOptional(),
  uses: z.array(lines),
  files: z.array(z.object({ ...file, hash: z.string() })),
  madeAt: z.number(),
}) satisfies z.ZodType<Explanation>;

type FilePlace = Pick<WordPlace, 'workspace' | 'path'>;

function isSameFile(a: FilePlace, b: FilePlace): boolean {
  return a.workspace === b.workspace && a.path === b.path;
}

function isIn(place: WordPlace, range: LineRange): boolean {
  return isSameFile(place, range) && range.startLine <= place.line && place.line <= range.endLine;
}
