/** How many bytes a second the memory of the device gives, as ggml's own multiplication gets them. */
import { GraphRunner } from '../../extension/engine/llama/graph.ts';
import { decodeThreads } from '../../extension/engine/llama/library.ts';
import { ggmlType } from '../../extension/engine/llama/structs.ts';
import type { LoadedEngine } from '../../extension/engine/loadedEngine.ts';

/** Of an f32 matrix of 256 MB, which no cache holds. */
const [width, rows] = [8192, 8192];
/** The time of one product less is taken off: that of copying the matrix to the device and of starting. */
const products = 9;
const rounds = 5;

/**
 * Bytes per second of multiplying a large matrix by vectors, one after the other, as generation does with the weights;
 * the best of five rounds, on the device that holds the last layers.
 */
export function memoryBandwidth({ library, model }: LoadedEngine): number {
  const f = library.functions;
  const device = model.gpus.at(-1) ?? library.devices.find(({ isCpu }) => isCpu);
  if (device === undefined) throw new Error('The library names no device.');
  const runner = new GraphRunner(f, device.pointer, decodeThreads());
  const data = new Float32Array(width * rows).fill(0.5);
  const vector = new Float32Array(width).fill(1);
  const seconds = (count: number): number => {
    const begin = performance.now();
    runner.run(2 * count + 8, (c) => {
      const matrix = f.ggml_new_tensor_2d(c, ggmlType.f32, width, rows);
      const first = f.ggml_new_tensor_1d(c, ggmlType.f32, width);
      let last = first;
      // Each product is the next one's vector, so that none can be left out or run beside another.
      for (let i = 0; i < count; i++) last = f.ggml_mul_mat(c, matrix, last);
      return {
        inputs: [
          { tensor: matrix, data },
          { tensor: first, data: vector },
        ],
        nodes: [last],
        results: [last],
      };
    });
    return (performance.now() - begin) / 1000;
  };
  try {
    seconds(1);
    const differences = Array.from({ length: rounds }, () => seconds(products) - seconds(1));
    return (data.byteLength * (products - 1)) / Math.min(...differences.filter((one) => one > 0));
  } finally {
    runner.dispose();
  }
}
