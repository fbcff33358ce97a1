/**
 * Reading tokens in batches short enough that Stop acts at once: no batch is meant to take longer than
 * `batchSeconds`, whatever the device and the chunk's length, and the event loop runs between two of them.
 */
import { errors } from '../errors.ts';
import { maxBatchTokens, type LlamaContext } from './llama/llamaContext.ts';
import type { Token } from './numbers.ts';

/** The longest that one batch should take, seconds: also about the longest wait after Stop. */
const batchSeconds = 0.4;
/** Batches are whole multiples of this many tokens, which the matrix kernels like; a very slow device gets less. */
const batchGranularity = 16;
const minBatchTokens = 4;

/** The measured speed of the device, kept up to date by every batch. */
export interface Pace {
  tokensPerSecond: number;
}

/** Appends the tokens to the cache; `onBatch` is told of each batch that is done. */
export async function prefill(
  context: LlamaContext,
  tokens: readonly Token[],
  pace: Pace,
  signal: AbortSignal,
  onBatch?: (tokens: number) => void,
): Promise<void> {
  for (let start = 0; start < tokens.length;) {
    const batch = tokens.slice(start, start + batchLength(pace));
    await runBatch(batch.length, pace, signal, () => context.decode(batch, { logits: 'none' }));
    start += batch.length;
    onBatch?.(batch.length);
  }
}

/** Tokens that the device decodes in `batchSeconds`. */
export function batchLength(pace: Pace): number {
  const fitting = pace.tokensPerSecond * batchSeconds;
  if (fitting < batchGranularity) return Math.max(minBatchTokens, Math.floor(fitting));
  return Math.min(maxBatchTokens, Math.floor(fitting / batchGranularity) * batchGranularity);
}

/**
 * Lets waiting messages in, then runs one decode and learns from its time.
 * @throws errors.cancelled
 */
export async function runBatch(
  tokens: number,
  pace: Pace,
  signal: AbortSignal,
  decode: () => void,
): Promise<void> {
  await yieldToEvents();
  if (signal.aborted) throw errors.cancelled();
  const begin = performance.now();
  decode();
  const seconds = (performance.now() - begin) / 1000;
  // Small batches say little of the speed of large ones.
  if (tokens >= batchGranularity)
    pace.tokensPerSecond = 0.7 * pace.tokensPerSecond + 0.3 * (tokens / seconds);
}

/** A turn of the event loop, input and output included. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
