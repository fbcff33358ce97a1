/** Looks at a folder of states as often as it can: how many bytes its files have together, and whether one is being written. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface UsageSeen {
  mostBytes: number;
  sawUnfinished: boolean;
}

export function watchUsage(folder: string): { stop(): UsageSeen } {
  const seen: UsageSeen = { mostBytes: 0, sawUnfinished: false };
  const look = () => {
    let bytes = 0;
    for (const name of namesIn(folder)) {
      bytes += lstatSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
      seen.sawUnfinished ||= name.endsWith('.new');
    }
    seen.mostBytes = Math.max(seen.mostBytes, bytes);
    next = setImmediate(look);
  };
  let next = setImmediate(look);
  return {
    stop: () => {
      clearImmediate(next);
      return seen;
    },
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
