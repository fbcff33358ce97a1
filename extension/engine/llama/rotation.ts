/** The rotation that Finch and the index add to llama.cpp's own, and the one it takes off for it, as ggml graphs. */
import type { RopeParams } from './attentionProbe.ts';
import type { Functions, Pointer } from './functions.ts';
import { hadamardHint } from './structs.ts';
import { readTensor } from './tensor.ts';

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

/**
 * Multiplies each `side` values of a row by a Walsh-Hadamard matrix. As it is symmetric and orthonormal, doing so twice
 * changes nothing.
 * @param values contiguous f32 (headDim, heads, rows)
 * @param matrix f32 (side, side): `hadamardMatrix`. A device that knows the transform does not read it.
 * @returns f32 (headDim, heads, rows)
 */
export function hadamardProduct(f: Functions, c: Pointer, values: Pointer, matrix: Pointer): Pointer {
  const side = readTensor(matrix).ne[0]!;
  const [headDim = 0, heads = 0, rows = 0] = readTensor(values).ne;
  const parts = f.ggml_reshape_2d(c, values, side, (headDim * heads * rows) / side);
  const product = f.ggml_mul_mat(c, matrix, parts);
  f.ggml_mul_mat_set_hint(product, hadamardHint);
  return f.ggml_reshape_3d(c, product, headDim, heads, rows);
}

/** The orthonormal Walsh-Hadamard matrix in its natural order, f32 (side, side). @param side a power of two */
export function hadamardMatrix(side: number): Float32Array {
  const size = 1 / Math.sqrt(side);
  return Float32Array.from({ length: side * side }, (_, i) => {
    const common = (i % side) & Math.floor(i / side);
    return hasOddBits(common) ? -size : size;
  });
}

function hasOddBits(bits: number): boolean {
  let odd = false;
  for (let left = bits; left > 0; left &= left - 1) odd = !odd;
  return odd;
}
