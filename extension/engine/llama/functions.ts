/** The C functions in use, with their prototypes as in the headers. Nothing outside this folder sees a pointer. */
import type { LibraryHandle } from 'koffi';
// The prototypes below name the structures that this module registers with koffi.
import './structs.ts';

/** An address in native memory; null is C's NULL. */
export type Pointer = bigint & { readonly __pointer: never };

export interface LlamaModelParamsValue {
  n_gpu_layers: number;
  devices: BigUint64Array;
  tensor_split: Float32Array;
  check_tensors: boolean;
  [other: string]: unknown;
}
export interface LlamaContextParamsValue {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_outputs_max: number;
  n_outputs_max_per_seq: number;
  n_threads: number;
  n_threads_batch: number;
  flash_attn_type: number;
  type_k: number;
  type_v: number;
  swa_full: boolean;
  cb_eval: Pointer | null;
  [other: string]: unknown;
}
export interface LlamaModelQuantizeParamsValue {
  nthread: number;
  ftype: number;
  allow_requantize: boolean;
  kv_overrides: Pointer | null;
  [other: string]: unknown;
}
export interface LlamaBatchValue {
  n_tokens: number;
  token: Int32Array;
  embd: null;
  pos: Int32Array;
  n_seq_id: Int32Array;
  seq_id: BigInt64Array;
  logits: Int8Array;
}

/** One entry a function: the library that exports it, its C prototype, and its type here. */
export interface Functions {
  ggml_backend_load_all_from_path(folder: string): void;
  ggml_backend_dev_count(): number;
  ggml_backend_dev_get(index: number): Pointer;

  ggml_backend_dev_name(device: Pointer): string;
  ggml_backend_dev_description(device: Pointer): string;
  ggml_backend_dev_type(device: Pointer): number;
  ggml_backend_dev_memory(device: Pointer, free: BigUint64Array, total: BigUint64Array): void;
  ggml_backend_dev_supports_op(device: Pointer, operation: Pointer): boolean;
  ggml_backend_dev_init(device: Pointer, params: null): Pointer | null;
  ggml_backend_dev_backend_reg(device: Pointer): Pointer;
  ggml_backend_reg_get_proc_address(registry: Pointer, name: string): Pointer | null;
  ggml_backend_buffer_get_type(buffer: Pointer): Pointer;
  ggml_backend_buft_get_device(bufferType: Pointer): Pointer | null;
  ggml_backend_get_default_buffer_type(backend: Pointer): Pointer;
  ggml_backend_alloc_ctx_tensors(context: Pointer, backend: Pointer): Pointer | null;
  ggml_backend_buffer_get_size(buffer: Pointer): number;
  ggml_backend_buffer_free(buffer: Pointer): void;
  ggml_fp16_to_fp32_row(from: Uint16Array, to: Float32Array, values: number): void;
  ggml_quantize_chunk(
    type: number,
    from: Float32Array,
    to: Uint8Array,
    start: number,
    rows: number,
    rowValues: number,
    importance: null,
  ): number;
  ggml_backend_tensor_get(tensor: Pointer, data: ArrayBufferView, offset: number, bytes: number): void;
  ggml_backend_tensor_set(tensor: Pointer, data: ArrayBufferView, offset: number, bytes: number): void;
  ggml_backend_graph_compute(backend: Pointer, graph: Pointer): number;
  ggml_backend_synchronize(backend: Pointer): void;
  ggml_backend_free(backend: Pointer): void;
  ggml_gallocr_new(bufferType: Pointer): Pointer;
  ggml_gallocr_alloc_graph(allocator: Pointer, graph: Pointer): boolean;
  ggml_gallocr_free(allocator: Pointer): void;

