/** Every limit on what is read from a workspace, with its unit. */

/** Larger files are data or generated far more often than source. Bytes of the file on disk; 1 MB = 1,000,000 bytes. */
export const maxFileBytes = 1_000_000;

/** Files of all workspace folders together. */
export const maxFiles = 100_000;

/** Entries in the list of what was left out; the surplus is counted in one more entry. */
export const maxSkippedListed = 10_000;

/** Bytes at the start of a file that decide whether it is text. */
export const binaryProbeBytes = 8192;

/** Lines at the start of a file in which a generator announces itself. */
export const generatedMarkerLines = 10;

/** Characters in a line that no person wrote by hand. */
export const minifiedLineCharacters = 2000;

/** Share of a text (0 to 1) in such lines, above which the whole text counts as minified. */
export const minifiedShare = 0.5;

/** Files whose size and type are asked for at once. */
export const statConcurrency = 64;

/** Files that are read ahead of the one that is handed out. */
export const readConcurrency = 8;

/** A size as people read it: "3.1 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), units.length);
  const value = bytes / 1000 ** power;
  return `${Number(value.toFixed(1))} ${units[power - 1]!}`;
}
