/** Numbers, times and places as the user's language writes them. */
import type { Place } from '../extension/protocol/chat.ts';
import type { Pin } from '../extension/protocol/conversation.ts';
import type { LineRange } from '../extension/protocol/nouns.ts';

export function formatNumber(value: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits }).format(value);
}

/** @param share 0 to 1 */
export function formatShare(share: number, maximumFractionDigits = 0): string {
  return new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits }).format(share);
}

const bytesPerUnit = 1000;

export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let value = bytes;
  let at = 0;
  while (value >= bytesPerUnit && at < units.length - 1) {
    value /= bytesPerUnit;
    at += 1;
  }
  return formatUnit(value, units[at] ?? 'byte', value < 10 && at > 0 ? 1 : 0);
}

const secondsPerMinute = 60;
const minutesPerHour = 60;

/** One unit, or hours and minutes: "30 s", "2 min", "1 h 5 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return formatUnit(seconds, 'second', 1);
  if (seconds < 1.5 * secondsPerMinute) return formatUnit(seconds, 'second', 0);
  const minutes = Math.round(seconds / secondsPerMinute);
  if (minutes < minutesPerHour) return formatUnit(minutes, 'minute', 0);
  const hours = formatUnit(Math.floor(minutes / minutesPerHour), 'hour', 0);
  const rest = minutes % minutesPerHour;
  return rest === 0 ? hours : `${hours} ${formatUnit(rest, 'minute', 0)}`;
}

/** The time for today, else the date. @param time milliseconds since 1970 */
export function formatTime(time: number): string {
  const date = new Date(time);
  const now = new Date();
  const style: Intl.DateTimeFormatOptions =
    date.toDateString() === now.toDateString()
      ? { timeStyle: 'short' }
      : date.getFullYear() === now.getFullYear()
        ? { month: 'short', day: 'numeric' }
        : { dateStyle: 'medium' };
  return new Intl.DateTimeFormat(language(), style).format(date);
}

/** "src/index.ts:12-20"; with several workspace folders the folder's name comes first. */
export function formatLines(range: LineRange, folders: readonly string[]): string {
  const { startLine, endLine } = range;
  const lines = startLine === endLine ? `${startLine}` : `${startLine}-${endLine}`;
  return `${formatPath(range, folders)}:${lines}`;
}

export function formatPin(pin: Pin, folders: readonly string[]): string {
  if (pin.kind === 'lines') return formatLines(pin, folders);
  const path = formatPath(pin, folders);
  return pin.kind === 'folder' ? `${path}/` : path;
}

export function placeOf({ workspace, path, startLine, endLine }: LineRange): Place {
  return { workspace, path, lines: { startLine, endLine } };
}

/** A language tag of the page; the editor's own names are tags, too. */
function language(): string {
  return document.documentElement.lang || 'en';
}

function formatUnit(value: number, unit: string, maximumFractionDigits: number): string {
  const style = { style: 'unit', unit, maximumFractionDigits } as const;
  return new Intl.NumberFormat(language(), style).format(value);
}

function formatPath(
  { workspace, path }: { readonly workspace: string; readonly path: string },
  folders: readonly string[],
): string {
  if (path === '') return workspace;
  return folders.length > 1 ? `${workspace}/${path}` : path;
}
