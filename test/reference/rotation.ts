/**
 * RoPE of one model, as a plain rotation: at position p, pair d of a head's dimensions turns by p * frequencies[d]
 * radians and is multiplied by `magnitude`.
 */
export interface Rotation {
  /** Which dimensions make pair d: 2d and 2d + 1, or d and d + headDim / 2. */
  readonly pairing: 'neighbours' | 'halves';
  /** Radians per position, [headDim / 2]. */
  readonly frequencies: Float64Array;
  readonly magnitude: number;
}

export interface RotationOptions {
  readonly pairing: Rotation['pairing'];
  readonly headDim: number;
  readonly base: number;
  /** Divisors of the frequencies, [headDim / 2]. */
  readonly factors?: Float64Array;
  readonly yarn?: { readonly factor: number; readonly originalContext: number };
}

export function makeRotation(options: RotationOptions): Rotation {
  const { pairing, headDim, base, factors, yarn } = options;
  const plain = Float64Array.from(
    { length: headDim / 2 },
    (_, pair) => base ** ((-2 * pair) / headDim) / (factors?.[pair] ?? 1),
  );
  if (yarn === undefined) return { pairing, frequencies: plain, magnitude: 1 };
  // Pairs that turn often within the original context keep their frequency, those that turn rarely are slowed by the
  // factor, and those between are blended.
  const fastest = Math.max(0, Math.floor(pairOfTurns(yarnFastTurns, options, yarn.originalContext)));
  const slowest = Math.min(headDim - 1, Math.ceil(pairOfTurns(yarnSlowTurns, options, yarn.originalContext)));
  const frequencies = plain.map((frequency, pair) => {
    const ramp = Math.min(1, Math.max(0, (pair - fastest) / Math.max(0.001, slowest - fastest)));
    return frequency * (1 - ramp) + (frequency / yarn.factor) * ramp;
  });
  return { pairing, frequencies, magnitude: 1 + 0.1 * Math.max(0, Math.log(yarn.factor)) };
}

/** One head's query or key [headDim], turned from position 0 to `position`. A new array. */
export function rotate(rotation: Rotation, vector: Float64Array, position: number): Float64Array {
  const result = new Float64Array(vector.length);
  const pairs = vector.length / 2;
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
function pairOfTurns(turns: number, { headDim, base }: RotationOptions, context: number): number {
  return (headDim * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(base));
}
