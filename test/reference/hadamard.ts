/** The orthonormal Walsh-Hadamard transform, in its natural order and in float64: its own inverse. */

/** Transforms each `side` values, a power of two. */
export function hadamard(values: Float64Array, side: number): Float64Array {
  const result = values.slice();
  for (let start = 0; start < values.length; start += side) {
    const part = result.subarray(start, start + side);
    for (let half = 1; half < side; half *= 2) {
      for (let i = 0; i < side; i++) {
        if ((i & half) !== 0) continue;
        const [first, second] = [part[i]!, part[i + half]!];
        part[i] = first + second;
        part[i + half] = first - second;
      }
    }
    part.forEach((value, i) => (part[i] = value / Math.sqrt(side)));
  }
  return result;
}
