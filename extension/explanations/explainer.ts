/** Makes explanations: the places of a symbol are read first, and a model says what it is. */
import type { AskWindow } from '../views/askWindow.ts';
import { readingUnsaved, workspaceFolders } from '../editor/workspaceFolders.ts';
import { readPassagesAgain } from '../earlierReading.ts';
import { isAskError } from '../errors.ts';
import type { ProgressEvent } from '../protocol/answerEvents.ts';
import type { Grammars } from '../retrieval/syntax.ts';
import type { Explanation, SymbolKey } from './explanation.ts';
import type { ExplanationStore } from './explanationStore.ts';
import { shortText } from './modelText.ts';
import { findPlaces, type NamedPlace } from './symbolPlaces.ts';

/** Tokens: enough for the definition and some uses, and read within seconds. */
const readingLimit = 1_500;
/** Tokens: one or two sentences, of which the last may be cut off. */
const maxAnswerTokens = 90;

export type OnProgress = (progress: ProgressEvent) => void;

export class Explainer {
  readonly #ask: AskWindow['ask'];
  readonly #store: ExplanationStore;
  readonly #grammars: Grammars;
  /** By the word that it was asked for. */
  readonly #running = new Map<string, Promise<Explanation | undefined>>();

  constructor(parts: {
    readonly ask: AskWindow['ask'];
    readonly store: ExplanationStore;
    readonly grammars: Grammars;
  }) {
    this.#ask = parts.ask;
    this.#store = parts.store;
    this.#grammars = parts.grammars;
  }

  /**
   * Makes and stores one; undefined when nothing that is read has the name, or the model said nothing that can be
   * shown. A word that is being explained is not explained a second time at once: both callers get the one.
   * @throws AskError as `ask` does
   */
  async explain(
    place: NamedPlace,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Explanation | undefined> {
    const { workspace, path, line, name } = place;
    const id = JSON.stringify([workspace, path, line, name]);
    const running = this.#running.get(id);
    if (running !== undefined) {
      try {
        return await running;
      } catch (error) {
        if (signal.aborted || !isAskError(error, 'cancelled')) throw error;
        // Who began it stopped it, and this caller did not.
        return this.explain(place, onProgress, signal);
      }
    }
    const explaining = this.#explain(place, onProgress, signal).finally(() => this.#running.delete(id));
    this.#running.set(id, explaining);
    return explaining;
  }

  async #explain(
    place: NamedPlace,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Explanation | undefined> {
    const { key, definition, uses, pins, files } = await findPlaces(place, this.#grammars, signal);
    if (pins.length === 0) return undefined;
    const question = { question: questionFor(key), pins, history: [], answerSoFar: '' };
    const limits = { readingLimit, maxAnswerTokens, background: true } as const;
    let text = '';
    for await (const event of this.#ask({ ...question, ...limits }, signal)) {
      if (event.event === 'progress') onProgress(event);
      if (event.event === 'answer') text = shortText(event.text);
    }
    if (text === '') return undefined;
    const places = { ...(definition === undefined ? {} : { definition }), uses };
    const explanation = { ...key, text, ...places, files, madeAt: Date.now() };
    await this.#store.write(explanation);
    return explanation;
  }
}

/** Whether every file that it was made from is as it was, unsaved texts included. */
export async function isValid({ files }: Explanation, signal: AbortSignal): Promise<boolean> {
  const record = { files, passages: [] };
  const { changed } = await readPassagesAgain(record, workspaceFolders(), readingUnsaved(), signal);
  return changed.length === 0;
}

function questionFor({ name, container }: SymbolKey): string {
  const symbol = container === '' ? name : `${container}.${name}`;
  return `What is \`${symbol}\` and how is it used here?`;
}
