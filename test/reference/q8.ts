/** ggml's q8_0, plainly: blocks of 32 values, each an f16 scale and 32 signed bytes. */
import { fromHalfBits, toHalfBits } from './halfFloat.ts';

const blockValues = 32;
const blockBytes = 34;

/** Each value is rounded by at most half a step, and 127 steps are the largest of its block. */
export const q8ValueError = 1 / 254;

/** So the most by which a block is off, of its length (L2). */
export const q8BlockError = Math.sqrt(blockValues) * q8ValueError;

/** The most by which rounding moves these values (L2), whole blocks of them. */
export function mostQ8Error(values: Float64Array): number {
  let sum = 0;
  for (let start = 0; start < values.length; start += blockValues) {
    const largest = Math.max(...values.subarray(start, start + blockValues).map(Math.abs));
    sum += blockValues * (largest * q8ValueError) ** 2;
  }
  return Math.sqrt(sum);
}

export function fromQ8(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array((bytes.length / blockBytes) * blockValues);
  for (let block = 0; block < bytes.length / blockBytes; block++) {
    const scale = fromHalfBits(view.getUint16(block * blockBytes, true));
    for (let i = 0; i < blockValues; i++)
      values[block * blockValues + i] = scale * view.getInt8(block * blockBytes + 2 + i);
  }
  return values;
}

/** The values after a round trip: the largest of a block becomes 127. */
export function roundedToQ8(values: Float64Array): Float64Array {
  const rounded = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += blockValues) {
    const block = values.subarray(start, start + blockValues);
    const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // The bytes are taken with the scale before it is rounded to f16.
    const scale = Math.fround(largest / 127);
    const stored = fromHalfBits(toHalfBits(scale));
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    block.forEach((value, i) => {
      const scaled = Math.fround(value * inverse);
      rounded[start + i] = stored * Math.sign(scaled) * Math.round(Math.abs(scaled)) + 0;
    });
  }
  return rounded;
}
