/** Whether keeping everything changes nothing: the compression's own operations, on the loaded model and its devices. */
import type { CacheOperations } from './llama/cacheOperations.ts';
import type { LlamaContext } from './llama/llamaContext.ts';
import type { Token } from './numbers.ts';

const keptTokens = 24;
const askedTokens = 4;
/** Of the logits' length. On the CPU and on Vulkan no bit changes. */
const allowedError = 1e-2;

/**
 * Reads a few tokens, keeps all their cells, rotating each by nothing, and asks for the next logits before and after.
 * The cache is empty afterwards.
 */
export function keepsEverything(
  context: LlamaContext,
  operations: Pick<CacheOperations, 'rememberKeys' | 'keep' | 'layouts'>,
): boolean {
  const token = (index: number): Token => ((index * 7 + 3) % context.model.vocabularySize) as Token;
  const kept = Array.from({ length: keptTokens }, (_, index) => token(index));
  const asked = Array.from({ length: askedTokens }, (_, index) => token(keptTokens + index));
  const nextLogits = (): Float32Array => {
    context.decode(asked, { logits: 'last' });
    return context.logits();
  };
  context.clear();
  context.decode(kept, { logits: 'none' });
  operations.rememberKeys(0, keptTokens);
  const before = nextLogits();
  context.truncate(keptTokens);
  const cells = operations.layouts.map(() => ({ shared: Int32Array.from(kept.keys()) }));
  operations.keep(cells, cells);
  const after = nextLogits();
  context.clear();
  return relativeError(after, before) < allowedError;
}

/** L2 norm of the difference over that of what is expected; NaN when there is one among the values. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let size = 0;
  actual.forEach((value, i) => {
    difference += (value - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  });
  return Math.sqrt(difference / size);
}
