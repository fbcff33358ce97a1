/** Queries of tokens that are decoded behind the cache: what attention is computed from. */
import type { Queries } from './llama/attentionProbe.ts';
import type { LlamaContext } from './llama/llamaContext.ts';
import type { Token } from './numbers.ts';
import { inBatches, type Pace } from './prefill.ts';

export interface DecodeHooks {
  readonly pace: Pace;
  readonly signal: AbortSignal;
}

/**
 * The queries of the question behind the cache, which is left as it was: decoded no further than the last of the layers.
 * @param layers at least one
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function queriesOf(
  context: LlamaContext,
  question: readonly Token[],
  layers: ReadonlySet<number>,
  hooks: DecodeHooks,
): Promise<Map<number, Queries[]>> {
  const cells = context.length;
  try {
    return await takeQueries(question, (batch) => context.decodeUpTo(batch, layers), hooks);
  } finally {
    context.truncate(cells);
  }
}

/**
 * Decodes the question behind the cache, where it stays, and takes its queries.
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function decodeQuestion(
  context: LlamaContext,
  question: readonly Token[],
  layers: ReadonlySet<number>,
  hooks: DecodeHooks,
): Promise<Map<number, Queries[]>> {
  return takeQueries(
    question,
    (batch) => context.decodeTakingQueries(batch, layers, { logits: 'none' }),
    hooks,
  );
}

/** Of all tokens, in order, by layer: one entry per batch. */
export async function takeQueries(
  tokens: readonly Token[],
  decodeBatch: (batch: readonly Token[]) => Map<number, Queries[]>,
  { pace, signal }: DecodeHooks,
): Promise<Map<number, Queries[]>> {
  const all = new Map<number, Queries[]>();
  await inBatches(tokens, pace, signal, (batch) => {
    for (const [layer, queries] of decodeBatch(batch))
      all.set(layer, [...(all.get(layer) ?? []), ...queries]);
  });
  return all;
}
