/** Whether a device can do what the compression does to rows of a quantised cache. */
import { notServedTexts, problem } from '../../models/modelProblems.ts';
import { errors } from '../../errors.ts';
import type { LayerLayout } from './attentionProbe.ts';
import type { Functions, Pointer } from './functions.ts';
import { ggmlType } from './structs.ts';
import { readOperation } from './tensor.ts';

/** Asking about a row says what holds of all of them. */
const rows = 2;

/**
 * What a device cannot do ends the process when it is asked to, so it is asked first.
 * @throws errors.kvCacheNotServed, naming the device and the operation
 */
export function checkCacheSupport(f: Functions, device: Pointer, layout: LayerLayout): void {
  const { cacheType, headDim, kvHeads } = layout;
  if (cacheType === 'f16') return;
  const c = f.ggml_init({ mem_size: f.ggml_tensor_overhead() * 16, mem_buffer: null, no_alloc: true });
  if (c === null) throw errors.internal('no memory to ask a device', undefined);
  try {
    const newRows = (): Pointer => f.ggml_new_tensor_2d(c, ggmlType[cacheType], headDim * kvHeads, rows);
    const gathered = f.ggml_get_rows(c, newRows(), f.ggml_new_tensor_1d(c, ggmlType.i32, rows));
    const operations = [
      gathered,
      f.ggml_cpy(c, gathered, newRows()),
      f.ggml_cpy(c, newRows(), newRows()),
      f.ggml_cast(c, newRows(), ggmlType.f32),
    ];
    const missing = operations.find((operation) => !f.ggml_backend_dev_supports_op(device, operation));
    if (missing === undefined) return;
    const what = f.ggml_op_name(readOperation(missing));
    const why = problem(notServedTexts.noOperation, what);
    throw errors.kvCacheNotServed(cacheType, f.ggml_backend_dev_name(device), why);
  } finally {
    f.ggml_free(c);
  }
}
