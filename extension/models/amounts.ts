/** Amounts as a person reads them, in every language alike: "40 kB", "98 MB", "1.1 GB", "35 s", "6 min". */

export function bytesText(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

const secondsPerMinute = 60;

export function durationText(seconds: number): string {
  if (seconds < 1.5 * secondsPerMinute) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / secondsPerMinute)} min`;
}

/** How much of what is free is taken, in ten signs; beyond it is full. */
export function memoryBar(neededBytes: number, freeBytes: number): string {
  const signs = 10;
  const share = freeBytes > 0 ? neededBytes / freeBytes : 1;
  const full = Math.min(signs, Math.max(1, Math.ceil(share * signs)));
  return '▰'.repeat(full) + '▱'.repeat(signs - full);
}
