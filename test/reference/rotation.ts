/**
 * RoPE of one layer, as a plain rotation: at position p, pair d of a head's dimensions turns by p * frequencies[d]
 * radians and is multiplied by `magnitude`. Dimensions beyond the pairs are left as they are.
 */
export interface Rotation {
  /** Which dimensions make pair d: 2d and 2d + 1, or d and d + the number of pairs. */
  readonly pairing: 'neighbours' | 'halves';
  /** Radians per position, one for each pair. */
  readonly frequencies: Float64Array;
  readonly magnitude: number;
}

export interface RotationOptions {
  readonly pairing: Rotation['pairing'];
  /** Dimensions of a head that are rotated, the first ones. */
  readonly dims: number;
  readonly base: number;
  /** Divisors of the frequencies, [dims / 2]. */
  readonly factors?: Float64Array | undefined;
  /** Divisor of all frequencies. */
  readonly linear?: number | undefined;
  readonly yarn?: { readonly factor: number; readonly originalContext: number } | undefined;
  /** Multiplies the magnitude; 1 when absent. */
  readonly attentionFactor?: number | undefined;
}

export function makeRotation(options: RotationOptions): Rotation {
  const { pairing, dims, base, factors, linear = 1, yarn, attentionFactor = 1 } = options;
  const plain = Float64Array.from(
    { length: dims / 2 },
    (_, pair) => base ** ((-2 * pair) / dims) / (factors?.[pair] ?? 1) / linear,
  );
  if (yarn === undefined) return { pairing, frequencies: plain, magnitude: attentionFactor };
  // Pairs that turn often within the original context keep their frequency, those that turn rarely are slowed by the
  // factor, and those between are blended.
  const fastest = Math.max(0, Math.floor(pairOfTurns(yarnFastTurns, options, yarn.originalContext)));
  const slowest = Math.min(dims - 1, Math.ceil(pairOfTurns(yarnSlowTurns, options, yarn.originalContext)));
  const frequencies = plain.map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - fastest) / Math.max(0.001, slowest - fastest)));
    return frequency * (1 - ramp) + (frequency / yarn.factor) * ramp;
  });
  const magnitude = attentionFactor * (1 + 0.1 * Math.max(0, Math.log(yarn.factor)));
  return { pairing, frequencies, magnitude };
}

/** One head's query or key, turned from position 0 to `position`; a layer without RoPE has no rotation. A new array. */
export function rotate(rotation: Rotation | null, vector: Float64Array, position: number): Float64Array {
  const result = vector.slice();
  if (rotation === null) return result;
  const pairs = rotation.frequencies.length;
  for (let pair = 0; pair < pairs; pair++) {
    const first = rotation.pairing === 'neighbours' ? 2 * pair : pair;
    const second = rotation.pairing === 'neighbours' ? 2 * pair + 1 : pair + pairs;
    const angle = position * rotation.frequencies[pair]!;
    const cos = rotation.magnitude * Math.cos(angle);
    const sin = rotation.magnitude * Math.sin(angle);
    result[first] = vector[first]! * cos - vector[second]! * sin;
    result[second] = vector[first]! * sin + vector[second]! * cos;
  }
  return result;
}

const yarnFastTurns = 32;
const yarnSlowTurns = 1;

/** The (fractional) pair that makes `turns` full turns within `context` positions. */
function pairOfTurns(turns: number, { dims, base }: RotationOptions, context: number): number {
  return (dims * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(base));
}
