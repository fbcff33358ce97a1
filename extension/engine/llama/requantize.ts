/** Writes a model file anew with its weights in q8_0 (`llama_model_quantize`, include/llama.h). */
import koffi from 'koffi';
import type { Pointer } from './functions.ts';
import type { LlamaLibrary } from './library.ts';
import { fileType, LlamaModelKvOverride, overrideType } from './structs.ts';

/** Of a key and of its value, with the zero at the end. */
const mostTextBytes = 128;

export interface RequantizeOptions {
  readonly threads: number;
  /** Key and value that are added to the file's metadata; ASCII, 127 characters at most. */
  readonly metadata: readonly [key: string, value: string];
}

/**
 * Blocks the process for about a second for each 100 MB. Matrices become q8_0, vectors stay f32.
 * @throws Error when llama.cpp cannot read or write; a full disk is not noticed
 */
export function requantize(
  { functions }: LlamaLibrary,
  from: string,
  to: string,
  { threads, metadata }: RequantizeOptions,
): void {
  if (metadata.some((text) => text.length >= mostTextBytes)) {
    throw new RangeError(`${metadata.join(' ')} is too long for a model's metadata`);
  }
  const [key, val_str] = metadata;
  const tag = overrideType.text;
  const entries = koffi.alloc(LlamaModelKvOverride, 2) as Pointer;
  koffi.encode(entries, 0, LlamaModelKvOverride, { tag, key, val_str });
  // An entry without a key ends the list.
  koffi.encode(entries, koffi.sizeof(LlamaModelKvOverride), LlamaModelKvOverride, {
    ...{ tag, key: '', val_str: '' },
  });
  try {
    const params = functions.llama_model_quantize_default_params();
    params.nthread = threads;
    params.ftype = fileType.q8_0;
    params.allow_requantize = true;
    params.kv_overrides = entries;
    const failed = functions.llama_model_quantize(from, to, params);
    if (failed !== 0) throw new Error(`llama.cpp could not write ${to}`);
  } finally {
    koffi.free(entries);
  }
}
