import fs from 'node:fs';

/**
 * The largest resident set of this process so far, bytes. On Linux from its own status: the system call's figure
 * begins with that of the process it was started from.
 */
export function peakResidentBytes(): number {
  if (process.platform === 'linux') {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
