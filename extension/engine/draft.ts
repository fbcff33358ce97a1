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

/** Draft lengths to choose from, the longest last. */
const draftLengths = [2, 4, maxDraftTokens] as const;
/** How often each is timed, of which the quickest counts. */
const trials = 2;

/** Of a batch of one token and so many drafted ones behind it. */
export interface BatchCost {
  readonly drafted: number;
  readonly seconds: number;
}

/** The share of guesses taken to be right before the first one. */
export const firstTrust = 0.5;
/** What the latest guess counts in it. */
const latestShare = 0.2;

/** The share of the guesses that are right, the later ones counting more: a quote makes it rise, its end makes it fall. */
export function trustAfter(trust: number, wasRight: boolean): number {
  return trust + latestShare * (Number(wasRight) - trust);
}

/**
 * Tokens to draft, so that the most is written in the least time: a draft is right up to its first wrong token, and each is
 * right with the probability `trust`. 0 where one token after the other is quicker, or nothing is known of the costs.
 */
export function draftLength(costs: readonly BatchCost[], trust: number): number {
  const speed = ({ drafted, seconds }: BatchCost): number => expectedTokens(drafted, trust) / seconds;
  return costs.reduce((best, cost) => (speed(cost) > speed(best) ? cost : best), costs[0] ?? nothing).drafted;
}

const nothing: BatchCost = { drafted: 0, seconds: 1 };

/** The token that the model chooses after the last right one is among them: sum of trust^i, i = 0..drafted. */
function expectedTokens(drafted: number, trust: number): number {
  let [sum, power] = [0, 1];
  for (let i = 0; i <= drafted; i++, power *= trust) sum += power;
  return sum;
}

/**
 * Measures what drafts cost on this device, after what the context holds and without leaving anything there. Where the
 * weights' way from the memory takes the time, nine tokens take hardly longer than one; where each token is multiplied by
 * itself, nine times as long.
 * @param context has room for the longest draft, and for its logits
 */
export function measureDraftCosts(context: LlamaContext): BatchCost[] {
  const before = context.length;
  return [0, ...draftLengths].map((drafted) => {
    const tokens = Array.from({ length: 1 + drafted }, (_, i) => i as Token);
    const times = Array.from({ length: trials }, () => {
      const begin = performance.now();
      context.decode(tokens, { logits: 'all' });
      const seconds = (performance.now() - begin) / 1000;
      context.truncate(before);
      return seconds;
    });
    return { drafted, seconds: Math.min(...times) };
  });
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