  ggml_init(params: { mem_size: number; mem_buffer: null; no_alloc: boolean }): Pointer | null;
  ggml_free(context: Pointer): void;
  ggml_op_name(op: number): string;
  ggml_tensor_overhead(): number;
  ggml_graph_overhead_custom(size: number, gradients: boolean): number;
  ggml_new_graph_custom(context: Pointer, size: number, gradients: boolean): Pointer;
  ggml_build_forward_expand(graph: Pointer, tensor: Pointer): void;
  ggml_set_input(tensor: Pointer): void;
  ggml_set_output(tensor: Pointer): void;
  ggml_new_tensor_1d(context: Pointer, type: number, ne0: number): Pointer;
  ggml_new_tensor_2d(context: Pointer, type: number, ne0: number, ne1: number): Pointer;
  ggml_new_tensor_3d(context: Pointer, type: number, ne0: number, ne1: number, ne2: number): Pointer;
  ggml_view_2d(c: Pointer, a: Pointer, ne0: number, ne1: number, nb1: number, offset: number): Pointer;
  ggml_view_3d(
    c: Pointer,
    a: Pointer,
    ne0: number,
    ne1: number,
    ne2: number,
    nb1: number,
    nb2: number,
    offset: number,
  ): Pointer;
  ggml_reshape_2d(context: Pointer, a: Pointer, ne0: number, ne1: number): Pointer;
  ggml_reshape_3d(context: Pointer, a: Pointer, ne0: number, ne1: number, ne2: number): Pointer;
  ggml_permute(
    context: Pointer,
    a: Pointer,
    axis0: number,
    axis1: number,
    axis2: number,
    axis3: number,
  ): Pointer;
  ggml_cont(context: Pointer, a: Pointer): Pointer;
  ggml_cast(context: Pointer, a: Pointer, type: number): Pointer;
  ggml_cpy(context: Pointer, from: Pointer, to: Pointer): Pointer;
  ggml_get_rows(context: Pointer, a: Pointer, rows: Pointer): Pointer;
  ggml_mul_mat(context: Pointer, a: Pointer, b: Pointer): Pointer;
  ggml_mul_mat_set_hint(product: Pointer, hint: number): void;
  ggml_soft_max_ext(
    context: Pointer,
    a: Pointer,
    mask: Pointer | null,
    scale: number,
    maxBias: number,
  ): Pointer;
  ggml_rope_ext(
    context: Pointer,
    a: Pointer,
    positions: Pointer,
    frequencyFactors: Pointer | null,
    nDims: number,
    mode: number,
    nCtxOrig: number,
    freqBase: number,
    freqScale: number,
    extFactor: number,
    attnFactor: number,
    betaFast: number,
    betaSlow: number,
  ): Pointer;

  llama_version(): string;
  llama_backend_init(): void;
  llama_max_devices(): number;
  llama_log_set(callback: Pointer | null, userData: null): void;
  llama_model_default_params(): LlamaModelParamsValue;
  llama_context_default_params(): LlamaContextParamsValue;
  llama_model_load_from_file(path: string, params: LlamaModelParamsValue): Pointer | null;
  llama_model_free(model: Pointer): void;
  llama_model_quantize_default_params(): LlamaModelQuantizeParamsValue;
  llama_model_quantize(from: string, to: string, params: LlamaModelQuantizeParamsValue): number;
  llama_model_get_vocab(model: Pointer): Pointer;
  llama_model_n_ctx_train(model: Pointer): number;
  llama_model_n_layer(model: Pointer): number;
  llama_model_n_swa(model: Pointer): number;
  llama_model_size(model: Pointer): number;
  llama_model_chat_template(model: Pointer, name: null): string | null;
  llama_model_meta_val_str(model: Pointer, key: string, buffer: Uint8Array, bytes: number): number;
  llama_vocab_n_tokens(vocab: Pointer): number;
  llama_vocab_is_eog(vocab: Pointer, token: number): boolean;
  llama_vocab_bos(vocab: Pointer): number;
  llama_vocab_eos(vocab: Pointer): number;
  llama_vocab_get_add_bos(vocab: Pointer): boolean;
  llama_tokenize(
    vocab: Pointer,
    text: Uint8Array,
    bytes: number,
    tokens: Int32Array,
    maxTokens: number,
    addSpecial: boolean,
    parseSpecial: boolean,
  ): number;
  llama_token_to_piece(
    vocab: Pointer,
    token: number,
    buffer: Uint8Array,
    bytes: number,
    leadingSpaces: number,
    special: boolean,
  ): number;
  llama_init_from_model(model: Pointer, params: LlamaContextParamsValue): Pointer | null;
  llama_free(context: Pointer): void;
  llama_n_ctx(context: Pointer): number;
  llama_get_memory(context: Pointer): Pointer;
  llama_memory_clear(memory: Pointer, data: boolean): void;
  llama_memory_seq_rm(memory: Pointer, sequence: number, start: number, end: number): boolean;
  llama_memory_seq_add(memory: Pointer, sequence: number, start: number, end: number, delta: number): void;
  llama_memory_seq_pos_max(memory: Pointer, sequence: number): number;
  llama_state_seq_get_size(context: Pointer, sequence: number): number;
  llama_state_seq_get_data(context: Pointer, target: Uint8Array, bytes: number, sequence: number): number;
  llama_state_seq_set_data(context: Pointer, source: Uint8Array, bytes: number, sequence: number): number;
  llama_decode(context: Pointer, batch: LlamaBatchValue): number;
  llama_synchronize(context: Pointer): void;
  llama_get_logits_ith(context: Pointer, index: number): Pointer | null;
  llama_sampler_chain_default_params(): { no_perf: boolean };
  llama_sampler_chain_init(params: { no_perf: boolean }): Pointer;
  llama_sampler_chain_add(chain: Pointer, sampler: Pointer): void;
  llama_sampler_init_greedy(): Pointer;
  llama_sampler_init_dist(seed: number): Pointer;
  llama_sampler_init_top_p(p: number, minKeep: number): Pointer;
  llama_sampler_init_temp(temperature: number): Pointer;
  llama_sampler_init_penalties(
    vocabularySize: number,
    lastN: number,
    repeat: number,
    frequency: number,
    presence: number,
  ): Pointer;
  llama_sampler_sample(sampler: Pointer, context: Pointer, index: number): number;
  llama_sampler_free(sampler: Pointer): void;
}

