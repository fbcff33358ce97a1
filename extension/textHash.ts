import { createHash } from 'node:crypto';

/** Hexadecimal digits: half of a SHA-256, beyond which nobody finds two texts with one hash. */
const hashLength = 32;

/** What tells one text from another. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hashLength);
}
