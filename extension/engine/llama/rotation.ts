/** The one rotation that Finch and the index add to llama.cpp's own, as a node of a ggml graph. */
import type { RopeParams } from './attentionProbe.ts';
import type { Functions, Pointer } from './functions.ts';

/**
 * Turns keys or queries by a number of positions each, without scaling them.
 * @param values (headDim, heads, rows), rotated before by the same parameters
 * @param shifts i32 (rows)
 * @param frequencyFactors on the graph's device, or null when the layer has none
 */
export function rotate(
  f: Functions,
  c: Pointer,
  values: Pointer,
  shifts: Pointer,
  rope: RopeParams,
  frequencyFactors: Pointer | null,
): Pointer {
  const { nDims, mode, nCtxOrig, freqBase, freqScale, extFactor, betaFast, betaSlow } = rope;
  return f.ggml_rope_ext(
    c,
    values,
    shifts,
    frequencyFactors,
    nDims,
    mode,
    nCtxOrig,
    freqBase,
    freqScale,
    extFactor,
    unitMagnitude(extFactor, freqScale),
    betaFast,
    betaSlow,
  );
}

/**
 * The attention factor with which `ggml_rope_ext` turns without scaling: with YaRN (`ext_factor` not 0) it multiplies
 * by 1 + 0.1 ln(1 / freq_scale), which the key already carries from its first rotation.
 */
function unitMagnitude(extFactor: number, freqScale: number): number {
  return extFactor === 0 ? 1 : 1 / (1 + 0.1 * Math.log(1 / freqScale));
}