type LibraryName = 'ggml' | 'ggml-base' | 'llama';

const ggml: readonly string[] = [
  'void ggml_backend_load_all_from_path(const char *folder)',
  'size_t ggml_backend_dev_count()',
  'void *ggml_backend_dev_get(size_t index)',
];

const ggmlBase: readonly string[] = [
  'const char *ggml_backend_dev_name(void *device)',
  'const char *ggml_backend_dev_description(void *device)',
  'int ggml_backend_dev_type(void *device)',
  'void ggml_backend_dev_memory(void *device, void *free, void *total)',
  'bool ggml_backend_dev_supports_op(void *device, const void *op)',
  'void *ggml_backend_dev_init(void *device, const char *params)',
  'void *ggml_backend_dev_backend_reg(void *device)',
  'void *ggml_backend_reg_get_proc_address(void *registry, const char *name)',
  'void *ggml_backend_buffer_get_type(void *buffer)',
  'void *ggml_backend_buft_get_device(void *buffer_type)',
  'void *ggml_backend_get_default_buffer_type(void *backend)',
  'void *ggml_backend_alloc_ctx_tensors(void *context, void *backend)',
  'size_t ggml_backend_buffer_get_size(void *buffer)',
  'void ggml_backend_buffer_free(void *buffer)',
  'void ggml_fp16_to_fp32_row(const void *x, void *y, int64 k)',
  'size_t ggml_quantize_chunk(int type, const void *src, void *dst, int64 start, int64 nrows, int64 n_per_row, const void *imatrix)',
  'void ggml_backend_tensor_get(void *tensor, void *data, size_t offset, size_t size)',
  'void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size)',
  'int ggml_backend_graph_compute(void *backend, void *graph)',
  'void ggml_backend_synchronize(void *backend)',
  'void ggml_backend_free(void *backend)',
  'void *ggml_gallocr_new(void *buffer_type)',
  'bool ggml_gallocr_alloc_graph(void *allocator, void *graph)',
  'void ggml_gallocr_free(void *allocator)',
  'void *ggml_init(ggml_init_params params)',
  'void ggml_free(void *context)',
  'const char *ggml_op_name(int op)',
  'size_t ggml_tensor_overhead()',
  'size_t ggml_graph_overhead_custom(size_t size, bool grads)',
  'void *ggml_new_graph_custom(void *context, size_t size, bool grads)',
  'void ggml_build_forward_expand(void *graph, void *tensor)',
  'void ggml_set_input(void *tensor)',
  'void ggml_set_output(void *tensor)',
  'void *ggml_new_tensor_1d(void *context, int type, int64 ne0)',
  'void *ggml_new_tensor_2d(void *context, int type, int64 ne0, int64 ne1)',
  'void *ggml_new_tensor_3d(void *context, int type, int64 ne0, int64 ne1, int64 ne2)',
  'void *ggml_view_2d(void *context, void *a, int64 ne0, int64 ne1, size_t nb1, size_t offset)',
  'void *ggml_view_3d(void *context, void *a, int64 ne0, int64 ne1, int64 ne2, size_t nb1, size_t nb2, size_t offset)',
  'void *ggml_reshape_2d(void *context, void *a, int64 ne0, int64 ne1)',
  'void *ggml_reshape_3d(void *context, void *a, int64 ne0, int64 ne1, int64 ne2)',
  'void *ggml_permute(void *context, void *a, int axis0, int axis1, int axis2, int axis3)',
  'void *ggml_cont(void *context, void *a)',
  'void *ggml_cast(void *context, void *a, int type)',
  'void *ggml_cpy(void *context, void *a, void *b)',
  'void *ggml_get_rows(void *context, void *a, void *b)',
  'void *ggml_mul_mat(void *context, void *a, void *b)',
  'void ggml_mul_mat_set_hint(void *a, int hint)',
  'void *ggml_soft_max_ext(void *context, void *a, void *mask, float scale, float max_bias)',
  'void *ggml_rope_ext(void *context, void *a, void *b, void *c, int n_dims, int mode, int n_ctx_orig, float freq_base, float freq_scale, float ext_factor, float attn_factor, float beta_fast, float beta_slow)',
];

