/** What a question names comes before all that is only found. */
import type { Pin } from '../protocol/conversation.ts';
import type { LineRange, SkippedFile } from '../protocol/nouns.ts';
import type { RankedPassage } from './ranking.ts';

/**
 * A ranking in which pinned lines come first, then pinned files and folders, then everything else; the
 * order within each stays. Scores are raised with their places, so that what is read is chosen and placed by them.
 */
export function rankPinsFirst(ranked: readonly RankedPassage[], pins: readonly Pin[]): RankedPassage[] {
  if (pins.length === 0) return [...ranked];
  const step = 1 + ranked.reduce((best, { score }) => Math.max(best, score), 0);
  const tiers: [RankedPassage[], RankedPassage[], RankedPassage[]] = [[], [], []];
  for (const passage of ranked) {
    const tier = tierOf(passage, pins);
    tiers[tier].push({ ...passage, score: passage.score + tier * step });
  }
  return [...tiers[2], ...tiers[1], ...tiers[0]];
}

/** The first pin that nothing in the ranking belongs to, with why: a reason of a file left out, or that it is not there. */
export function unreadPin(
  ranked: readonly LineRange[],
  skipped: readonly SkippedFile[],
  pins: readonly Pin[],
): { readonly pin: Pin; readonly skipped: SkippedFile | undefined } | undefined {
  const pin = pins.find((pin) => !ranked.some((passage) => isIn(passage, pin)));
  if (pin === undefined) return undefined;
  return { pin, skipped: skipped.find((file) => isIn(file, pin) || isFolderAround(file, pin)) };
}

/** 2: pinned lines are in it, 1: it is of a pinned file or folder, 0: neither. Pinned lines do not pin their file. */
function tierOf(passage: LineRange, pins: readonly Pin[]): 0 | 1 | 2 {
  const holding = pins.filter((pin) => isIn(passage, pin));
  if (holding.some((pin) => pin.kind === 'lines' && overlaps(passage, pin))) return 2;
  return holding.some(({ kind }) => kind !== 'lines') ? 1 : 0;
}

interface FilePlace {
  readonly workspace: string;
  readonly path: string;
}

function isIn({ workspace, path }: FilePlace, pin: Pin): boolean {
  if (workspace !== pin.workspace) return false;
  return pin.kind === 'folder' ? pin.path === '' || path.startsWith(`${pin.path}/`) : path === pin.path;
}

/** A folder that is left out as a whole is one entry whose path ends in a slash. */
function isFolderAround({ workspace, path }: FilePlace, pin: Pin): boolean {
  return workspace === pin.workspace && path.endsWith('/') && `${pin.path}/`.startsWith(path);
}

function overlaps(passage: LineRange, lines: LineRange): boolean {
  return passage.startLine <= lines.endLine && lines.startLine <= passage.endLine;
}
