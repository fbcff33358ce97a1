/** Writing the answer token by token. */
import { errors } from '../errors.ts';
import { partAtLabel } from './answerEnd.ts';
import { Sampler, type SamplingOptions } from './llama/sampler.ts';
import type { LlamaContext } from './llama/llamaContext.ts';
import { yieldToEvents } from './prefill.ts';

export interface Generated {
  readonly text: string;
  readonly tokens: number;
  readonly seconds: number;
  readonly stopReason: 'endOfGeneration' | 'maxAnswerTokens' | 'windowFull';
}

/**
 * Generates from the logits of the context's last decode on. Text comes in whole characters.
 * @throws errors.cancelled, errors.decodeFailed
 */
export async function generate(
  context: LlamaContext,
  options: SamplingOptions & { readonly maxAnswerTokens: number },
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
  let tokens = 0;
  let held = '';
  const tell = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    hooks.onText(piece, tokens, seconds());
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
    while (tokens < options.maxAnswerTokens) {
      const token = sampler.sample(context);
      if (model.isEndOfGeneration(token)) {
        stopReason = 'endOfGeneration';
        break;
      }
      tokens++;
      if (!append(decoder.decode(model.piece(token), { stream: true }))) {
        stopReason = 'endOfGeneration';
        break;
      }
      if (context.length >= context.contextSize) {
        stopReason = 'windowFull';
        break;
      }
      await yieldToEvents();
      if (hooks.signal.aborted) throw errors.cancelled();
      if (tokens < options.maxAnswerTokens) context.decode([token], { logits: 'last' });
    }
    if (append(decoder.decode())) tell(held);
    return { text, tokens, seconds: seconds(), stopReason };
  } finally {
    sampler.dispose();
  }
}
