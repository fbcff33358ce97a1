import { errors } from '../errors.ts';
import type { GgufHeader } from './ggufFile.ts';
import { corruptTexts, problem } from './modelProblems.ts';

/** The sizes of a model that memory follows from. */
export interface ModelShape {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly layers: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  /** Length of one head's key, and of its value. */
  readonly keyLength: number;
  readonly valueLength: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  /** The window the model was trained for, tokens. */
  readonly contextWindow: number;
  readonly vocabulary: number;
}

/** Throws errors.modelCorrupt when the file does not state one of them. */
export function modelShape(header: GgufHeader): ModelShape {
  const architecture = architectureOf(header);
  const stated = (key: string) => header.metadata.get(`${architecture}.${key}`);
  const size = (key: string, fallback?: number): number => {
    const value = stated(key) ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    throw errors.modelCorrupt(header.path, problem(corruptTexts.notStated, `${architecture}.${key}`));
  };
  const queryHeads = size('attention.head_count');
  const embeddingLength = size('embedding_length');
  const headLength = Math.floor(embeddingLength / queryHeads);
  const tokens = header.metadata.get('tokenizer.ggml.tokens');
  return {
    architecture,
    layers: size('block_count'),
    queryHeads,
    kvHeads: size('attention.head_count_kv', queryHeads),
    keyLength: size('attention.key_length', headLength),
    valueLength: size('attention.value_length', headLength),
    embeddingLength,
    feedForwardLength: size('feed_forward_length'),
    contextWindow: size('context_length'),
    vocabulary: size('vocab_size', typeof tokens === 'object' ? tokens.length : undefined),
  };
}

/** Throws errors.modelCorrupt when the file does not state it. */
export function architectureOf(header: GgufHeader): string {
  const architecture = header.metadata.get('general.architecture');
  if (typeof architecture === 'string' && architecture !== '') return architecture;
  throw errors.modelCorrupt(header.path, problem(corruptTexts.notStated, 'general.architecture'));
}
