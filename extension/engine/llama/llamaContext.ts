/** Owns a llama.cpp context: one sequence whose positions are always 0..length-1. */
import { errors } from '../../errors.ts';
import type { KvCacheType } from '../../protocol/engine.ts';
import type { Position, Token } from '../numbers.ts';
import { AttentionProbe, type LayerLayout, type Queries } from './attentionProbe.ts';
import type { Functions, LlamaBatchValue, Pointer } from './functions.ts';
import { decodeThreads } from './library.ts';
import { copyFloats, type LlamaModel } from './llamaModel.ts';
import { flashAttention, ggmlType } from './structs.ts';
import koffi from 'koffi';

/** Tokens of one physical batch; also the most that one `decode` takes. */
export const maxBatchTokens = 512;

export interface LlamaContextOptions {
  /** Cells of the KV cache; llama.cpp rounds up to a multiple of 256. */
  readonly contextSize: number;
  /** Tokens that go through the model at once; `maxBatchTokens` when absent. Fewer take less memory. */
  readonly microBatchTokens?: number;
  /** f16 when absent. */
  readonly cacheType?: KvCacheType | undefined;
  /** Rows of logits that one decode may return. */
  readonly outputs?: number;
  /** False leaves llama.cpp's callback out, as a plain user of the library would: for comparisons of speed. */
  readonly probe?: boolean;
}

export class LlamaContext {
  readonly contextSize: number;
  readonly cacheType: KvCacheType;
  readonly pointer: Pointer;
  readonly #f: Functions;
  readonly #memory: Pointer;
  readonly #probe: AttentionProbe | null;
  readonly #batch: LlamaBatchValue;
  readonly #sequenceId: Pointer;
  #layouts: readonly LayerLayout[] | null = null;
  #length = 0;
  #disposed = false;

