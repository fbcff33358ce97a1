/** Writing the answer, token by token or, where it quotes what was read, a few at once. */
import { errors } from '../errors.ts';
import { partAtLabel } from './answerEnd.ts';
import { draftAfter, draftLength, firstTrust, maxDraftTokens, trustAfter, type BatchCost } from './draft.ts';
import { Sampler, type SamplingOptions } from './llama/sampler.ts';
import type { LlamaContext } from './llama/llamaContext.ts';
import type { Token } from './numbers.ts';
import { yieldToEvents } from './prefill.ts';

export interface Generated {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Of these, the ones that were drafted. */
  readonly draftedTokens: number;
  readonly seconds: number;
  readonly stopReason: 'endOfGeneration' | 'maxAnswerTokens' | 'windowFull';
}

export interface GenerateOptions extends SamplingOptions {
  readonly maxAnswerTokens: number;
  /** What the answer may quote. */
  readonly read: readonly Token[];
  /**
   * What drafts cost; empty: nothing is drafted. Else the context must return the logits of `maxDraftTokens` more than one
   * row.
   */
  readonly draftCosts: readonly BatchCost[];
}

/**
 * Generates from the logits of the context's last decode on. Text comes in whole characters. A draft changes the text
 * only where the batch's rounding does: each token is the sampler's choice from the model's own logits.
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function generate(
  context: LlamaContext,
  options: GenerateOptions,
  hooks: {
    readonly signal: AbortSignal;
    readonly onText: (text: string, tokens: number, seconds: number) => void;
  },
): Promise<Generated> {
  const { model } = context;
  const sampler = new Sampler(model, options);
  const decoder = new TextDecoder();
  const begin = performance.now();
  const seconds = (): number => (performance.now() - begin) / 1000;
  let text = '';
  let held = '';
  const written: Token[] = [];
  let draftedTokens = 0;
  // Where not even a sure guess is worth a draft, what was read need not be searched for guesses, token by token.
  const read = draftLength(options.draftCosts, 1) === 0 ? [] : options.read;
  let trust = firstTrust;
  // What is taken to come next, of which the first are in the context as a draft.
  let guesses: readonly Token[] = [];
  let drafted = 0;
  // The row of logits that the next token is chosen from; row i is that after the draft's first i tokens.
  let row = 0;
  const tell = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    hooks.onText(piece, written.length, seconds());
  };
  /** False when the answer has ended with it. */
  const append = (piece: string): boolean => {
    const part = partAtLabel(held + piece);
    held = part.held;
    tell(part.text);
    return !part.ended;
  };
  try {
    let stopReason: Generated['stopReason'] = 'maxAnswerTokens';
    while (written.length < options.maxAnswerTokens) {
      const token = sampler.sample(context, drafted === 0 ? -1 : row);
      if (model.isEndOfGeneration(token)) {
        stopReason = 'endOfGeneration';
        break;
      }
      written.push(token);
      if (!append(decoder.decode(model.piece(token), { stream: true }))) {
        stopReason = 'endOfGeneration';
        break;
      }
      await yieldToEvents();
      if (hooks.signal.aborted) throw errors.cancelled();
      const guess = guesses[row];
      if (guess !== undefined) trust = trustAfter(trust, token === guess);
      if (row < drafted && token === guess) {
        draftedTokens++;
        row++;
        continue;
      }
      context.truncate(context.length - (drafted - row));
      const room = Math.min(context.contextSize - context.length, options.maxAnswerTokens - written.length);
      if (room === 0) {
        if (written.length < options.maxAnswerTokens) stopReason = 'windowFull';
        break;
      }
      guesses = draftAfter(read, written, maxDraftTokens);
      const draft = guesses.slice(0, Math.min(draftLength(options.draftCosts, trust), room - 1));
      [row, drafted] = [0, draft.length];
      context.decode([token, ...draft], { logits: drafted === 0 ? 'last' : 'all' });
    }
    if (append(decoder.decode())) tell(held);
    return { text, tokens: written, draftedTokens, seconds: seconds(), stopReason };
  } finally {
    sampler.dispose();
  }
}
