/** Owns a chain of llama.cpp's samplers. */
import type { Token } from '../numbers.ts';
import type { Functions, Pointer } from './functions.ts';
import type { LlamaContext } from './llamaContext.ts';
import type { LlamaModel } from './llamaModel.ts';

export interface SamplingOptions {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
  /** What occurred in the last tokens becomes less likely by this factor; 1.1 when absent, which keeps small models out of loops. */
  readonly repeatPenalty?: number;
}

/** Nucleus: the smallest set of tokens whose probabilities reach this. */
const topP = 0.9;
const defaultRepeatPenalty = 1.1;
const repeatWindow = 256; // tokens

export class Sampler {
  readonly #f: Functions;
  readonly #chain: Pointer;

  constructor(model: LlamaModel, options: SamplingOptions) {
    const f = model.library.functions;
    this.#f = f;
    this.#chain = f.llama_sampler_chain_init(f.llama_sampler_chain_default_params());
    const add = (sampler: Pointer): void => f.llama_sampler_chain_add(this.#chain, sampler);
    const { repeatPenalty = defaultRepeatPenalty } = options;
    add(f.llama_sampler_init_penalties(model.vocabularySize, repeatWindow, repeatPenalty, 0, 0));
    if (options.temperature <= 0) {
      add(f.llama_sampler_init_greedy());
    } else {
      add(f.llama_sampler_init_top_p(topP, 1));
      add(f.llama_sampler_init_temp(options.temperature));
      add(f.llama_sampler_init_dist(options.seed));
    }
  }

  /** Chooses a token from a row of logits of the context's last decode, and remembers it; -1 is the last row. */
  sample(context: LlamaContext, row = -1): Token {
    return this.#f.llama_sampler_sample(this.#chain, context.pointer, row) as Token;
  }

  dispose(): void {
    this.#f.llama_sampler_free(this.#chain);
  }
}
