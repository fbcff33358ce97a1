/** kvpress's FinchPress on the weights of the same file, in a process of Python: the outside reference. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { tokenizePassages, type DocumentTokens } from '../../../extension/engine/documentTokens.ts';
import type { LoadedEngine } from '../../../extension/engine/loadedEngine.ts';
import type { Token } from '../../../extension/engine/numbers.ts';
import { buildPrompt } from '../../../extension/engine/prompt.ts';
import type { Passage } from '../../../extension/protocol/nouns.ts';
import type { Question } from './questions.ts';

/** It says what it reads and writes, and what it needs. */
const script = 'test/bench/quality/finchPress.py';

const result = z.object({
  answers: z.array(z.object({ nll: z.number(), greedy: z.boolean() })),
  held: z.array(z.int().min(0)),
  lists: z.int().min(1),
});

export interface PressedAnswers {
  /** One for each answer. */
  readonly answers: readonly { readonly nll: number; readonly greedy: boolean }[];
  /** Per document token, how many of the lists hold it: one list for each layer and KV head. */
  readonly held: Int32Array;
  readonly lists: number;
  readonly document: DocumentTokens;
  readonly seconds: number;
}

/** Owns the process, which holds the model as float32. */
export class Kvpress {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param python of an environment with the packages that the script names */
  constructor(python: string, modelPath: string) {
    this.#process = spawn(python, [script, '--model', modelPath], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * The answers after `tokenBudget` document tokens, and as many as the prompt's beginning has, were kept of both.
   * FinchPress protects no beginning, so which of them stay is its own choice.
   */
  async ask(
    { model }: LoadedEngine,
    passages: readonly Passage[],
    { question, lead }: Pick<Question, 'question' | 'lead'>,
    answers: readonly string[],
    tokenBudget: number,
  ): Promise<PressedAnswers> {
    const begin = performance.now();
    const document = tokenizePassages(model, passages);
    const { prefix, suffix } = buildPrompt(model, question);
    const plain = (text: string): Token[] => model.tokenize(text, { special: false });
    const asked = {
      context: [...prefix, ...document.tokens],
      question: suffix,
      kept: prefix.length + tokenBudget,
      lead: plain(lead),
      answers: answers.map(plain),
    };
    this.#process.stdin!.write(`${JSON.stringify(asked)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${script} ended before it answered.`);
    const { answers: measured, held, lists } = result.parse(JSON.parse(line.value));
    return {
      answers: measured,
      held: Int32Array.from(held.slice(prefix.length)),
      lists,
      document,
      seconds: (performance.now() - begin) / 1000,
    };
  }

  dispose(): void {
    this.#process.stdin!.end();
  }
}