  /** @throws errors.memoryRanOut when llama.cpp refuses: the estimate came before */
  constructor(
    readonly model: LlamaModel,
    options: LlamaContextOptions,
  ) {
    const f = model.library.functions;
    this.#f = f;
    this.#probe = options.probe === false ? null : new AttentionProbe(f);
    const params = f.llama_context_default_params();
    params.n_ctx = Math.ceil(options.contextSize / 256) * 256;
    params.n_batch = maxBatchTokens;
    params.n_ubatch = options.microBatchTokens ?? maxBatchTokens;
    params.n_outputs_max = options.outputs ?? 1;
    params.n_outputs_max_per_seq = options.outputs ?? 1;
    params.n_threads = decodeThreads();
    params.n_threads_batch = decodeThreads();
    this.cacheType = options.cacheType ?? 'f16';
    params.type_k = ggmlType[this.cacheType];
    params.type_v = params.type_k;
    params.flash_attn_type = flashAttention.enabled;
    // Windowed layers get as many cells as the others, so that a token has the same cell in all layers.
    params.swa_full = true;
    params.cb_eval = this.#probe?.callback ?? null;
    const pointer = f.llama_init_from_model(model.pointer, params);
    if (pointer === null) {
      this.#probe?.dispose();
      throw errors.memoryRanOut(params.n_ctx);
    }
    this.pointer = pointer;
    this.contextSize = f.llama_n_ctx(pointer);
    this.#memory = f.llama_get_memory(pointer);
    this.#sequenceId = koffi.alloc('int32', 1) as Pointer;
    koffi.encode(this.#sequenceId, 'int32', 0);
    this.#batch = {
      n_tokens: 0,
      // Longer than 64 bytes, so that they live outside V8's heap and do not move while native code reads them.
      token: new Int32Array(maxBatchTokens),
      embd: null,
      pos: new Int32Array(maxBatchTokens),
      n_seq_id: new Int32Array(maxBatchTokens).fill(1),
      seq_id: new BigInt64Array(maxBatchTokens).fill(koffi.address(this.#sequenceId)),
      logits: new Int8Array(maxBatchTokens),
    };
  }

  /** Tokens in the cache; the next one gets this position. */
  get length(): Position {
    return this.#length as Position;
  }

  /** Each layer's attention, read off a first decode of one token; the cache is empty afterwards. */
  layouts(): readonly LayerLayout[] {
    if (this.#layouts === null) {
      if (this.#probe === null)
        throw errors.internal('a context without its probe has no layouts', undefined);
      this.clear();
      this.#layouts = this.#probe.readLayouts(this.model.path, this.cacheType, this.model.windows, () =>
        this.decode([0 as Token], { logits: 'none' }),
      );
      this.clear();
    }
    return this.#layouts;
  }

  /** Bytes of one cell's keys and values, all layers together. */
  get cellBytes(): number {
    return this.layouts().reduce((sum, { rowBytes }) => sum + 2 * rowBytes, 0);
  }

  /**
   * The forward pass over at most `maxBatchTokens` tokens, appended to the cache.
   * @throws errors.decodeFailed, with the cache as it was before.
   */
  decode(tokens: readonly Token[], options: { logits: 'none' | 'last' | 'all' }): void {
    const { length } = tokens;
    if (length === 0 || length > maxBatchTokens)
      throw errors.internal(`a batch of ${length} tokens`, undefined);
    if (this.#length + length > this.contextSize) throw errors.decodeFailed(1, length);
    const batch = this.#batch;
    batch.n_tokens = length;
    for (let i = 0; i < length; i++) {
      batch.token[i] = tokens[i]!;
      batch.pos[i] = this.#length + i;
      batch.logits[i] = options.logits === 'all' || (options.logits === 'last' && i === length - 1) ? 1 : 0;
    }
    const code = this.#f.llama_decode(this.pointer, batch);
    if (code !== 0) {
      this.#f.llama_memory_seq_rm(this.#memory, 0, this.#length, -1);
      throw errors.decodeFailed(code, length);
    }
    this.#f.llama_synchronize(this.pointer);
    this.#length += length;
  }

  /** Decodes, and returns the rotated queries of the named layers: one entry per physical batch. */
  decodeTakingQueries(
    tokens: readonly Token[],
    layers: ReadonlySet<number>,
    options: { logits: 'none' | 'last' | 'all' },
  ): Map<number, Queries[]> {
    return this.#takeQueries(layers, () => this.decode(tokens, options), false);
  }

  /**
   * Like `decodeTakingQueries`, but no further than the last of the layers: the cells of later ones stay without their
   * rows, so that they have to be truncated before anything but another such decode.
   */
  decodeUpTo(tokens: readonly Token[], layers: ReadonlySet<number>): Map<number, Queries[]> {
    return this.#takeQueries(layers, () => this.decode(tokens, { logits: 'none' }), true);
  }

  #takeQueries(layers: ReadonlySet<number>, decode: () => void, stop: boolean): Map<number, Queries[]> {
    if (this.#probe === null)
      throw errors.internal('a context without its probe takes no queries', undefined);
    return this.#probe.takeQueries(layers, decode, stop);
  }

  /** Logits of a row of the last batch that asked for them, f32 (vocabularySize); -1 is the last row. */
  logits(row = -1): Float32Array {
    const pointer = this.#f.llama_get_logits_ith(this.pointer, row);
    if (pointer === null) throw errors.internal(`no logits in row ${row}`, undefined);
    return copyFloats(pointer, this.model.vocabularySize);
  }

  /** Drops the cache's cells from `length` on. */
  truncate(length: number): void {
    if (length > this.#length)
      throw errors.internal(`the cache has ${this.#length} cells, not ${length}`, undefined);
    if (!this.#f.llama_memory_seq_rm(this.#memory, 0, length, -1)) {
      throw errors.internal(`llama.cpp did not drop the cells from ${length} on`, undefined);
    }
    this.#length = length;
  }

  clear(): void {
    // The rows stay as they are: what no position names is masked, and zeroing all of them takes as long as restoring.
    this.#f.llama_memory_clear(this.#memory, false);
    this.#length = 0;
  }

  /** The rows of all cells with their positions, as `restoreSequence` takes them (llama_state_seq_get_data). */
  saveSequence(): Uint8Array {
    if (this.#hasWindows) return this.#saveRows();
    const size = this.#f.llama_state_seq_get_size(this.pointer, 0);
    // Zeroing what is overwritten at once would double the time; outside the pool it does not move.
    const bytes = Buffer.allocUnsafeSlow(size);
    const written = this.#f.llama_state_seq_get_data(this.pointer, bytes, size, 0);
    if (written !== size) throw errors.internal(`llama.cpp saved ${written} of ${size} bytes`, undefined);
    return bytes;
  }

  /**
   * Puts saved rows in place of the cache's own, at positions 0.. (llama_state_seq_set_data).
   * @param length cells that were saved. @returns false, with an empty cache, when llama.cpp refuses them.
   */
  restoreSequence(bytes: Uint8Array, length: number): boolean {
    this.clear();
    if (this.#hasWindows) return this.#restoreRows(bytes, length);
    const read = this.#f.llama_state_seq_set_data(this.pointer, bytes, bytes.length, 0);
    const last = this.#f.llama_memory_seq_pos_max(this.#memory, 0);
    if (read !== bytes.length || last !== length - 1) {
      this.clear();
      return false;
    }
    this.#length = length;
    return true;
  }

  get #hasWindows(): boolean {
    return this.model.windows.some((window) => window !== null);
  }

  /**
   * llama.cpp leaves out of a state what a window hides, and puts the rest of those layers to other cells than the same
   * tokens have in the other layers. So the rows are taken as they lie.
   */
  #saveRows(): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(this.cellBytes * this.#length);
    this.#eachRows(bytes, this.#length, (tensor, part) =>
      this.#f.ggml_backend_tensor_get(tensor, part, 0, part.length),
    );
    return bytes;
  }

  #restoreRows(bytes: Uint8Array, length: number): boolean {
    if (bytes.length !== this.cellBytes * length) return false;
    // Any tokens: what counts is that llama.cpp has given the cells their positions. Nearly all of the model is left out.
    for (let start = 0; start < length; start += maxBatchTokens) {
      const tokens = new Array<Token>(Math.min(maxBatchTokens, length - start)).fill(0 as Token);
      this.decodeUpTo(tokens, new Set([0]));
    }
    this.#eachRows(bytes, length, (tensor, part) =>
      this.#f.ggml_backend_tensor_set(tensor, part, 0, part.length),
    );
    return true;
  }

  #eachRows(bytes: Uint8Array, length: number, copy: (tensor: Pointer, part: Uint8Array) => void): void {
    let offset = 0;
    for (const { kCache, vCache, rowBytes } of this.layouts()) {
      const size = rowBytes * length;
      for (const tensor of [kCache, vCache]) {
        copy(tensor, bytes.subarray(offset, offset + size));
        offset += size;
      }
    }
  }

  /**
   * Keeps the same cells in every layer and head, by llama.cpp's own removal and key shift: the outside reference
   * that tests hold our eviction to. Not used when answering.
   */
  keepByKeyShift(cells: readonly number[]): void {
    const kept = new Set(cells);
    for (let cell = this.#length - 1; cell >= 0; cell--) {
      if (!kept.has(cell)) this.#f.llama_memory_seq_rm(this.#memory, 0, cell, cell + 1);
    }
    cells.forEach((cell, position) => {
      if (cell !== position) this.#f.llama_memory_seq_add(this.#memory, 0, cell, cell + 1, position - cell);
    });
    this.#length = cells.length;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#f.llama_free(this.pointer);
    this.#probe?.dispose();
    koffi.free(this.#sequenceId);
  }
}