const llama: readonly string[] = [
  'const char *llama_version()',
  'void llama_backend_init()',
  'size_t llama_max_devices()',
  'void llama_log_set(void *callback, void *user_data)',
  'llama_model_params llama_model_default_params()',
  'llama_context_params llama_context_default_params()',
  'void *llama_model_load_from_file(const char *path, llama_model_params params)',
  'void llama_model_free(void *model)',
  'llama_model_quantize_params llama_model_quantize_default_params()',
  'uint32 llama_model_quantize(const char *fname_inp, const char *fname_out, const llama_model_quantize_params *params)',
  'void *llama_model_get_vocab(void *model)',
  'int32 llama_model_n_ctx_train(void *model)',
  'int32 llama_model_n_layer(void *model)',
  'int32 llama_model_n_swa(void *model)',
  'uint64 llama_model_size(void *model)',
  'const char *llama_model_chat_template(void *model, const char *name)',
  'int32 llama_model_meta_val_str(void *model, const char *key, void *buf, size_t buf_size)',
  'int32 llama_vocab_n_tokens(void *vocab)',
  'bool llama_vocab_is_eog(void *vocab, int32 token)',
  'int32 llama_vocab_bos(void *vocab)',
  'int32 llama_vocab_eos(void *vocab)',
  'bool llama_vocab_get_add_bos(void *vocab)',
  'int32 llama_tokenize(void *vocab, const void *text, int32 text_len, void *tokens, int32 n_tokens_max, bool add_special, bool parse_special)',
  'int32 llama_token_to_piece(void *vocab, int32 token, void *buf, int32 length, int32 lstrip, bool special)',
  'void *llama_init_from_model(void *model, llama_context_params params)',
  'void llama_free(void *context)',
  'uint32 llama_n_ctx(void *context)',
  'void *llama_get_memory(void *context)',
  'void llama_memory_clear(void *memory, bool data)',
  'bool llama_memory_seq_rm(void *memory, int32 seq_id, int32 p0, int32 p1)',
  'void llama_memory_seq_add(void *memory, int32 seq_id, int32 p0, int32 p1, int32 delta)',
  'int32 llama_memory_seq_pos_max(void *memory, int32 seq_id)',
  'size_t llama_state_seq_get_size(void *context, int32 seq_id)',
  'size_t llama_state_seq_get_data(void *context, void *dst, size_t size, int32 seq_id)',
  'size_t llama_state_seq_set_data(void *context, const void *src, size_t size, int32 dest_seq_id)',
  'int32 llama_decode(void *context, llama_batch batch)',
  'void llama_synchronize(void *context)',
  'void *llama_get_logits_ith(void *context, int32 i)',
  'llama_sampler_chain_params llama_sampler_chain_default_params()',
  'void *llama_sampler_chain_init(llama_sampler_chain_params params)',
  'void llama_sampler_chain_add(void *chain, void *sampler)',
  'void *llama_sampler_init_greedy()',
  'void *llama_sampler_init_dist(uint32 seed)',
  'void *llama_sampler_init_top_p(float p, size_t min_keep)',
  'void *llama_sampler_init_temp(float t)',
  'void *llama_sampler_init_penalties(int32 n_vocab, int32 penalty_last_n, float penalty_repeat, float penalty_freq, float penalty_present)',
  'int32 llama_sampler_sample(void *sampler, void *context, int32 index)',
  'void llama_sampler_free(void *sampler)',
];

/** By the library that exports the functions. */
export const prototypes: { readonly [N in LibraryName]: readonly string[] } = {
  ggml,
  'ggml-base': ggmlBase,
  llama,
};

/** Binds every function of `Functions`; throws koffi's error, which names the function, when one is absent. */
export function bindFunctions(libraries: { readonly [N in LibraryName]: LibraryHandle }): Functions {
  const bound: Record<string, unknown> = {};
  for (const name of ['ggml-base', 'ggml', 'llama'] as const) {
    for (const prototype of prototypes[name]) {
      const bare = /\b(\w+)\(/.exec(prototype)?.[1] ?? prototype;
      bound[bare] = libraries[name].func(prototype);
    }
  }
  // The table above is written beside the interface; test/engine/boundary.test.ts compares the two, type by type.
  return bound as unknown as Functions;
}
