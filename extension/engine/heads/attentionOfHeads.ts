/** What every head of a loaded model pays to functions whose descriptions are asked for. */
import { scoreByAttention } from '../chunkIndex/attentionRanking.ts';
import { canRankTogether, PassageIndexer, type PassageKeys } from '../chunkIndex/passageIndexer.ts';
import { indexPrefix, questionForm } from '../chunkIndex/questionForm.ts';
import { queriesOf, type DecodeHooks } from '../queries.ts';
import type { AttentionHead } from '../compression/options.ts';
import { tokenizePassages, type DocumentTokens } from '../documentTokens.ts';
import { contentFreeQuestion } from '../finalAttention.ts';
import type { LayerLayout } from '../llama/attentionProbe.ts';
import { CacheOperations } from '../llama/cacheOperations.ts';
import { LlamaContext } from '../llama/llamaContext.ts';
import type { LlamaModel } from '../llama/llamaModel.ts';
import type { Token } from '../numbers.ts';
import { prefill, yieldToEvents } from '../prefill.ts';
import { buildPrompt, scoringTokensOf } from '../prompt.ts';
import { passageText } from '../../protocol/passageText.ts';
import type { CalibrationFunction } from './calibrationFunctions.ts';
import type { DocumentAttention, HeadsAttention } from './chooseHeads.ts';

/** Whoever ranks by later layers has to read up to them. Of all layers, 0 to 1. */
const rankingLayersShare = 2 / 3;

/**
 * Reads the functions in documents of `perDocument` each.
 * @param done the documents that were read before; those that are read now are added, so that work which was stopped
 *        goes on.
 * @throws errors.cancelled, errors.decodeFailed, errors.memoryRanOut
 */
export async function attentionOfHeads(
  model: LlamaModel,
  functions: readonly CalibrationFunction[],
  perDocument: number,
  done: DocumentAttention[],
  hooks: DecodeHooks,
): Promise<HeadsAttention> {
  const starts = Array.from({ length: Math.ceil(functions.length / perDocument) }, (_, i) => i * perDocument);
  const asked = starts.map((from) => prepare(model, functions.slice(from, from + perDocument)));
  if (asked.some(({ contextSize }) => contextSize > model.contextWindow)) return nothing;
  const layouts = layoutsOf(model);
  const evidenceCandidates = headsOf(layouts.filter(({ window }) => window === null));
  const rankingCandidates = headsOf(rankingLayers(layouts));
  for (const [index, document] of asked.entries()) {
    if (index < done.length) continue;
    const read = await readDocument(model, document, evidenceCandidates, hooks);
    const ranking = await rankAlone(model, document.functions, rankingCandidates, hooks);
    const functionOf = document.tokens.lines.map(({ passage }) => starts[index]! + passage);
    done.push({ ...read, functionOf, ranking });
  }
  return { functions: functions.length, evidenceCandidates, rankingCandidates, documents: done };
}

/** Of a model whose window has no room for a document. */
const nothing: HeadsAttention = {
  ...{ functions: 0, evidenceCandidates: [], rankingCandidates: [], documents: [] },
};

interface AskedDocument {
  readonly functions: readonly CalibrationFunction[];
  readonly prefix: readonly Token[];
  readonly tokens: DocumentTokens;
  /** That without content first. */
  readonly questions: readonly (readonly Token[])[];
  readonly contextSize: number;
}

function prepare(model: LlamaModel, functions: readonly CalibrationFunction[]): AskedDocument {
  const { prefix } = buildPrompt(model, '');
  const tokens = tokenizePassages(
    model,
    functions.map(({ passage }) => passage),
  );
  const questions = [contentFreeQuestion, ...functions.map(({ description }) => description)].map(
    (question) => scoringTokensOf(model, { question }),
  );
  const longest = Math.max(...questions.map(({ length }) => length));
  return {
    ...{ functions, prefix, tokens, questions },
    contextSize: prefix.length + tokens.tokens.length + longest,
  };
}

