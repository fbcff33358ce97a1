import type { Passage } from '../protocol/nouns.ts';

/**
 * Holds passages to a limit by their exact token counts. `passages` are in reading order, best last; `counts` are
 * their tokens in the same order. Whole passages go from the front, the least relevant ones, until the sum fits.
 * The last one stays: when it alone exceeds the limit it is cut behind a line, by its tokens per character, and keeps
 * at least its first line. Count a passage that was cut again, and call this again when it is still too long.
 * Throws a RangeError when the two lists differ in length.
 */
export function trimToLimit(
  passages: readonly Passage[],
  counts: readonly number[],
  limit: number,
): { passages: Passage[]; dropped: Passage[] } {
  if (passages.length !== counts.length)
    throw new RangeError(`${passages.length} passages with ${counts.length} token counts`);
  let sum = counts.reduce((total, count) => total + count, 0);
  let first = 0;
  while (sum > limit && first < passages.length - 1) sum -= counts[first++]!;

  const kept = passages.slice(first);
  const dropped = passages.slice(0, first);
  const last = kept.at(-1);
  if (last === undefined || sum <= limit) return { passages: kept, dropped };
  const [head, rest] = cutPassage(last, limit / sum);
  return { passages: [head], dropped: rest === undefined ? dropped : [...dropped, rest] };
}

/** The leading lines that hold at most a share of the characters, at least one line, and the lines behind them. */
function cutPassage(passage: Passage, share: number): [Passage, Passage?] {
  const lines = passage.text.split('\n');
  const limit = Math.floor(passage.text.length * share);
  let characters = lines[0]!.length;
  let count = 1;
  while (count < lines.length && characters + 1 + lines[count]!.length <= limit)
    characters += 1 + lines[count++]!.length;
  if (count === lines.length) return [passage];
  const middle = passage.startLine + count;
  return [
    { ...passage, endLine: middle - 1, text: lines.slice(0, count).join('\n') },
    { ...passage, startLine: middle, text: lines.slice(count).join('\n') },
  ];
}
