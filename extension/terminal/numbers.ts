/** Numbers as a person reads them; the same in every locale, so that output can be compared. */

/** 1234567 -> "1,234,567" */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 1 -> "1 file", 2 -> "2 files" */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** 0.345 -> "35 %" */
export function percent(share: number): string {
  return `${Math.round(Math.min(1, Math.max(0, share)) * 100)} %`;
}

/** Under ten seconds with a tenth, beyond a minute in minutes. */
export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 59.5) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** 98,362,432 -> "98 MB" */
export function megabytes(bytes: number): string {
  return `${count(bytes / 1e6)} MB`;
}

/** Bytes as MiB or GiB. */
export function mebibytes(bytes: number): string {
  const mib = bytes / 2 ** 20;
  return mib < 1024 ? `${mib.toFixed(mib < 10 ? 1 : 0)} MiB` : `${(mib / 1024).toFixed(2)} GiB`;
}
