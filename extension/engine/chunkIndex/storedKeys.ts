/** The keys of a file's passages as one entry of the store, and the name under which it is found again. */
import { z } from 'zod';
import type { IndexedFile } from '../../protocol/engine.ts';
import type { AttentionHead } from '../compression/options.ts';
import type { StoredReading } from '../kvState/readingState.ts';
import { keyOf, type EngineIdentity } from '../kvState/stateKey.ts';
import type { Token } from '../numbers.ts';
import type { PassageKeys } from './passageIndexer.ts';

export interface IndexKeyParts extends EngineIdentity {
  readonly ranking: readonly AttentionHead[];
  readonly prefix: readonly Token[];
  readonly file: IndexedFile;
}

/** Two files with one key have the same stored keys. @returns 64 hexadecimal digits */
export function indexKey({ prefix, ...named }: IndexKeyParts): string {
  return keyOf(named, [prefix]);
}

/** What the keys of so many tokens take, bytes. @param keyValues as in `restoreKeys` */
export function keyBytes(tokens: number, keyValues: number): number {
  return tokens * keyValues * Uint16Array.BYTES_PER_ELEMENT;
}

const header = z.object({ kind: z.literal('passageKeys'), tokens: z.array(z.int().positive()) });

/** One section a passage. */
export function saveKeys(passages: readonly PassageKeys[]): StoredReading {
  return {
    header: {
      kind: 'passageKeys',
      tokens: passages.map(({ tokens }) => tokens),
    } satisfies z.infer<typeof header>,
    sections: passages.map(({ keys }) => new Uint8Array(keys.buffer, keys.byteOffset, keys.byteLength)),
  };
}

/**
 * @param keyValues values that each token has: the length of a head's key times the number of heads.
 * @returns null when it is not what `saveKeys` made of such keys.
 */
export function restoreKeys(
  { header: plain, sections }: StoredReading,
  keyValues: number,
): PassageKeys[] | null {
  const parsed = header.safeParse(plain);
  if (!parsed.success || parsed.data.tokens.length !== sections.length) return null;
  const passages = sections.map((section, index) => ({
    tokens: parsed.data.tokens[index]!,
    // A copy where the bytes do not begin at an even address.
    keys:
      section.byteOffset % 2 === 0
        ? new Uint16Array(section.buffer, section.byteOffset, section.length >> 1)
        : new Uint16Array(new Uint8Array(section).buffer),
  }));
  const isWhole = ({ tokens }: PassageKeys, index: number): boolean =>
    sections[index]!.length === keyBytes(tokens, keyValues);
  return passages.every(isWhole) ? passages : null;
}
