/** What the keys and values of a KV cache take, by the type in which llama.cpp stores them. */
import type { KvCacheType } from '../protocol/engine.ts';
import { ggmlTypes, type GgmlType } from './ggmlTypes.ts';

/** Values that share a scale, and the bytes of both. */
export function kvCacheBlock(type: KvCacheType): GgmlType {
  return [...ggmlTypes.values()].find(({ name }) => name.toLowerCase() === type)!;
}

/** Bytes of so many values of a row. */
export function kvCacheBytes(type: KvCacheType, values: number): number {
  const { blockValues, blockBytes } = kvCacheBlock(type);
  return (values / blockValues) * blockBytes;
}
