/**
 * Planted facts in 32k tokens: a compressed reading of all of it against the best passages alone, ranked by words or
 * with the index, given raw within the same budget, or read anew and compressed to it.
 */
import { scoreByAttention } from '../../extension/engine/chunkIndex/attentionRanking.ts';
import { PassageIndexer, type PassageKeys } from '../../extension/engine/chunkIndex/passageIndexer.ts';
import { indexPrefix, questionForm } from '../../extension/engine/chunkIndex/questionForm.ts';
import { rankingHeadsOf } from '../../extension/engine/chunkIndex/rankingHeads.ts';
import { presetOptions } from '../../extension/engine/compression/options.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import { chunkSpans } from '../../extension/indexedFiles.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import { passageOf } from '../../extension/retrieval/lines.ts';
import { startRanking, type AttentionScores } from '../../extension/retrieval/ranking.ts';
import { facts, largeSources, plantInPassage, type Fact } from './facts.ts';
import { likelihoodOf, neverAborted, read } from './likelihood.ts';
import { tokenBudget, type Measured } from './measureFacts.ts';

/** Tokens of the sources before a fact is planted. */
const longTokens = 32_768;
/** Tokens of the passages that are read anew and compressed to the budget. */
const gatheredTokens = 2_048;

interface Way {
  /** Ranked with the index, or by words alone; absent: everything, in its order. */
  readonly ranked?: 'words' | 'index';
  /** Tokens of source; 0: nothing. */
  readonly tokens: number;
  readonly compressed: boolean;
}

const ways: Readonly<Record<string, Way>> = {
  longNothing: { tokens: 0, compressed: false },
  longBm25: { ranked: 'words', tokens: tokenBudget, compressed: false },
  longIndexRaw: { ranked: 'index', tokens: tokenBudget, compressed: false },
  longBm25Read: { ranked: 'words', tokens: gatheredTokens, compressed: true },
  longIndexRead: { ranked: 'index', tokens: gatheredTokens, compressed: true },
  longIndexRead4k: { ranked: 'index', tokens: 2 * gatheredTokens, compressed: true },
  longDefault: { tokens: Infinity, compressed: true },
};

/** Each fact in the middle of another source file; all ways for a fact before the next fact. */
export async function* measureLong(
  engine: LoadedEngine,
  wanted: (row: Pick<Measured, 'document' | 'fact' | 'cache'>) => boolean,
): AsyncGenerator<Measured> {
  const countTokens = (text: string): number => engine.model.tokenize(text, { special: false }).length;
  const sources = largeSources(longTokens, countTokens);
  const index = openIndex(engine);
  try {
    for (const [number, fact] of facts.entries()) {
      const passages = plantInPassage(sources, (7 * number) % sources.length, fact);
      for (const [cache, { ranked, tokens, compressed }] of Object.entries(ways)) {
        const key = { document: 'long', fact: fact.name, cache } as const;
        if (!wanted(key)) continue;
        const attention = ranked === 'index' ? await index.attention(passages, fact) : undefined;
        const texts =
          tokens === 0
            ? []
            : ranked === undefined
              ? passages
              : bestPassages(passages, fact, attention, tokens, countTokens);
        const options = compressed ? presetOptions('default', tokenBudget, engine.evidenceHeads) : undefined;
        const reading = await read(engine, texts, fact.question, options);
        const { keptTokens } = reading;
        const documentTokens = reading.document.tokens.length;
        const likelihood = await likelihoodOf(engine, reading, fact);
        yield { ...key, place: 'middle', documentTokens, keptTokens, ...likelihood };
      }
    }
  } finally {
    index.dispose();
  }
}

/** The keys of each chunk are read once: a fact changes one of them. */
function openIndex({ model, pace }: LoadedEngine) {
  const ranking = rankingHeadsOf(model.metadata('general.basename'), model.metadata('general.size_label'));
  if (ranking === null) throw new Error('no ranking heads are known for this model');
  const indexer = new PassageIndexer(model, ranking, indexPrefix(model));
  const hooks = { pace, signal: neverAborted };
  const known = new Map<string, PassageKeys>();
  return {
    async attention(documents: readonly Passage[], { question }: Fact): Promise<AttentionScores> {
      const chunks = documents.flatMap((document) =>
        chunkSpans(document).map((span) => passageOf(document, span)),
      );
      for (const chunk of chunks) {
        const text = passageText(chunk);
        if (!known.has(text))
          known.set(text, await indexer.keysOf(model.tokenize(text, { special: false }), hooks));
      }
      const { tokens, rows } = questionForm(model, question);
      const queries = await indexer.queriesOf(tokens, rows, hooks);
      const ratios = chunks.map((chunk) => indexer.attentionOn(known.get(passageText(chunk))!, queries));
      const scores = scoreByAttention(ratios, rows.length, indexer.heads);
      return ({ path }, line) =>
        scores[chunks.findLastIndex((chunk) => chunk.path === path && chunk.startLine <= line)]!;
    },
    dispose: () => indexer.dispose(),
  };
}

/** The best passages of the ranking that fit, in rising relevance; the last that fits is cut to it. */
function bestPassages(
  passages: readonly Passage[],
  { question }: Fact,
  attention: AttentionScores | undefined,
  tokens: number,
  countTokens: (text: string) => number,
): Passage[] {
  const ranking = startRanking(question);
  for (const passage of passages) ranking.add(passage);
  const chosen: Passage[] = [];
  let room = tokens;
  for (const { workspace, path, startLine, endLine } of ranking.rank(attention)) {
    const lines = passages.find((passage) => passage.path === path)!.text.split('\n');
    let passage: Passage = { workspace, path, startLine, endLine, text: '' };
    for (let end = startLine; end <= endLine; end++) {
      const longer = { ...passage, endLine: end, text: `${lines.slice(startLine - 1, end).join('\n')}\n` };
      if (countTokens(passageText(longer)) > room) break;
      passage = longer;
    }
    if (passage.text === '') break;
    chosen.unshift(passage);
    room -= countTokens(passageText(passage));
  }
  return chosen;
}
