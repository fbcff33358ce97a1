/** What the evidence heads find in the kept document, once everything has been read. */
import type { CompressedCache } from './compression/compress.ts';
import { listOfHead } from './compression/score.ts';
import type { DocumentTokens } from './documentTokens.ts';
import type { LoadedEngine, OpenedContext } from './loadedEngine.ts';
import type { Token } from './numbers.ts';
import { prefill, runBatch } from './prefill.ts';
import { buildPrompt, type Prompt } from './prompt.ts';
import { decodeQuestion, queriesOf } from './queries.ts';

export interface FinalAttention {
  /** Per kept document token, the mean over the evidence heads and the question's rows; empty when the heads are not known. */
  readonly byEntry: ReadonlyMap<number, number>;
  /**
   * The most that one line gets beyond what a content-free question pays to it, as a share of all attention (0 to 1);
   * null when the heads are not known.
   */
  readonly focus: number | null;
  /** Tokens that went through the model. */
  readonly prefillTokens: number;
}

/** What this one pays to a line, the line gets for reasons that have nothing to do with what is asked. */
export const contentFreeQuestion = 'What is this about?';

/**
 * Decodes the rest of the prompt, after which the answer can be generated, and takes the evidence heads' attention.
 * It is the question's alone: what was said before it, or of its answer already, is not asked now.
 */
export async function decodeSuffix(
  engine: LoadedEngine,
  { context, operations }: OpenedContext,
  cache: CompressedCache,
  document: DocumentTokens,
  prompt: Prompt,
  signal: AbortSignal,
): Promise<FinalAttention> {
  const { pace, evidenceHeads: heads } = engine;
  await prefill(context, prompt.history, pace, signal);
  const cells = context.length;
  const layers = new Set(heads?.map(({ layer }) => layer));
  const layouts = operations.layouts.filter(({ window }) => window === null);

  const attentionOf = async (
    tokens: readonly Token[],
    decode: typeof queriesOf,
  ): Promise<Map<number, number>> => {
    const queries = await decode(context, tokens, layers, { pace, signal });
    const byEntry = new Map<number, number>();
    if (heads === null) return byEntry;
    const weights = new Float32Array(tokens.length).fill(1 / tokens.length / heads.length);
    const scores = operations.attentionScores(queries, cells, weights);
    for (const one of heads) {
      const paid = scores.get(one.layer)!.subarray(one.head * cells, (one.head + 1) * cells);
      listOfHead(cache.lists, layouts, one).entries.forEach((entry, cell) => {
        if (entry >= 0) byEntry.set(entry, (byEntry.get(entry) ?? 0) + paid[cell]!);
      });
    }
    return byEntry;
  };

  const body = prompt.suffix.slice(0, -1);
  let contentFree: Map<number, number> | null = null;
  let prefillTokens = prompt.history.length + prompt.suffix.length + prompt.begun.length;
  if (heads !== null) {
    // No longer than the prompt's own, for which there is room.
    const tokens = buildPrompt(engine.model, contentFreeQuestion).suffix.slice(0, body.length);
    contentFree = await attentionOf(tokens, queriesOf);
    prefillTokens += tokens.length;
  }
  const byEntry = await attentionOf(body, decodeQuestion);
  const rest = [...prompt.suffix.slice(-1), ...prompt.begun];
  await prefill(context, rest.slice(0, -1), pace, signal);
  await runBatch(1, pace, signal, () => context.decode(rest.slice(-1), { logits: 'last' }));
  return {
    byEntry,
    focus: contentFree === null ? null : largestExcess(byEntry, contentFree, document.lineOf),
    prefillTokens,
  };
}

/** The largest sum over a line of what `asked` pays more than `contentFree`. */
function largestExcess(
  asked: ReadonlyMap<number, number>,
  contentFree: ReadonlyMap<number, number>,
  lineOf: Int32Array,
): number {
  const byLine = new Map<number, number>();
  for (const [entry, paid] of asked) {
    const line = lineOf[entry]!;
    byLine.set(line, (byLine.get(line) ?? 0) + paid - (contentFree.get(entry) ?? 0));
  }
  return Math.max(0, ...byLine.values());
}