function layoutsOf(model: LlamaModel): readonly LayerLayout[] {
  const context = new LlamaContext(model, { contextSize: 1 });
  try {
    return context.layouts();
  } finally {
    context.dispose();
  }
}

/** Those whose keys an index can hold together, without the last. */
function rankingLayers(layouts: readonly LayerLayout[]): readonly LayerLayout[] {
  const possible = layouts.filter(
    ({ layer, window }) => window === null && layer < layouts.length * rankingLayersShare,
  );
  const [first] = possible.filter((layout) => canRankTogether(layout, layout));
  return first === undefined ? [] : possible.filter((layout) => canRankTogether(first, layout));
}

function headsOf(layouts: readonly LayerLayout[]): AttentionHead[] {
  return layouts.flatMap(({ layer, heads }) => Array.from({ length: heads }, (_, head) => ({ layer, head })));
}

/** The functions as one document, each one's question asked behind it. */
async function readDocument(
  model: LlamaModel,
  { prefix, tokens: document, questions, contextSize }: AskedDocument,
  candidates: readonly AttentionHead[],
  hooks: DecodeHooks,
): Promise<Pick<DocumentAttention, 'paid' | 'contentFree'>> {
  const context = new LlamaContext(model, { contextSize });
  try {
    const operations = new CacheOperations(context, prefix.length + document.tokens.length);
    try {
      await prefill(context, [...prefix, ...document.tokens], hooks.pace, hooks.signal);
      const all: Float32Array[] = [];
      for (const question of questions) {
        const ofCells = await attentionOn(context, operations, question, candidates, hooks);
        const lines = document.lines.length;
        const ofLines = new Float32Array(lines * candidates.length);
        ofCells.forEach((paid, head) => {
          document.lineOf.forEach((line, token) => {
            ofLines[head * lines + line]! += paid[prefix.length + token]!;
          });
        });
        all.push(ofLines);
      }
      const [contentFree, ...paid] = all;
      return { contentFree: contentFree!, paid };
    } finally {
      operations.dispose();
    }
  } finally {
    context.dispose();
  }
}

/** By head, the mean over the question's rows of what is paid to each cell; the cache is left as it was. */
async function attentionOn(
  context: LlamaContext,
  operations: CacheOperations,
  question: readonly Token[],
  heads: readonly AttentionHead[],
  hooks: DecodeHooks,
): Promise<Float32Array[]> {
  const cells = context.length;
  const layers = new Set(heads.map(({ layer }) => layer));
  const queries = await queriesOf(context, question, layers, hooks);
  const weights = new Float32Array(question.length).fill(1 / question.length);
  const scores = operations.attentionScores(queries, cells, weights);
  return heads.map(({ layer, head }) => scores.get(layer)!.subarray(head * cells, (head + 1) * cells));
}

/** The functions each read alone, and the questions without them, as an index does it. */
async function rankAlone(
  model: LlamaModel,
  functions: readonly CalibrationFunction[],
  candidates: readonly AttentionHead[],
  hooks: DecodeHooks,
): Promise<readonly (readonly Float32Array[])[]> {
  if (candidates.length === 0) return functions.map(() => []);
  const indexer = new PassageIndexer(model, candidates, indexPrefix(model));
  try {
    const keys: PassageKeys[] = [];
    for (const { passage } of functions) {
      keys.push(await indexer.keysOf(model.tokenize(passageText(passage), { special: false }), hooks));
    }
    const scores: Float32Array[][] = [];
    for (const { description } of functions) {
      const { tokens, rows } = questionForm(model, description);
      const queries = await indexer.queriesOf(tokens, rows, hooks);
      const ratios: Float32Array[] = [];
      for (const passage of keys) {
        await yieldToEvents();
        hooks.signal.throwIfAborted();
        ratios.push(indexer.attentionOn(passage, queries));
      }
      scores.push(
        candidates.map((_, head) => {
          const own = ratios.map((all) => all.subarray(head * rows.length, (head + 1) * rows.length));
          return Float32Array.from(scoreByAttention(own, rows.length, 1));
        }),
      );
    }
    return scores;
  } finally {
    indexer.dispose();
  }
}
