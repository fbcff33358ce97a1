/** Owns a loaded model: weights, vocabulary, metadata. */
import fs from 'node:fs';
import koffi from 'koffi';
import { errors, type AskError } from '../../errors.ts';
import { corruptTexts, problem } from '../../models/modelProblems.ts';
import type { DeviceName } from '../../protocol/engine.ts';
import type { Token } from '../numbers.ts';
import type { Pointer } from './functions.ts';
import { deviceMemory, type Device, type LlamaLibrary } from './library.ts';

export interface LlamaModelOptions {
  readonly device: DeviceName;
  /** Layers to offload, the output counting as one; all when absent and there is a GPU. */
  readonly gpuLayers?: number | undefined;
  /** The GPUs to use, in the order in which layers are given to them; when absent, those of `usableGpus`. */
  readonly gpus?: readonly Device[] | undefined;
  /** How layers are shared among them; by what is free on each when absent. */
  readonly gpuShares?: readonly number[] | undefined;
}

export class LlamaModel {
  readonly vocabularySize: number;
  /** The model's window, tokens. */
  readonly contextWindow: number;
  readonly layers: number;
  /** Of each layer, the tokens that a token sees there, itself included; null: all before it. */
  readonly windows: readonly (number | null)[];
  /** Bytes of the weights. */
  readonly bytes: number;
  readonly #vocab: Pointer;
  readonly #pieces = new Map<Token, Uint8Array>();

  private constructor(
    readonly library: LlamaLibrary,
    readonly pointer: Pointer,
    readonly path: string,
    /** Layers asked to be on a GPU; the output layer counts as one, as in llama.cpp. */
    readonly gpuLayers: number,
    readonly gpus: readonly Device[],
  ) {
    const f = library.functions;
    this.#vocab = f.llama_model_get_vocab(pointer);
    this.vocabularySize = f.llama_vocab_n_tokens(this.#vocab);
    this.contextWindow = f.llama_model_n_ctx_train(pointer);
    this.layers = f.llama_model_n_layer(pointer);
    this.windows = this.#windows();
    this.bytes = f.llama_model_size(pointer);
  }

  /**
   * Loads the weights.
   * @throws errors.modelNotFound, errors.modelCorrupt, errors.notEnoughMemory
   */
  static load(library: LlamaLibrary, path: string, options: LlamaModelOptions): LlamaModel {
    if (!fs.existsSync(path)) throw errors.modelNotFound(path);
    const params = library.functions.llama_model_default_params();
    const usable = options.device === 'cpu' ? [] : (options.gpus ?? usableGpus(library.devices));
    const gpuLayers = usable.length === 0 ? 0 : (options.gpuLayers ?? allLayers);
    const gpus = gpuLayers === 0 ? [] : usable;
    params.n_gpu_layers = gpuLayers;
    // Longer than 64 bytes, so that they do not move while native code reads them; a null ends the devices.
    const devices = new BigUint64Array(mostGpus + 1);
    devices.set(gpus.slice(0, mostGpus).map(({ pointer }) => pointer));
    params.devices = devices;
    const shares = new Float32Array(Math.max(mostGpus, library.functions.llama_max_devices()));
    shares.set(options.gpuShares?.slice(0, gpus.length) ?? []);
    params.tensor_split = shares;
    const pointer = library.functions.llama_model_load_from_file(path, params);
    if (pointer === null) throw loadFailure(library, path, gpus);
    return new LlamaModel(library, pointer, path, gpuLayers, gpus);
  }

  /** Tokens of a text; `special` reads control tokens such as `<|im_start|>` as what they are, not as text. */
  tokenize(text: string, options: { special: boolean }): Token[] {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length === 0) return [];
    const f = this.library.functions;
    // A token covers at least one byte, but for a few that a tokenizer may add.
    const tokens = new Int32Array(bytes.length + 16);
    const count = f.llama_tokenize(
      this.#vocab,
      bytes,
      bytes.length,
      tokens,
      tokens.length,
      false,
      options.special,
    );
    if (count < 0) throw errors.internal(`the tokenizer wanted room for ${-count} tokens`, undefined);
    return Array.from(tokens.subarray(0, count)) as Token[];
  }

  /** The bytes a token stands for; a control token has none unless `special`. */
  piece(token: Token, options: { special: boolean } = { special: false }): Uint8Array {
    const known = options.special ? undefined : this.#pieces.get(token);
    if (known !== undefined) return known;
    let buffer = new Uint8Array(256);
    let length = this.#pieceInto(token, buffer, options.special);
    if (length < 0) {
      buffer = new Uint8Array(-length);
      length = this.#pieceInto(token, buffer, options.special);
    }
    const piece = buffer.slice(0, Math.max(0, length));
    if (!options.special) this.#pieces.set(token, piece);
    return piece;
  }

