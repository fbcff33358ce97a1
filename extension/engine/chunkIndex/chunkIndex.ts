/** The index of a loaded model: reads the chunks of files into the store, and scores what is there by a question. */
import type { IndexedFile } from '../../protocol/engine.ts';
import type { Passage } from '../../protocol/nouns.ts';
import { passageText } from '../../protocol/passageText.ts';
import type { AttentionHead } from '../compression/options.ts';
import type { ReadingStore } from '../kvState/readingStore.ts';
import type { EngineIdentity } from '../kvState/stateKey.ts';
import type { LlamaModel } from '../llama/llamaModel.ts';
import type { Token } from '../numbers.ts';
import { scoreByAttention } from './attentionRanking.ts';
import type { DecodeHooks } from '../queries.ts';
import { PassageIndexer, type PassageKeys } from './passageIndexer.ts';
import { indexPrefix, questionForm } from './questionForm.ts';
import { indexKey, restoreKeys, saveKeys } from './storedKeys.ts';

/** What a question is compared with at most, tokens: a quarter of a gigabyte of keys, and some seconds. */
export const mostRankedTokens = 1_000_000;

export class ChunkIndex {
  readonly #model: LlamaModel;
  readonly #indexer: PassageIndexer;
  readonly #nameOf: (file: IndexedFile) => string;

  /** @throws errors.modelNotServed as `PassageIndexer` does */
  constructor(model: LlamaModel, ranking: readonly AttentionHead[], identity: EngineIdentity) {
    const prefix = indexPrefix(model);
    this.#model = model;
    this.#indexer = new PassageIndexer(model, ranking, prefix);
    this.#nameOf = (file) => `${indexKey({ ...identity, ranking, prefix, file })}.keys`;
  }

  has(store: ReadingStore, file: IndexedFile): Promise<boolean> {
    return store.has(this.#nameOf(file));
  }

  /**
   * Reads the chunks of a file, each at most once by its name in the store.
   * @param chunks in their order
   * @returns tokens read, or null when the store has no room for them
   * @throws errors.cancelled, errors.decodeFailed
   */
  async add(
    store: ReadingStore,
    file: IndexedFile,
    chunks: readonly Passage[],
    hooks: DecodeHooks,
  ): Promise<number | null> {
    const tokens = chunks.map((chunk) => this.#tokensOf(chunk));
    const count = tokens.reduce((sum, { length }) => sum + length, 0);
    if ((await store.room()) < count * this.#indexer.tokenBytes) return null;
    const keys: PassageKeys[] = [];
    for (const chunk of tokens) keys.push(await this.#indexer.keysOf(chunk, hooks));
    store.write(this.#nameOf(file), saveKeys(keys));
    return count;
  }

  /**
   * Scores chunks by what the question's tokens pay to them: see `scoreByAttention`.
   * @param files the likeliest first: beyond `mostRankedTokens` none is looked at.
   * @returns for each file the scores of its chunks; null when it is not in the store, or was not looked at.
   * @throws errors.cancelled, errors.decodeFailed
   */
  async scores(
    store: ReadingStore,
    files: readonly IndexedFile[],
    question: string,
    hooks: DecodeHooks,
  ): Promise<(readonly number[] | null)[]> {
    const { tokens, rows } = questionForm(this.#model, question);
    const queries = await this.#indexer.queriesOf(tokens, rows, hooks);
    const ratios: Float32Array[] = [];
    const chunksOf: number[] = [];
    let ranked = 0;
    for (const file of files) {
      hooks.signal.throwIfAborted();
      const keys = ranked < mostRankedTokens ? await this.#read(store, file) : null;
      chunksOf.push(keys?.length ?? 0);
      for (const chunk of keys ?? []) {
        ratios.push(this.#indexer.attentionOn(chunk, queries));
        ranked += chunk.tokens;
      }
    }
    const scores = ratios.length === 0 ? [] : [...scoreByAttention(ratios, rows.length, this.#indexer.heads)];
    return chunksOf.map((chunks) => (chunks === 0 ? null : scores.splice(0, chunks)));
  }

  dispose(): void {
    this.#indexer.dispose();
  }

  #tokensOf(chunk: Passage): Token[] {
    return this.#model.tokenize(passageText(chunk), { special: false });
  }

  async #read(store: ReadingStore, file: IndexedFile): Promise<PassageKeys[] | null> {
    const stored = await store.read(this.#nameOf(file));
    const keys = stored === null ? null : restoreKeys(stored, this.#indexer.tokenBytes);
    return keys?.length === file.chunkStarts.length ? keys : null;
  }
}
