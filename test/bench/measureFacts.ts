/** Measures the planted facts under one way of reading. */
import { presetOptions, type CompressionOptions } from '../../extension/engine/compression/options.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';
import { documentSizes, plantDocument, type Fact, type Place, type PlantedDocument } from './facts.ts';
import { likelihoodOf, read, type Reading } from './likelihood.ts';

export interface Measured {
  /** Index of the document; `long` for those of 32k tokens. */
  readonly document: number | 'long';
  readonly documentTokens: number;
  readonly fact: string;
  /** Where it is planted; `absent` when it is asked for and not there. */
  readonly place: Place | 'absent';
  /** How it was read: nothing, everything, a preset, a variant; absent is the default preset. */
  readonly cache: string;
  readonly keptTokens: number;
  /** Mean over the tokens of the right answer, nats. */
  readonly nll: number;
  /** See `FinalAttention`. */
  readonly focus: number | null;
}

/** Document tokens kept. */
export const tokenBudget = 512;

/** Questions for what is not in the document, for each of the shortest documents. */
const absentPerDocument = 3;

/** Ways to differ from the default preset. */
const variants: { readonly [name: string]: (preset: CompressionOptions) => CompressionOptions } = {
  pooled3: (preset) => ({ ...preset, unit: { kind: 'neighbourhood', radius: 3 } }),
  pooled6: (preset) => ({ ...preset, unit: { kind: 'neighbourhood', radius: 6 } }),
  noSinks: (preset) => ({ ...preset, sinkTokens: 0 }),
  chunk256: (preset) => ({ ...preset, chunkTokens: 256 }),
  chunk1024: (preset) => ({ ...preset, chunkTokens: 1024 }),
  sigma: (preset) => ({ ...preset, growth: 'sigma' }),
};

export const variantNames: readonly string[] = Object.keys(variants);

/**
 * Reads the documents under each question and takes the likelihood of the right answers.
 * @param wanted which rows to measure.
 */
export async function* measure(
  engine: LoadedEngine,
  cache: string,
  wanted: (row: Pick<Measured, 'document' | 'fact' | 'cache'>) => boolean,
  documents: readonly number[],
): AsyncGenerator<Measured> {
  const countTokens = (text: string): number => engine.model.tokenize(text, { special: false }).length;
  const options = cacheOptions(cache, engine);
  for (const index of documents) {
    const document = plantDocument(index, documentSizes[index]!, countTokens);
    // What is read without compression is the same for all questions.
    let shared: Reading | null = null;
    for (const { fact, place } of questionsOf(document, cache)) {
      const key = { document: index, fact: fact.name, cache };
      if (!wanted(key)) continue;
      const passages = cache === 'nothing' ? [] : document.passages;
      const reading: Reading = shared ?? (await read(engine, passages, fact.question, options));
      if (options === undefined) shared = reading;
      const { keptTokens } = reading;
      const documentTokens = reading.document.tokens.length;
      yield { ...key, place, documentTokens, keptTokens, ...(await likelihoodOf(engine, reading, fact)) };
    }
  }
}

function questionsOf(
  { index, planted, absent }: PlantedDocument,
  cache: string,
): readonly { fact: Fact; place: Place | 'absent' }[] {
  if (cache !== 'absent') return planted;
  if (documentSizes[index] !== Math.min(...documentSizes)) return [];
  return Array.from({ length: absentPerDocument }, (_, i) => ({
    fact: absent[(index + 5 * i) % absent.length]!,
    place: 'absent',
  }));
}

/** Undefined reads without compression. */
function cacheOptions(cache: string, engine: LoadedEngine): CompressionOptions | undefined {
  if (cache === 'nothing' || cache === 'everything') return undefined;
  if (cache === 'paper' || cache === 'perHead')
    return presetOptions(cache, tokenBudget, engine.evidenceHeads);
  const preset = presetOptions('default', tokenBudget, engine.evidenceHeads);
  if (cache === 'default' || cache === 'absent') return preset;
  const variant = variants[cache];
  if (variant === undefined) throw new Error(`There is no way of reading named ${cache}.`);
  return variant(preset);
}
