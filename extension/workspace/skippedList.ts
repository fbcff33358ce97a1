import type { SkippedFile } from '../protocol/nouns.ts';

/** Collects what was left out, up to a limit, so that a giant tree of unread files cannot fill the memory. */
export interface SkippedList {
  readonly add: (skipped: SkippedFile) => void;
  /** The entries in the order they came; the last one counts those beyond the limit. */
  readonly entries: () => SkippedFile[];
}

/** @param limit entries that are listed one by one */
export function skippedList(limit: number): SkippedList {
  const listed: SkippedFile[] = [];
  let firstUnlisted: SkippedFile | undefined;
  let unlisted = 0;
  return {
    add: (skipped) => {
      if (listed.length < limit) {
        listed.push(skipped);
        return;
      }
      firstUnlisted ??= skipped;
      unlisted++;
    },
    entries: () => {
      if (firstUnlisted === undefined) return listed;
      const detail = `and ${unlisted - 1} more files and folders that are not listed, limit ${limit}`;
      return [...listed, { ...firstUnlisted, detail }];
    },
  };
}
