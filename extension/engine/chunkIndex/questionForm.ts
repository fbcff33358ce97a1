/** How a question is put to the index. */
import type { LlamaModel } from '../llama/llamaModel.ts';
import type { Token } from '../numbers.ts';
import { buildPrompt } from '../prompt.ts';

/** Question tokens that are used; of a longer question, the first of them. */
const maxQuestionTokens = 256;

/** What stands before every passage and question of an index. */
export function indexPrefix(model: LlamaModel): readonly Token[] {
  return buildPrompt(model, '').prefix;
}

/**
 * The question twice: a token of the first knows only what stands before it, one of the second all of the question.
 * @returns its tokens, and which of them are the second one's own words
 */
export function questionForm(
  model: LlamaModel,
  question: string,
): { readonly tokens: readonly Token[]; readonly rows: readonly number[] } {
  const text = (plain: string): Token[] => model.tokenize(plain, { special: false });
  const lead = text('\nQuestion:');
  const own = text(` ${question}\n`).slice(0, maxQuestionTokens);
  const once = [...lead, ...own];
  return {
    tokens: [...once, ...once],
    rows: own.map((_, index) => once.length + lead.length + index),
  };
}
