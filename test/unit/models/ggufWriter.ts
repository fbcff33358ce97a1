/** Writes small GGUF files, whole or wrong, byte by byte as the format says. */

export type Metadata = Readonly<
  Record<string, string | number | boolean | readonly number[] | readonly string[]>
>;

export interface TestTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** ggml's number of the type; 0 is F32. */
  readonly type?: number;
}

export interface TestGguf {
  readonly metadata?: Metadata;
  readonly tensors?: readonly TestTensor[];
  readonly version?: number;
  readonly alignment?: number;
}

/** All tensors are F32 unless they say otherwise, and then `data` bytes of zeros are theirs all the same. */
export function ggufBytes(gguf: TestGguf): Buffer {
  const tensors = gguf.tensors ?? [];
  const alignment = gguf.alignment ?? 32;
  const pad = (bytes: number) => Math.ceil(bytes / alignment) * alignment;
  const metadata = Object.entries(gguf.metadata ?? {});
  const header = [Buffer.from('GGUF'), u32(gguf.version ?? 3), u64(tensors.length), u64(metadata.length)];
  for (const [key, value] of metadata) header.push(string(key), ...typedValue(value));
  let dataBytes = 0;
  for (const { name, dimensions, type } of tensors) {
    header.push(string(name), u32(dimensions.length), ...dimensions.map(u64), u32(type ?? 0), u64(dataBytes));
    dataBytes += pad(4 * dimensions.reduce((product, dimension) => product * dimension, 1));
  }
  const written = Buffer.concat(header);
  return Buffer.concat([written, Buffer.alloc(pad(written.length) - written.length + dataBytes)]);
}

/** The metadata that every served architecture states, with small sizes. */
export function modelMetadata(architecture: string, more: Metadata = {}): Metadata {
  return {
    'general.architecture': architecture,
    [`${architecture}.block_count`]: 2,
    [`${architecture}.context_length`]: 1024,
    [`${architecture}.embedding_length`]: 64,
    [`${architecture}.feed_forward_length`]: 128,
    [`${architecture}.attention.head_count`]: 4,
    [`${architecture}.attention.head_count_kv`]: 2,
    'tokenizer.ggml.tokens': ['a', 'b', 'c'],
    ...more,
  };
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function typedValue(value: Metadata[string]): Buffer[] {
  if (typeof value === 'string') return [u32(8), string(value)];
  if (typeof value === 'boolean') return [u32(7), Buffer.from([value ? 1 : 0])];
  if (typeof value === 'number') return Number.isInteger(value) ? [u32(4), u32(value)] : [u32(6), f32(value)];
  const elements = value.map((element) => (typeof element === 'string' ? string(element) : u32(element)));
  const type = typeof value[0] === 'string' ? 8 : 4;
  return [u32(9), u32(type), u64(value.length), ...elements];
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
