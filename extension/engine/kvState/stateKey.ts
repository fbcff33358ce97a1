/**
 * What a stored KV state depends on. Two readings with one key have the same rows but for the rounding of batches, whose
 * lengths follow from the speed.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CompressionOptions } from '../compression/options.ts';
import type { KvCacheType } from '../../protocol/engine.ts';
import type { Token } from '../numbers.ts';

/** What every stored thing depends on, whatever was read. */
export interface EngineIdentity {
  /** Of the model's file, tokenizer included (`modelFingerprint`). */
  readonly model: string;
  readonly libraryVersion: string;
  /** Of the engine's own program (`engineBuild`). */
  readonly engineBuild: string;
  /** Rows differ in their last bits from device to device. */
  readonly device: string;
  readonly offloadedLayers: number;
}

export interface StateKeyParts extends EngineIdentity {
  /** Rows of another type cannot be put back. */
  readonly kvCacheType: KvCacheType;
  readonly prefix: readonly Token[];
  /** Every token of every passage in its order, with the paths: the contents of the files as far as they are read. */
  readonly document: readonly Token[];
  /** What decides what is kept. A document that fits the budget is read the same under every question. */
  readonly compression: {
    readonly options: CompressionOptions;
    readonly question: readonly Token[];
  } | null;
}

/** @returns 64 hexadecimal digits */
export function stateKey({ prefix, document, compression, ...identity }: StateKeyParts): string {
  const lists = [prefix, document, compression?.question ?? []];
  return keyOf({ ...identity, options: compression?.options ?? null }, lists);
}

/** @param named plain JSON. @returns 64 hexadecimal digits */
export function keyOf(named: object, tokenLists: readonly (readonly Token[])[]): string {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(named).sort()));
  for (const tokens of tokenLists) hash.update(`\n${tokens.length}\n`).update(Int32Array.from(tokens));
  return hash.digest('hex');
}

/** Tells one build of the engine from another: in a release, by the file that all of it is bundled in. */
export function engineBuild(): string {
  build ??= createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest('hex');
  return build;
}

let build: string | undefined;
