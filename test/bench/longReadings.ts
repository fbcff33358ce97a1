/** Planted facts in 32k tokens: compressed reading against BM25's best passages given raw, at the same budget. */
import { presetOptions } from '../../extension/engine/compression/options.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import type { Passage } from '../../extension/protocol/nouns.ts';
import { passageText } from '../../extension/protocol/passageText.ts';
import { startRanking } from '../../extension/retrieval/ranking.ts';
import { facts, largeSources, plantInPassage, type Fact } from './facts.ts';
import { likelihoodOf, read } from './likelihood.ts';
import { tokenBudget, type Measured } from './measureFacts.ts';

/** Tokens of the sources before a fact is planted. */
const longTokens = 32_768;

const caches = ['longNothing', 'longBm25', 'longDefault'] as const;

/** Each fact in the middle of another source file; rows of all three caches for a fact before the next fact. */
export async function* measureLong(
  engine: LoadedEngine,
  wanted: (row: Pick<Measured, 'document' | 'fact' | 'cache'>) => boolean,
): AsyncGenerator<Measured> {
  const countTokens = (text: string): number => engine.model.tokenize(text, { special: false }).length;
  const sources = largeSources(longTokens, countTokens);
  for (const [index, fact] of facts.entries()) {
    const passages = plantInPassage(sources, (7 * index) % sources.length, fact);
    for (const cache of caches) {
      const key = { document: 'long', fact: fact.name, cache } as const;
      if (!wanted(key)) continue;
      const texts =
        cache === 'longNothing'
          ? []
          : cache === 'longBm25'
            ? bestPassages(passages, fact, countTokens)
            : passages;
      const options =
        cache === 'longDefault' ? presetOptions('default', tokenBudget, engine.evidenceHeads) : undefined;
      const reading = await read(engine, texts, fact.question, options);
      const { keptTokens } = reading;
      const documentTokens = reading.document.tokens.length;
      const likelihood = await likelihoodOf(engine, reading, fact);
      yield { ...key, place: 'middle', documentTokens, keptTokens, ...likelihood };
    }
  }
}

/** The best passages of the ranking that fit the budget, in rising relevance; the last that fits is cut to it. */
function bestPassages(
  passages: readonly Passage[],
  { question }: Fact,
  countTokens: (text: string) => number,
): Passage[] {
  const ranking = startRanking(question);
  for (const passage of passages) ranking.add(passage);
  const chosen: Passage[] = [];
  let room = tokenBudget;
  for (const { workspace, path, startLine, endLine } of ranking.rank()) {
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
