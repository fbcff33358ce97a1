/** What Finch can be told, and the named presets. */
import type { PresetName } from '../../protocol/engine.ts';

/** One query head of one layer, both from 0. */
export interface AttentionHead {
  readonly layer: number;
  readonly head: number;
}

/**
 * Whose attention decides.
 * `own`: each list by its own heads, as published. `evidenceHeads`: by the few heads that find evidence, with one list
 * for the whole model. `calibration`, 0 to 1, is the share of what they pay to a question that asks for nothing that is
 * taken off (`calibrated`).
 */
export type ScoreSource =
  | { readonly kind: 'own' }
  | {
      readonly kind: 'evidenceHeads';
      readonly heads: readonly AttentionHead[];
      readonly calibration: number;
    };

/** What is kept or dropped as one: a token, a token with its score averaged over neighbours, a whole line. */
export type KeptUnit =
  | { readonly kind: 'token' }
  | { readonly kind: 'neighbourhood'; readonly radius: number }
  | { readonly kind: 'line' };

export interface CompressionOptions {
  /** Document tokens kept per layer and KV head when everything is read. */
  readonly tokenBudget: number;
  /** Tokens read between two evictions, 64 to what the window allows. */
  readonly chunkTokens: number;
  readonly score: ScoreSource;
  /** Which heads share a list of kept cells, where each list has its own: those of a layer, or each KV head for itself. */
  readonly scope: 'layer' | 'kvHead';
  readonly unit: KeptUnit;
  /** First document tokens that are always kept. */
  readonly sinkTokens: number;
  /** Weighs the question's rows by the share of the sequence that each sees (paper, section 3.2, as the code has it). */
  readonly positionWeights: boolean;
  /** `exact`: budget * read / total, rounded. `sigma`: floor(chunk / ceil(total / budget)) more with every chunk, as published. */
  readonly growth: 'exact' | 'sigma';
}

/**
 * Measured: with all of it taken off, lines that most questions draw on, such as constants, are lost from long readings;
 * with none, those that draw attention whatever is asked take much of a small budget.
 */
const calibration = 0.8;

/** Chunk length of the presets, tokens. */
const defaultChunkTokens = 512;

/**
 * The options of a named preset.
 * `paper` is the published method. `perHead` is its relative with one set per KV head, pooling and sinks.
 * `default` keeps whole lines by the model's evidence heads, or is `perHead` for a model whose heads are not known.
 */
export function presetOptions(
  preset: PresetName,
  tokenBudget: number,
  evidenceHeads: readonly AttentionHead[] | null,
): CompressionOptions {
  const common = { tokenBudget, chunkTokens: defaultChunkTokens };
  const perHead: CompressionOptions = {
    ...common,
    score: { kind: 'own' },
    scope: 'kvHead',
    unit: { kind: 'neighbourhood', radius: 3 },
    sinkTokens: 4,
    positionWeights: false,
    growth: 'exact',
  };
  switch (preset) {
    case 'paper':
      return {
        ...common,
        score: { kind: 'own' },
        scope: 'layer',
        unit: { kind: 'token' },
        sinkTokens: 0,
        positionWeights: true,
        growth: 'sigma',
      };
    case 'perHead':
      return perHead;
    case 'default':
      return evidenceHeads === null
        ? perHead
        : {
            ...perHead,
            score: { kind: 'evidenceHeads', heads: evidenceHeads, calibration },
            unit: { kind: 'line' },
          };
  }
}
