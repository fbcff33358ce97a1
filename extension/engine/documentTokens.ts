/** The passages as one run of tokens, with the source line of each. */
import type { Passage } from '../protocol/nouns.ts';
import { passageHeader, passageText } from '../protocol/passageText.ts';
import type { LlamaModel } from './llama/llamaModel.ts';
import type { Token } from './numbers.ts';

/** One line as the model reads it; the header line of a passage has no source line. */
export interface DocumentLine {
  /** Index into the passages. */
  readonly passage: number;
  /** 1-based line of the source file, or null for the header. */
  readonly sourceLine: number | null;
}

export interface DocumentTokens {
  readonly tokens: readonly Token[];
  /** (tokens): index into `lines` of the line in which the token begins. */
  readonly lineOf: Int32Array;
  readonly lines: readonly DocumentLine[];
}

/** Tokenizes the passages in their order. A token that spans a line break belongs to the line that it begins in. */
export function tokenizePassages(model: LlamaModel, passages: readonly Passage[]): DocumentTokens {
  const tokens: Token[] = [];
  const lineOf: number[] = [];
  const lines: DocumentLine[] = [];
  passages.forEach((passage, index) => {
    const firstLine = lines.length;
    lines.push({ passage: index, sourceLine: null });
    const headerBytes = new TextEncoder().encode(passageHeader(passage)).length;
    let byte = 0;
    let line = firstLine;
    for (const token of model.tokenize(passageText(passage), { special: false })) {
      tokens.push(token);
      lineOf.push(line);
      for (const value of model.piece(token)) {
        byte++;
        if (value !== newline) continue;
        line++;
        const sourceLine = passage.startLine + (line - firstLine - 1);
        if (byte >= headerBytes && lines.length === line) lines.push({ passage: index, sourceLine });
      }
    }
    // The line break that ends the passage has opened a line which holds nothing.
    const last = lines.at(-1);
    if (last !== undefined && lines.length - 1 > (lineOf.at(-1) ?? 0)) lines.pop();
  });
  return { tokens, lineOf: Int32Array.from(lineOf), lines };
}

const newline = 0x0a;
