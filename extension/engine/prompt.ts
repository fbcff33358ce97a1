/** The prompt, in the model's own chat template, cut where the document goes. */
import { Template } from '@huggingface/jinja';
import type { LlamaModel } from './llama/llamaModel.ts';
import type { Token } from './numbers.ts';

export interface Prompt {
  /** Up to the document: instructions and the beginning of the user's turn. */
  readonly prefix: readonly Token[];
  /** After the document: the question and the beginning of the answer. */
  readonly suffix: readonly Token[];
  /** What is decoded after each chunk so that its attention decides: the bare question (paper, section 3.1). */
  readonly scoring: readonly Token[];
}

const instructions =
  'You answer questions about a code repository. Use only the given files. ' +
  'After each statement cite its place as path:line. Say so when the files do not hold the answer.';

/** The most question tokens whose attention is used; of a longer question, its first and last halves of this. */
export const maxScoringTokens = 512;

/** Stands for the document while the template is rendered; it occurs in no template and in no question. */
const documentMark = '\u{E000}document\u{E000}';

export function buildPrompt(model: LlamaModel, question: string): Prompt {
  const rendered = renderTemplate(model, question.replaceAll(documentMark, ''));
  const mark = rendered.indexOf(documentMark);
  const before = rendered.slice(0, mark);
  const after = rendered.slice(mark + documentMark.length);
  const prefix = model.tokenize(before, { special: true });
  const begin = model.beginToken;
  return {
    prefix: begin !== null && prefix[0] !== begin ? [begin, ...prefix] : prefix,
    suffix: model.tokenize(after, { special: true }),
    scoring: shorten(model.tokenize(`\nQuestion: ${question}\n`, { special: false })),
  };
}

/** A model without a template, or with one that cannot be rendered, gets plain paragraphs. */
function renderTemplate(model: LlamaModel, question: string): string {
  const user = `${documentMark}\nQuestion: ${question}`;
  const template = model.chatTemplate;
  if (template === null) return `${instructions}\n\n${user}\nAnswer:`;
  const { bos, eos } = model.specialTexts;
  const render = (messages: readonly { role: string; content: string }[]): string =>
    new Template(template).render({ messages, add_generation_prompt: true, bos_token: bos, eos_token: eos });
  const conversations = [
    [
      { role: 'system', content: instructions },
      { role: 'user', content: user },
    ],
    // Some templates refuse a system turn.
    [{ role: 'user', content: `${instructions}\n\n${user}` }],
  ];
  for (const conversation of conversations) {
    try {
      const rendered = render(conversation);
      if (rendered.includes(documentMark) && rendered.includes(instructions)) return rendered;
    } catch {
      // The next form is tried.
    }
  }
  return `${instructions}\n\n${user}\nAnswer:`;
}

function shorten(tokens: readonly Token[]): readonly Token[] {
  if (tokens.length <= maxScoringTokens) return tokens;
  const half = maxScoringTokens / 2;
  return [...tokens.slice(0, half), ...tokens.slice(-half)];
}