  isEndOfGeneration(token: Token): boolean {
    return this.library.functions.llama_vocab_is_eog(this.#vocab, token);
  }

  /** The token that begins every sequence, when the model wants one. */
  get beginToken(): Token | null {
    const f = this.library.functions;
    return f.llama_vocab_get_add_bos(this.#vocab) ? (f.llama_vocab_bos(this.#vocab) as Token) : null;
  }

  /** Text of the begin and end tokens, as chat templates use them. */
  get specialTexts(): { bos: string; eos: string } {
    const f = this.library.functions;
    const text = (token: number): string =>
      token < 0 ? '' : new TextDecoder().decode(this.piece(token as Token, { special: true }));
    return { bos: text(f.llama_vocab_bos(this.#vocab)), eos: text(f.llama_vocab_eos(this.#vocab)) };
  }

  /** The model's own chat template in Jinja, or null. */
  get chatTemplate(): string | null {
    return this.library.functions.llama_model_chat_template(this.pointer, null);
  }

  /** A value of the file's metadata as text, or null. */
  metadata(key: string): string | null {
    const buffer = new Uint8Array(4096);
    const length = this.library.functions.llama_model_meta_val_str(this.pointer, key, buffer, buffer.length);
    return length < 0
      ? null
      : new TextDecoder().decode(buffer.subarray(0, Math.min(length, buffer.length - 1)));
  }

  /** llama.cpp says how long the window is, and not of which layers; the attention probe holds this to its masks. */
  #windows(): (number | null)[] {
    const window = this.library.functions.llama_model_n_swa(this.pointer);
    const architecture = this.metadata('general.architecture');
    const pattern = this.metadata(`${architecture}.attention.sliding_window_pattern`);
    const isWindowed = pattern?.startsWith('[') === true ? pattern.slice(1, -1).split(/,\s*/) : null;
    const period = isWindowed === null ? Number(pattern ?? defaultWindowPeriod) : 0;
    return Array.from({ length: this.layers }, (_, layer) => {
      const windowed =
        isWindowed === null ? layer % period < period - 1 : ['true', '1'].includes(isWindowed[layer] ?? '');
      return window > 0 && windowed ? window : null;
    });
  }

  dispose(): void {
    this.library.functions.llama_model_free(this.pointer);
  }

  #pieceInto(token: Token, buffer: Uint8Array, special: boolean): number {
    return this.library.functions.llama_token_to_piece(this.#vocab, token, buffer, buffer.length, 0, special);
  }
}

const allLayers = 999;
const mostGpus = 16;

/** Those that llama.cpp would use: integrated ones only where there is no other. */
export function usableGpus(devices: readonly Device[]): Device[] {
  const gpus = devices.filter(({ isGpu }) => isGpu);
  const discrete = gpus.filter(({ isIntegrated }) => !isIntegrated);
  return discrete.length > 0 ? discrete : gpus;
}

/** Of Gemma 3: every sixth layer sees all tokens. */
const defaultWindowPeriod = 6;

/** The log-probabilities of the next token: log-softmax in float64 of llama.cpp's f32 logits, (vocabularySize). */
export function logSoftmax(logits: Float32Array): Float64Array {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  const shift = max + Math.log(sum);
  return Float64Array.from(logits, (logit) => logit - shift);
}

/** Copies `count` floats from native memory. */
export function copyFloats(pointer: Pointer, count: number): Float32Array {
  return Float32Array.from(koffi.decode(pointer, 'float', count) as Float32Array | number[]);
}

/**
 * llama.cpp does not say why it loads no file. A header that promises more than the file has was refused before, so where
 * a GPU has less room than its part of the file, that is the reason: what was free when it was estimated is taken.
 */
function loadFailure(library: LlamaLibrary, path: string, gpus: readonly Device[]): AskError {
  const partBytes = fs.statSync(path).size / gpus.length;
  for (const gpu of gpus) {
    const memory = deviceMemory(library, gpu);
    if (memory !== null && memory.freeBytes < partBytes) {
      return errors.notEnoughMemory(partBytes, memory.freeBytes, gpu.name);
    }
  }
  return errors.modelCorrupt(path, problem(corruptTexts.notLoaded));
}
