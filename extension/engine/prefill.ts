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
/** How many times as long as the last batch the next one may be. */
const longestStep = 2;
const turnsPerMessage = 8;
/** The weight of the latest batch in the smoothed speed. */
const latestShare = 0.3;

/** The measured speed of the device and what follows from it, kept up to date by every batch. */
export interface Pace {
  /** For people: smoothed. */
  tokensPerSecond: number;
  /** Tokens that are decoded in `batchSeconds`, as far as is known; not a whole number. */
  batchTokens: number;
}

/** The pace of a device that was measured with one long batch. */
export function paceOf(tokensPerSecond: number): Pace {
  return { tokensPerSecond, batchTokens: Math.min(maxBatchTokens, tokensPerSecond * batchSeconds) };
}

/** Appends the tokens to the cache; `onBatch` is told of each batch that is done. */
export async function prefill(
  context: LlamaContext,
  tokens: readonly Token[],
  pace: Pace,
  signal: AbortSignal,
  onBatch?: (tokens: number) => void,
): Promise<void> {
  const decode = (batch: readonly Token[]): void => context.decode(batch, { logits: 'none' });
  await inBatches(tokens, pace, signal, decode, onBatch);
}

/** Runs `decode` over all tokens, a batch at a time. @throws errors.cancelled */
export async function inBatches(
  tokens: readonly Token[],
  pace: Pace,
  signal: AbortSignal,
  decode: (batch: readonly Token[]) => void,
  onBatch?: (tokens: number) => void,
): Promise<void> {
  for (let start = 0; start < tokens.length;) {
    const batch = tokens.slice(start, start + batchLength(pace));
    await runBatch(batch.length, pace, signal, () => {
      decode(batch);
    });
    start += batch.length;
    onBatch?.(batch.length);
  }
}

/** Tokens of the next batch. */
export function batchLength({ batchTokens }: Pace): number {
  if (batchTokens < batchGranularity) return Math.max(minBatchTokens, Math.floor(batchTokens));
  return Math.min(maxBatchTokens, Math.floor(batchTokens / batchGranularity) * batchGranularity);
}

/**
 * What one batch teaches. A batch that took too long shortens the next one at once, in proportion: Stop waits for a
 * whole batch, and other programs come and go. One that was quick makes it longer, at most twice as
 * long, since a short batch has its fixed costs in it and so says the least that a longer one could be.
 */
export function learnFromBatch(pace: Pace, tokens: number, seconds: number): Pace {
  const length = batchLength(pace);
  const fitting = (tokens * batchSeconds) / seconds;
  const batchTokens =
    seconds > batchSeconds
      ? Math.min(pace.batchTokens, fitting)
      : Math.max(pace.batchTokens, Math.min(fitting, longestStep * length));
  // What is left at the end of a chunk says little of the speed of whole batches.
  const tells = tokens >= Math.min(batchGranularity, length);
  return {
    batchTokens: Math.min(maxBatchTokens, Math.max(minBatchTokens, batchTokens)),
    tokensPerSecond: tells
      ? (1 - latestShare) * pace.tokensPerSecond + latestShare * (tokens / seconds)
      : pace.tokensPerSecond,
  };
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
  Object.assign(pace, learnFromBatch(pace, tokens, Math.max((performance.now() - begin) / 1000, 1e-6)));
}

/**
 * Lets in what has arrived. The connection takes several turns of the event loop from the bytes of a message to its
 * handler: one to read them, one for each message that waits its turn to be decoded, one to hand it out.
 */
export async function yieldToEvents(): Promise<void> {
  for (let turn = 0; turn < turnsPerMessage; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
