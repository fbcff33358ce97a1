/** How much main memory is free now. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

/**
 * Bytes this process may still take without swapping or being ended: what the system has available, on Linux
 * bounded by the limits of the control groups it is in.
 */
export function freeMemoryBytes(platform: NodeJS.Platform = process.platform, rootFolder = '/'): number {
  if (platform === 'linux') return linuxFreeBytes(rootFolder);
  // On macOS the system's own count leaves out what it would give up at once, most of the memory.
  if (platform === 'darwin') return vmStatFreeBytes(execFileSync('vm_stat', { encoding: 'utf8' }));
  return freemem();
}

/** Free, inactive, speculative and purgeable pages of vm_stat's report, in bytes. */
export function vmStatFreeBytes(report: string): number {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(report)?.[1]);
  const pages = [...report.matchAll(/^Pages (?:free|inactive|speculative|purgeable):\s+(\d+)\.$/gm)];
  return pageBytes * pages.reduce((sum, match) => sum + Number(match[1]), 0);
}

function linuxFreeBytes(rootFolder: string): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readText(join(rootFolder, 'proc/meminfo')) ?? '')?.[1];
  const available = kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
  return Math.max(0, Math.min(available, ...controlGroupFreeBytes(rootFolder)));
}

/** What is left below the limit of each control group from this process's own up to the root. */
function controlGroupFreeBytes(rootFolder: string): number[] {
  const groups = readText(join(rootFolder, 'proc/self/cgroup')) ?? '';
  const free: number[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, path] = line.split(':');
    if (controllers === undefined || path === undefined) continue;
    const isVersion2 = controllers === '';
    if (!isVersion2 && !controllers.split(',').includes('memory')) continue;
    const mount = join(rootFolder, 'sys/fs/cgroup', isVersion2 ? '' : 'memory');
    const names = isVersion2 ? version2Files : version1Files;
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--) {
      const left = groupFreeBytes(join(mount, ...parts.slice(0, depth)), names);
      if (left !== undefined) free.push(left);
    }
  }
  return free;
}

const version2Files = { limit: 'memory.max', used: 'memory.current', reclaimable: /^inactive_file (\d+)$/m };
const version1Files = {
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  reclaimable: /^total_inactive_file (\d+)$/m,
};

/** Undefined when there is no such group or no limit ("max"). */
function groupFreeBytes(folder: string, files: typeof version2Files): number | undefined {
  const limit = Number(readText(join(folder, files.limit)) ?? Number.NaN);
  const used = Number(readText(join(folder, files.used)) ?? Number.NaN);
  if (Number.isNaN(limit) || Number.isNaN(used)) return undefined;
  // Files that were only read count as used, and are given up as soon as memory is wanted.
  const reclaimable = Number(files.reclaimable.exec(readText(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0);
  return limit - used + reclaimable;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
