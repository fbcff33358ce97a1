/** What the keys and values of a KV cache take, by the type in which llama.cpp stores them. */
import type { KvCacheType } from '../protocol/engine.ts';
import { ggmlTypes, type GgmlType } from './ggmlTypes.ts';

/** The numbers that ggml and GGUF files give the types (`enum ggml_type`). */
export const kvCacheTypeNumbers: Readonly<Record<KvCacheType, number>> = { f16: 1, q8_0: 8 };

/** Values that share a scale, and the bytes of both. */
export function kvCacheBlock(type: KvCacheType): GgmlType {
  return ggmlTypes.get(kvCacheTypeNumbers[type])!;
}

/** Bytes of so many values of a row. */
export function kvCacheBytes(type: KvCacheType, values: number): number {
  const { blockValues, blockBytes } = kvCacheBlock(type);
  return (values / blockValues) * blockBytes;
}
