/**
 * What the answer may go on with: answers quote what was read, so that the tokens which followed the same words there
 * are tried before the model is asked (prompt lookup decoding). The model's own choice decides each of them.
 */
import type { LlamaContext } from './llama/llamaContext.ts';
import type { Token } from './numbers.ts';

/** Tokens drafted at once. */
export const maxDraftTokens = 8;
/** So many tokens at the end of the answer have to stand in what was read. */
const leastMatch = 3;
/** Of places with a longer match none is the better. */
const longestMatch = 12;

/** Behind one, when it is tried what a draft costs; and how often, of which the quickest counts. */
const triedTokens = 3;
const trials = 2;

/** Of the first draft of an answer, tokens. */
export const firstDraftLength = 2;

/** How long the next draft is: longer after one that was right to its end, shorter after one that was wrong at once. */
export function nextDraftLength(length: number, drafted: number, accepted: number): number {
  if (drafted === 0) return length;
  if (accepted === drafted) return Math.min(maxDraftTokens, 2 * length);
  return accepted === 0 ? Math.max(1, length / 2) : length;
}

/**
 * Whether a few tokens at once take less than twice as long as one: they do where the weights' way from the memory is
 * what takes the time, and not on two cores with a small model, where each token costs the same. The context has room
 * for them.
 */
export function draftsPay(context: LlamaContext): boolean {
  const before = context.length;
  const seconds = (count: number): number => {
    const tokens = Array.from({ length: count }, (_, i) => i as Token);
    const times = Array.from({ length: trials }, () => {
      const begin = performance.now();
      context.decode(tokens, { logits: 'all' });
      const taken = performance.now() - begin;
      context.truncate(before);
      return taken;
    });
    return Math.min(...times);
  };
  return seconds(1 + triedTokens) < 2 * seconds(1);
}

/**
 * Up to `length` tokens that follow, in what was read, the longest run that the answer ends with; of equal ones the
 * last, which is the most relevant. None where not even the last three tokens stand there.
 */
export function draftAfter(read: readonly Token[], answer: readonly Token[], length: number): Token[] {
  const last = answer.length - 1;
  let best = leastMatch - 1;
  let after = read.length;
  for (let end = read.length - 2; end >= leastMatch - 1 && best < longestMatch; end--) {
    if (read[end] !== answer[last]) continue;
    let match = 1;
    while (match <= last && match <= end && read[end - match] === answer[last - match]) match++;
    if (match > best) [best, after] = [match, end + 1];
  }
  return read.slice(after, after + length);
}
