/** Whether a device computes what it should: the operations that attention is made of, on fixed numbers. */
import { errors } from '../../errors.ts';
import { deviceProblems } from '../../protocol/engine.ts';
import type { Functions } from './functions.ts';
import { GraphRunner } from './graph.ts';
import { decodeThreads, type Device } from './library.ts';
import { ggmlType } from './structs.ts';

/** Of the largest value; f16 products explain a tenth of it. */
const allowedError = 2e-2;
const width = 64;
const rows = 32;
const columns = 8;
const position = 7;
const ropeBase = 10_000;
const softMaxScale = 0.5;

/**
 * Multiplies, rotates and takes a softmax on the device.
 * @returns what was wrong, as a sentence's end, or null
 */
export function testDevice(functions: Functions, device: Device): string | null {
  const a = waves(rows * width, 0.37);
  const b = waves(columns * width, 0.71);
  let runner: GraphRunner | undefined;
  try {
    runner = new GraphRunner(functions, device.pointer, decodeThreads());
    const results = runner.run(16, (c) => {
      const f = functions;
      const matrix = f.ggml_new_tensor_2d(c, ggmlType.f32, width, rows);
      const vectors = f.ggml_new_tensor_2d(c, ggmlType.f32, width, columns);
      const turned = f.ggml_new_tensor_3d(c, ggmlType.f32, width, 1, columns);
      const positions = f.ggml_new_tensor_1d(c, ggmlType.i32, columns);
      const product = f.ggml_mul_mat(c, matrix, vectors); // (rows, columns)
      const attention = f.ggml_soft_max_ext(c, product, null, softMaxScale, 0);
      const rotated = f.ggml_rope_ext(c, turned, positions, null, width, 0, 0, ropeBase, 1, 0, 1, 32, 1);
      return {
        inputs: [
          { tensor: matrix, data: a },
          { tensor: vectors, data: b },
          { tensor: turned, data: b },
          { tensor: positions, data: new Int32Array(columns).fill(position) },
        ],
        nodes: [attention, rotated],
        results: [attention, rotated],
      };
    });
    const expected = [softMax(productOf(a, b)), rotatedOf(b)];
    const [attention, rotation] = expected.map(
      (values, i) => !(largestError(results[i]!, values) < allowedError),
    );
    if (attention === true) return rotation === true ? deviceProblems.both : deviceProblems.attention;
    return rotation === true ? deviceProblems.rotation : null;
  } catch (error) {
    return error instanceof Error ? error.message : errors.internal(String(error), error).message;
  } finally {
    runner?.dispose();
  }
}

function waves(length: number, step: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(step * (i + 1)));
}

/** (rows, columns), columns slowest, as ggml lays it out. */
function productOf(a: Float32Array, b: Float32Array): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [i % rows, Math.floor(i / rows)];
    let sum = 0;
    for (let k = 0; k < width; k++) sum += a[row * width + k]! * b[column * width + k]!;
    return sum;
  });
}

function softMax(product: Float32Array): Float32Array {
  const exponentials = product.map((value) => Math.exp(softMaxScale * value));
  return exponentials.map((value, i) => {
    const start = i - (i % rows);
    return value / exponentials.subarray(start, start + rows).reduce((sum, one) => sum + one, 0);
  });
}

/** Neighbouring pairs are turned. */
function rotatedOf(vectors: Float32Array): Float32Array {
  return vectors.map((value, i) => {
    const pair = Math.floor((i % width) / 2);
    const angle = position * ropeBase ** ((-2 * pair) / width);
    const isFirst = i % 2 === 0;
    const other = vectors[isFirst ? i + 1 : i - 1]!;
    return value * Math.cos(angle) + (isFirst ? -1 : 1) * other * Math.sin(angle);
  });
}

/** Of the largest value that is expected; NaN when there is one among the values. */
function largestError(values: Float32Array, expected: Float32Array): number {
  const size = Math.max(...expected.map(Math.abs));
  return Math.max(...values.map((value, i) => Math.abs(value - expected[i]!))) / size;
}
