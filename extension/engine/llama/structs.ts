/**
 * The structures that cross the boundary by value or are read through a pointer, field for field as in the
 * headers of the llama.cpp release named below. test/engine/boundary.test.ts holds sizes, offsets and defaults
 * to the shipped library and its headers.
 */
import koffi from 'koffi';

/** The release whose layouts these are, as `llama_version()` of the libraries says it. */
export const llamaCppVersion = '0.4.0-dev';

const pointer = 'void *';

/** `struct llama_model_params`, include/llama.h. */
export const LlamaModelParams = koffi.struct('llama_model_params', {
  devices: pointer,
  tensor_buft_overrides: pointer,
  n_gpu_layers: 'int32',
  split_mode: 'int',
  load_mode: 'int',
  lazy_mode: 'int',
  main_gpu: 'int32',
  tensor_split: pointer,
  progress_callback: pointer,
  progress_callback_user_data: pointer,
  kv_overrides: pointer,
  vocab_only: 'bool',
  check_tensors: 'bool',
  use_extra_bufts: 'bool',
  no_host: 'bool',
  no_alloc: 'bool',
  load_mtp: 'bool',
});

/** `struct llama_context_params`, include/llama.h. */
export const LlamaContextParams = koffi.struct('llama_context_params', {
  n_ctx: 'uint32',
  n_batch: 'uint32',
  n_ubatch: 'uint32',
  n_seq_max: 'uint32',
  n_rs_seq: 'uint32',
  n_outputs_max: 'uint32',
  n_outputs_max_per_seq: 'uint32',
  n_threads: 'int32',
  n_threads_batch: 'int32',
  ctx_type: 'int',
  rope_scaling_type: 'int',
  pooling_type: 'int',
  attention_type: 'int',
  flash_attn_type: 'int',
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: 'uint32',
  defrag_thold: 'float',
  cb_eval: pointer,
  cb_eval_user_data: pointer,
  type_k: 'int',
  type_v: 'int',
  abort_callback: pointer,
  abort_callback_data: pointer,
  embeddings: 'bool',
  offload_kqv: 'bool',
  no_perf: 'bool',
  op_offload: 'bool',
  swa_full: 'bool',
  kv_unified: 'bool',
  samplers: pointer,
  n_samplers: 'size_t',
  ctx_other: pointer,
});

/** `struct llama_model_quantize_params`, include/llama.h. */
export const LlamaModelQuantizeParams = koffi.struct('llama_model_quantize_params', {
  nthread: 'int32',
  ftype: 'int',
  output_tensor_type: 'int',
  token_embedding_type: 'int',
  allow_requantize: 'bool',
  quantize_output_tensor: 'bool',
  only_copy: 'bool',
  pure: 'bool',
  keep_split: 'bool',
  dry_run: 'bool',
  imatrix: pointer,
  kv_overrides: pointer,
  tt_overrides: pointer,
  prune_layers: pointer,
  max_buf_size: 'size_t',
});

/** `struct llama_model_kv_override`, include/llama.h, with the member of its union that is in use. */
export const LlamaModelKvOverride = koffi.struct('llama_model_kv_override', {
  tag: 'int',
  key: koffi.array('char', 128, 'String'),
  // Aligned as the union's largest member.
  val_str: [8, koffi.array('char', 128, 'String')],
});

/** `struct llama_batch`, include/llama.h. */
export const LlamaBatch = koffi.struct('llama_batch', {
  n_tokens: 'int32',
  token: pointer,
  embd: pointer,
  pos: pointer,
  n_seq_id: pointer,
  seq_id: pointer,
  logits: pointer,
});

/** `struct llama_sampler_chain_params`, include/llama.h. */
export const LlamaSamplerChainParams = koffi.struct('llama_sampler_chain_params', { no_perf: 'bool' });

/** `struct ggml_init_params`, ggml/include/ggml.h. */
export const GgmlInitParams = koffi.struct('ggml_init_params', {
  mem_size: 'size_t',
  mem_buffer: pointer,
  no_alloc: 'bool',
});

/** `struct ggml_tensor`, ggml/include/ggml.h. */
export const GgmlTensor = koffi.struct('ggml_tensor', {
  type: 'int',
  buffer: pointer,
  ne: koffi.array('int64', 4),
  nb: koffi.array('size_t', 4),
  op: 'int',
  op_params: koffi.array('int32', 16),
  flags: 'int32',
  src: koffi.array(pointer, 10),
  view_src: pointer,
  view_offs: 'size_t',
  data: pointer,
  name: koffi.array('char', 64, 'String'),
  extra: pointer,
  padding: koffi.array('char', 8),
});

/** `ggml_backend_sched_eval_callback`, ggml/include/ggml-backend.h. */
export const EvalCallback = koffi.proto('bool ggml_eval_callback(void *tensor, bool ask, void *user_data)');

/** `enum ggml_type`, the members in use. */
export const ggmlType = { f32: 0, f16: 1, q8_0: 8, i32: 26 } as const;

/** `enum llama_ftype`, the member in use. */
export const fileType = { q8_0: 7 } as const;

/** `enum llama_model_kv_override_type`, the member in use. */
export const overrideType = { text: 3 } as const;

/** `block_q8_0`, ggml/src/ggml-common.h: values that share an f16 scale, and the bytes of both. */
export const q8Block = { values: 32, bytes: 34 } as const;

/** `enum ggml_op_hint`, the member in use, and its place in the parameters of a product. */
export const hadamardHint = 1;
const hintParam = 1;

/** Whether a product's parameters say that its first factor is a Walsh-Hadamard matrix. */
export function isHadamard(opParams: Int32Array): boolean {
  return opParams[hintParam] === hadamardHint;
}

/** `enum llama_flash_attn_type`. */
export const flashAttention = { enabled: 1 } as const;

/** `enum ggml_backend_dev_type`. */
export const deviceType = { cpu: 0, gpu: 1, integratedGpu: 2 } as const;
