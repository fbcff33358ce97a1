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

const header = z.object({ kind: z.literal('passageKeys'), tokens: z.array(z.int().positive()) });

/** One section a passage. */
export function saveKeys(passages: readonly PassageKeys[]): StoredReading {
  return {
    header: {
      kind: 'passageKeys',
      tokens: passages.map(({ tokens }) => tokens),
    } satisfies z.infer<typeof header>,
    sections: passages.map(({ keys }) => keys),
  };
}

/**
 * @param tokenBytes see `PassageIndexer`
 * @returns null when it is not what `saveKeys` made of such keys.
 */
export function restoreKeys(
  { header: plain, sections }: StoredReading,
  tokenBytes: number,
): PassageKeys[] | null {
  const parsed = header.safeParse(plain);
  if (!parsed.success || parsed.data.tokens.length !== sections.length) return null;
  const passages = sections.map((keys, index) => ({ tokens: parsed.data.tokens[index]!, keys }));
  return passages.every(({ tokens, keys }) => keys.length === tokens * tokenBytes) ? passages : null;
}
