/** Standard normal numbers, always the same for the same seed and name. */
export function gaussians(count: number, seed: number, name: string): Float32Array {
  const next = uniforms(hash(`${seed} ${name}`));
  return Float32Array.from(
    { length: count },
    // 1 - u lies in (0, 1], so the logarithm is finite.
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

/** Mulberry32: numbers in [0, 1), always the same for the same 32-bit seed. */
export function uniforms(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a over the text's UTF-16 code units. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return bits;
}
