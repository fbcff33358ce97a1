/** ggml's q8_0, plainly: blocks of 32 values, each an f16 scale and 32 signed bytes. */
import { fromHalfBits, toHalfBits } from './halfFloat.ts';

const blockValues = 32;
const blockBytes = 34;

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
