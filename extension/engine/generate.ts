/** Writing the answer, token by token or, where it quotes what was read, a few at once. */
import { errors } from '../errors.ts';
import { partAtLabel } from './answerEnd.ts';
import { draftAfter, firstDraftLength, nextDraftLength } from './draft.ts';
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
  /**
   * What the answer may quote; empty: nothing is drafted. The context must return the logits of `maxDraftTokens` more
   * than one row.
   */
  readonly read: readonly Token[];
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
  let draftLength = firstDraftLength;
  let draft: readonly Token[] = [];
  // The row of logits that the next token is chosen from; row i is that after the draft's first i tokens.
  let row = -1;
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
      const token = sampler.sample(context, row);
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
      if (token === draft[row]) {
        draftedTokens++;
        row++;
        continue;
      }
      const accepted = Math.max(0, row);
      draftLength = nextDraftLength(draftLength, draft.length, accepted);
      context.truncate(context.length - (draft.length - accepted));
      const room = Math.min(context.contextSize - context.length, options.maxAnswerTokens - written.length);
      if (room === 0) {
        if (written.length < options.maxAnswerTokens) stopReason = 'windowFull';
        break;
      }
      draft = draftAfter(options.read, written, Math.min(draftLength, room - 1));
      row = draft.length === 0 ? -1 : 0;
      context.decode([token, ...draft], { logits: draft.length === 0 ? 'last' : 'all' });
    }
    if (append(decoder.decode())) tell(held);
    return { text, tokens: written, draftedTokens, seconds: seconds(), stopReason };
  } finally {
    sampler.dispose();
  }
}
