/** IEEE 754 half precision, as GGUF files hold it: 1 sign bit, 5 exponent bits, 10 mantissa bits. */

/** The half nearest to `value` (ties to even) as its 16 bits; too large a value becomes infinity. */
export function toHalfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < smallestNormal) return sign | roundToEven(size / smallestStep);
  const exponent = Math.min(Math.floor(Math.log2(size)), 16);
  // A mantissa that rounds up to 2048 carries into the exponent by itself, because the two fields are adjacent.
  const bits = ((exponent + 14) << 10) + roundToEven((size / 2 ** exponent) * 1024);
  return sign | Math.min(bits, 0x7c00);
}

/** The number that 16 bits of half precision stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * smallestStep;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const smallestNormal = 2 ** -14;
const smallestStep = 2 ** -24;

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
