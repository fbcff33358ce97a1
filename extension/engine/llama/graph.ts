/** Building a small ggml graph and running it on one device. */
import koffi from 'koffi';
import { errors } from '../../errors.ts';
import type { Functions, Pointer } from './functions.ts';
import { readTensor } from './tensor.ts';

/** Typed as `(ne0, ne1, …)`; the data is copied to the tensor before the graph runs. */
export interface GraphInput {
  readonly tensor: Pointer;
  readonly data: Float32Array | Int32Array | Uint16Array | Uint8Array;
}

export interface GraphParts {
  readonly inputs: readonly GraphInput[];
  /** Nodes to compute, in order; none of their values need outlive the graph unless it is in `results`. */
  readonly nodes: readonly Pointer[];
  /** f32 nodes whose values are read back. */
  readonly results: readonly Pointer[];
}

/** A ggml backend of our own on a device, beside llama.cpp's: it runs graphs over tensors that live there. */
export class GraphRunner {
  readonly backend: Pointer;
  readonly #f: Functions;
  readonly #allocator: Pointer;

  constructor(functions: Functions, device: Pointer, threads: number) {
    const backend = functions.ggml_backend_dev_init(device, null);
    if (backend === null) {
      throw errors.deviceNotFound(functions.ggml_backend_dev_name(device), []);
    }
    this.#f = functions;
    this.backend = backend;
    setThreads(functions, device, backend, threads);
    this.#allocator = functions.ggml_gallocr_new(functions.ggml_backend_get_default_buffer_type(backend));
  }

  /** Builds a graph of at most `maxNodes` nodes, runs it, and returns the values of its results. */
  run(maxNodes: number, build: (context: Pointer) => GraphParts): Float32Array[] {
    const f = this.#f;
    const context = f.ggml_init({
      mem_size: f.ggml_tensor_overhead() * maxNodes * 2 + f.ggml_graph_overhead_custom(maxNodes, false),
      mem_buffer: null,
      no_alloc: true,
    });
    if (context === null) throw errors.internal(`no memory for a graph of ${maxNodes} nodes`, undefined);
    try {
      const graph = f.ggml_new_graph_custom(context, maxNodes, false);
      const { inputs, nodes, results } = build(context);
      for (const input of inputs) f.ggml_set_input(input.tensor);
      for (const result of results) f.ggml_set_output(result);
      for (const node of nodes) f.ggml_build_forward_expand(graph, node);
      if (!f.ggml_gallocr_alloc_graph(this.#allocator, graph)) {
        throw errors.graphMemoryRanOut(maxNodes);
      }
      for (const { tensor, data } of inputs) f.ggml_backend_tensor_set(tensor, data, 0, data.byteLength);
      const status = f.ggml_backend_graph_compute(this.backend, graph);
      if (status !== 0) throw errors.internal(`a graph on the KV cache failed (status ${status})`, undefined);
      const values = results.map((result) => {
        const elements = readTensor(result).ne.reduce((product, n) => product * n, 1);
        const value = new Float32Array(elements);
        f.ggml_backend_tensor_get(result, value, 0, value.byteLength);
        return value;
      });
      // Nothing of this context may be in use when it is freed.
      f.ggml_backend_synchronize(this.backend);
      return values;
    } finally {
      f.ggml_free(context);
    }
  }

  dispose(): void {
    this.#f.ggml_gallocr_free(this.#allocator);
    this.#f.ggml_backend_free(this.backend);
  }
}

const setThreadsPrototype = koffi.proto('void ggml_set_n_threads(void *backend, int n_threads)');

/** A CPU backend made by hand runs four threads, which on fewer cores is many times slower; a GPU has no such function. */
function setThreads(functions: Functions, device: Pointer, backend: Pointer, threads: number): void {
  const registry = functions.ggml_backend_dev_backend_reg(device);
  const address = functions.ggml_backend_reg_get_proc_address(registry, 'ggml_backend_set_n_threads');
  if (address !== null) koffi.call(address, setThreadsPrototype, backend, threads);
}
