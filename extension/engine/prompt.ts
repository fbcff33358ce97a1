/** The prompt, in the model's own chat template, cut where the document and the user's text go. */
import { Template } from '@huggingface/jinja';
import type { ReadUnder } from '../protocol/engine.ts';
import type { Turn } from '../protocol/nouns.ts';
import { questionLabel } from './answerEnd.ts';
import type { LlamaModel } from './llama/llamaModel.ts';
import type { Token } from './numbers.ts';

export interface Prompt {
  /** Up to the document: instructions and the beginning of the user's turn. */
  readonly prefix: readonly Token[];
  /** After the document: earlier questions with their answers. Empty for a first question. */
  readonly history: readonly Token[];
  /** After the history: the question and what a template puts before an answer. */
  readonly suffix: readonly Token[];
  /** The beginning of the answer, when one is continued; empty otherwise. */
  readonly begun: readonly Token[];
  /**
   * What is decoded after each chunk so that its attention decides: the bare question (paper, section 3.1), with the
   * one before it, since a follow-up such as "and where is that called?" says little alone.
   */
  readonly scoring: readonly Token[];
  /** As `scoring`, of a question that asks for nothing. */
  readonly contentFree: readonly Token[];
}

/** What was said before this answer goes on. */
export interface Conversation {
  /** Oldest first. */
  readonly history: readonly Turn[];
  /** Empty unless an answer is continued. */
  readonly answerSoFar: string;
}

const instructions =
  'You answer questions about a code repository. Use only the given files. ' +
  'After each statement cite its place as path:line. Say so when the files do not hold the answer.';

/** The most question tokens whose attention is used; of a longer question, its first and last halves of this. */
export const maxScoringTokens = 512;
/** The most of them that come from the question before, of which likewise the first and last halves are taken. */
const maxPreviousScoringTokens = 128;
/** The most tokens of earlier turns, and the largest part of the model's window that they take (0 to 1). */
export const maxHistoryTokens = 512;
const maxHistoryShare = 1 / 8;

/** As In-Context Re-ranking has it (arXiv 2410.02642): short, since it is decoded after every chunk. */
const contentFreeQuestion = 'N/A';

/** Stands for the user's text while the template is rendered; it occurs in no template. */
const userMark = '\u{E000}user\u{E000}';

const historyHeading = '\nEarlier in this conversation:';
const noConversation: Conversation = { history: [], answerSoFar: '' };

/**
 * Only what the template itself says is read with control tokens: in a question, an answer or a document they are
 * text, so that nothing in them can end a turn or begin one.
 */
export function buildPrompt(
  model: LlamaModel,
  question: string,
  { history, answerSoFar }: Conversation = noConversation,
): Prompt {
  const text = (plain: string): Token[] => model.tokenize(plain, { special: false });
  const rendered = renderTemplate(model);
  const mark = rendered.indexOf(userMark);
  const prefix = model.tokenize(rendered.slice(0, mark), { special: true });
  const begin = model.beginToken;
  return {
    prefix: begin !== null && prefix[0] !== begin ? [begin, ...prefix] : prefix,
    history: historyTokens(text, history, historyLimit(model.contextWindow)),
    suffix: [
      ...text(`${questionLabel} ${question}`),
      ...model.tokenize(rendered.slice(mark + userMark.length), { special: true }),
    ],
    begun: text(answerSoFar),
    scoring: scoringTokens(text, question, history.at(-1)?.question),
    contentFree: scoringTokens(text, contentFreeQuestion, undefined),
  };
}

/** As `Prompt.scoring`, for the question that a document was read under. */
export function scoringTokensOf(
  model: LlamaModel,
  { question, previousQuestion }: ReadUnder,
): readonly Token[] {
  return scoringTokens((plain) => model.tokenize(plain, { special: false }), question, previousQuestion);
}

/** Tokens of earlier turns that fit beside everything else in a window of so many tokens. */
export function historyLimit(contextWindow: number): number {
  return Math.min(maxHistoryTokens, Math.floor(contextWindow * maxHistoryShare));
}

/** The latest turns that fit the limit, oldest first. When not even the latest does, its beginning and its end. */
function historyTokens(
  text: (plain: string) => Token[],
  history: readonly Turn[],
  limit: number,
): readonly Token[] {
  const heading = text(historyHeading);
  let kept: readonly Token[] = [];
  for (const { question, answer } of history.toReversed()) {
    const turn = text(`${questionLabel} ${question}\nAnswer: ${answer}`);
    const room = limit - heading.length - kept.length;
    if (turn.length > room && kept.length > 0) break;
    kept = [...shorten(turn, room), ...kept];
  }
  return kept.length === 0 ? [] : [...heading, ...kept];
}

function scoringTokens(
  text: (plain: string) => Token[],
  question: string,
  previous: string | undefined,
): readonly Token[] {
  const own = shorten(text(`${questionLabel} ${question}\n`), maxScoringTokens);
  if (previous === undefined) return own;
  const room = Math.min(maxPreviousScoringTokens, maxScoringTokens - own.length);
  return [...shorten(text(`${questionLabel} ${previous}`), room), ...own];
}

/** A model without a template, or with one that cannot be rendered, gets plain paragraphs. */
export function renderTemplate({
  chatTemplate: template,
  specialTexts: { bos, eos },
}: Pick<LlamaModel, 'chatTemplate' | 'specialTexts'>): string {
  const plain = `${instructions}\n\n${userMark}\nAnswer:`;
  if (template === null) return plain;
  // Models that can think aloud would spend the answer's tokens on it; to all others this says nothing.
  const settings = { add_generation_prompt: true, enable_thinking: false, bos_token: bos, eos_token: eos };
  const render = (messages: readonly { role: string; content: string }[]): string =>
    new Template(template).render({ messages, ...settings });
  const conversations = [
    [
      { role: 'system', content: instructions },
      { role: 'user', content: userMark },
    ],
    // Some templates refuse a system turn.
    [{ role: 'user', content: `${instructions}\n\n${userMark}` }],
  ];
  for (const conversation of conversations) {
    try {
      const rendered = render(conversation);
      if (rendered.includes(userMark) && rendered.includes(instructions)) return rendered;
    } catch {
      // The next form is tried.
    }
  }
  return plain;
}

/** The first and last halves of what is too long. */
function shorten(tokens: readonly Token[], limit: number): readonly Token[] {
  if (tokens.length <= limit) return tokens;
  const head = Math.ceil(Math.max(0, limit) / 2);
  const tail = Math.max(0, limit) - head;
  return [...tokens.slice(0, head), ...tokens.slice(tokens.length - tail)];
}
