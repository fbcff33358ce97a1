/**
 * Answers that quote what was read, with drafts and without, by turns on the same cache. A quote is begun with the first
 * lines of a function, and the model writes on, greedily and without a penalty for what it repeats, so that it does quote.
 */
import { maxDraftTokens } from '../../extension/engine/draft.ts';
import type { DocumentTokens } from '../../extension/engine/documentTokens.ts';
import { generate, type Generated } from '../../extension/engine/generate.ts';
import type { LlamaContext } from '../../extension/engine/llama/llamaContext.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { Token } from '../../extension/engine/numbers.ts';
import { prefill } from '../../extension/engine/prefill.ts';
import { buildPrompt } from '../../extension/engine/prompt.ts';
import { neverAborted } from './likelihood.ts';

export interface Quoting {
  /** Seconds per token. */
  readonly drafted: number;
  readonly plain: number;
  /** Of the tokens, the share that was drafted. */
  readonly share: number;
  /** Between the two best logits where the two texts part; null when they do not. */
  readonly gap: number | null;
}

const question = 'What is the code, word for word?';
/** Tokens of one document, about what an answer sees. */
const documentTokens = 700;
/** Quotes of one document, and the lines that each begins with. */
const quotes = 2;
const linesBegun = 3;
const answerTokens = 96;
const greedy = { temperature: 0, seed: 1, repeatPenalty: 1 };
/** With what it begins with. */
const quoteTokens = 256;

/** @param all is cut into documents that are quoted one after the other */
export async function measureQuoting(engine: LoadedEngine, all: DocumentTokens): Promise<Quoting[]> {
  const measured: Quoting[] = [];
  for (let from = 0; from < all.tokens.length; from += documentTokens) {
    measured.push(...(await measureQuotes(engine, tokensFrom(all, from, documentTokens))));
  }
  return measured;
}

export function tokensFrom(
  { tokens, lineOf, lines }: DocumentTokens,
  from: number,
  count: number,
): DocumentTokens {
  return { tokens: tokens.slice(from, from + count), lineOf: lineOf.slice(from, from + count), lines };
}

async function measureQuotes(engine: LoadedEngine, document: DocumentTokens): Promise<Quoting[]> {
  const { model } = engine;
  const { prefix, suffix } = buildPrompt(model, question);
  const rows = prefix.length + document.tokens.length;
  const { context } = engine.open(rows + suffix.length + quoteTokens, rows, 1 + maxDraftTokens);
  context.clear();
  await prefill(context, [...prefix, ...document.tokens], engine.pace, neverAborted);
  const cells = context.length;
  const measured: Quoting[] = [];
  const textOf = (tokens: readonly Token[]): string =>
    Buffer.concat(tokens.map((token) => model.piece(token))).toString('utf8');
  for (const begin of beginningsOf(document, textOf)) {
    const prompt = [...suffix, ...engine.model.tokenize('The code is:\n```\n', { special: false }), ...begin];
    const written = async (read: readonly Token[]): Promise<Generated> => {
      context.truncate(cells);
      await prefill(context, prompt.slice(0, -1), engine.pace, neverAborted);
      context.decode(prompt.slice(-1), { logits: 'last' });
      const { draftCosts } = engine;
      const options = { ...greedy, maxAnswerTokens: answerTokens, read, draftCosts };
      return generate(context, options, { signal: neverAborted, onText: () => undefined });
    };
    const [plain, drafted] = [await written([]), await written(document.tokens)];
    measured.push({
      drafted: drafted.seconds / drafted.tokens.length,
      plain: plain.seconds / plain.tokens.length,
      share: drafted.draftedTokens / drafted.tokens.length,
      gap: gapWhereTheyPart(context, cells, prompt, plain.tokens, drafted.tokens),
    });
  }
  return measured;
}

/** The first lines of functions, at even distances over the document. */
function beginningsOf(
  { tokens, lineOf }: DocumentTokens,
  textOf: (tokens: readonly Token[]) => string,
): Token[][] {
  const lines = new Map<number, Token[]>();
  tokens.forEach((token, i) => lines.set(lineOf[i]!, [...(lines.get(lineOf[i]!) ?? []), token]));
  const begins = [...lines.keys()].filter((line) =>
    /^(export )?(async )?function /.test(textOf(lines.get(line)!)),
  );
  return Array.from({ length: Math.min(quotes, begins.length) }, (_, i) => {
    const line = begins[Math.floor((i * begins.length) / quotes)]!;
    return Array.from({ length: linesBegun }, (_, after) => lines.get(line + after) ?? []).flat();
  });
}

/** The same prompt and the tokens that both have are decoded one by one, as without drafts. */
function gapWhereTheyPart(
  context: LlamaContext,
  cells: number,
  prompt: readonly Token[],
  plain: readonly Token[],
  drafted: readonly Token[],
): number | null {
  const parts = plain.findIndex((token, i) => token !== drafted[i]);
  if (parts < 0) return null;
  context.truncate(cells);
  context.decode(prompt, { logits: 'last' });
  for (const token of plain.slice(0, parts)) context.decode([token], { logits: 'last' });
  const logits = context.logits();
  return Math.abs(logits[plain[parts]!]! - logits[drafted[parts]!]!);
}
