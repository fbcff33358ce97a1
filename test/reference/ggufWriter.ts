import { writeFileSync } from 'node:fs';
import { toHalfBits } from './halfFloat.ts';

/** One metadata value; an array holds elements of one scalar type. */
export type MetadataValue =
  | { readonly type: 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int32s' | 'float32s'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] };

/** A tensor to be written. `shape` is in GGUF's order: the first entry counts neighbouring elements. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: 'f32' | 'f16';
  readonly values: Float32Array;
}

/** Writes a GGUF v3 file (little endian), replacing what is at `path`. */
export function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, MetadataValue>,
  tensors: readonly WritableTensor[],
): void {
  const header = [
    Buffer.from('GGUF'),
    uint32(ggufVersion),
    uint64(tensors.length),
    uint64(metadata.size),
    ...[...metadata].flatMap(([key, value]) => [text(key), metadataBytes(value)]),
  ];
  const data: Buffer[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const bytes = padded(tensorBytes(tensor));
    header.push(
      text(tensor.name),
      uint32(tensor.shape.length),
      ...tensor.shape.map((length) => uint64(length)),
      uint32(tensorTypeId[tensor.type]),
      uint64(offset),
    );
    data.push(bytes);
    offset += bytes.length;
  }
  writeFileSync(path, Buffer.concat([padded(Buffer.concat(header)), ...data]));
}

const ggufVersion = 3;
/** Bytes; the default where the metadata does not say otherwise. */
const alignment = 32;
const tensorTypeId = { f32: 0, f16: 1 };
const valueTypeId = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 };

function metadataBytes(entry: MetadataValue): Buffer {
  switch (entry.type) {
    case 'uint32':
      return Buffer.concat([uint32(valueTypeId.uint32), uint32(entry.value)]);
    case 'int32':
      return Buffer.concat([uint32(valueTypeId.int32), int32(entry.value)]);
    case 'float32':
      return Buffer.concat([uint32(valueTypeId.float32), float32(entry.value)]);
    case 'bool':
      return Buffer.concat([uint32(valueTypeId.bool), Buffer.from([entry.value ? 1 : 0])]);
    case 'string':
      return Buffer.concat([uint32(valueTypeId.string), text(entry.value)]);
    case 'int32s':
      return array(valueTypeId.int32, entry.value.map(int32));
    case 'float32s':
      return array(valueTypeId.float32, entry.value.map(float32));
    case 'strings':
      return array(valueTypeId.string, entry.value.map(text));
  }
}

function array(elementTypeId: number, elements: readonly Buffer[]): Buffer {
  return Buffer.concat([
    uint32(valueTypeId.array),
    uint32(elementTypeId),
    uint64(elements.length),
    ...elements,
  ]);
}

function tensorBytes(tensor: WritableTensor): Buffer {
  const elements = tensor.shape.reduce((product, length) => product * length, 1);
  if (elements !== tensor.values.length)
    throw new Error(
      `tensor ${tensor.name} has ${tensor.values.length} values, its shape says ${elements}: pass as many values as the shape holds`,
    );
  const size = tensor.type === 'f32' ? 4 : 2;
  const bytes = Buffer.alloc(elements * size);
  tensor.values.forEach((value, i) =>
    tensor.type === 'f32' ? bytes.writeFloatLE(value, 4 * i) : bytes.writeUInt16LE(toHalfBits(value), 2 * i),
  );
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (alignment - 1))]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
