import type { LineRange } from '../protocol/nouns.ts';

/**
 * At most `most` of the uses, each line once, in their order within a file: first one of each other file than that of
 * `home`, then one of that, and so on, since places far from each other tell more than neighbours do.
 */
export function spreadUses(
  uses: readonly LineRange[],
  home: { readonly workspace: string; readonly path: string },
  most: number,
): LineRange[] {
  const byFile = new Map<string, Map<number, LineRange>>();
  for (const use of uses) {
    const key = `${use.workspace}\n${use.path}`;
    const lines = byFile.get(key) ?? new Map<number, LineRange>();
    byFile.set(key, lines);
    if (!lines.has(use.startLine)) lines.set(use.startLine, use);
  }
  const homeKey = `${home.workspace}\n${home.path}`;
  const files = [...byFile].sort(([a], [b]) => Number(a === homeKey) - Number(b === homeKey));
  const queues = files.map(([, lines]) => [...lines.values()]);
  const spread: LineRange[] = [];
  while (spread.length < most && queues.some((queue) => queue.length > 0)) {
    for (const queue of queues) {
      const next = queue.shift();
      if (next !== undefined && spread.length < most) spread.push(next);
    }
  }
  return spread;
}
