import { readFileSync } from 'node:fs';
import { fromHalfBits } from './halfFloat.ts';

export type ReadValue = number | boolean | string | readonly ReadValue[];

/** A tensor read into float64. `shape` is in GGUF's order: the first entry counts neighbouring elements. */
export interface ReadTensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface ReadGguf {
  readonly metadata: ReadonlyMap<string, ReadValue>;
  readonly tensors: ReadonlyMap<string, ReadTensor>;
}

/**
 * Reads a whole GGUF v3 file, little endian, with f32 and f16 tensors.
 * Throws where the file is something else.
 */
export function readGguf(path: string): ReadGguf {
  const bytes = readFileSync(path);
  let at = 0;
  const take = (count: number) => (at += count) - count;
  const uint32 = () => bytes.readUInt32LE(take(4));
  const uint64 = () => Number(bytes.readBigUInt64LE(take(8)));
  const text = () => {
    const length = uint64();
    const start = take(length);
    return bytes.toString('utf8', start, start + length);
  };
  const value = (type: number): ReadValue => {
    switch (type) {
      case 0:
        return bytes.readUInt8(take(1));
      case 1:
        return bytes.readInt8(take(1));
      case 2:
        return bytes.readUInt16LE(take(2));
      case 3:
        return bytes.readInt16LE(take(2));
      case 4:
        return uint32();
      case 5:
        return bytes.readInt32LE(take(4));
      case 6:
        return bytes.readFloatLE(take(4));
      case 7:
        return bytes.readUInt8(take(1)) !== 0;
      case 8:
        return text();
      case 9: {
        const elementType = uint32();
        return Array.from({ length: uint64() }, () => value(elementType));
      }
      case 10:
        return uint64();
      case 11:
        return Number(bytes.readBigInt64LE(take(8)));
      case 12:
        return bytes.readDoubleLE(take(8));
      default:
        throw new Error(`${path}: metadata type ${type} at byte ${at} is not one of GGUF's 0 to 12`);
    }
  };

  const magic = bytes.toString('latin1', 0, take(4) + 4);
  const version = uint32();
  if (magic !== 'GGUF' || version !== 3)
    throw new Error(`${path}: expected GGUF version 3, found ${JSON.stringify(magic)} version ${version}`);
  const tensorCount = uint64();
  const metadataCount = uint64();
  const metadata = new Map<string, ReadValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = text();
    metadata.set(key, value(uint32()));
  }
  const entries = Array.from({ length: tensorCount }, () => ({
    name: text(),
    shape: Array.from({ length: uint32() }, uint64),
    type: uint32(),
    offset: uint64(),
  }));
  const alignment = Number(metadata.get('general.alignment') ?? 32);
  const dataStart = Math.ceil(at / alignment) * alignment;
  const tensors = new Map<string, ReadTensor>();
  for (const { name, shape, type, offset } of entries) {
    const elements = shape.reduce((product, length) => product * length, 1);
    const start = dataStart + offset;
    const element = elementReader(bytes, type);
    if (element === undefined)
      throw new Error(`${path}: tensor ${name} has type ${type}: write it as f32 (0) or f16 (1)`);
    const values = Float64Array.from({ length: elements }, (_, i) => element(start, i));
    tensors.set(name, { shape, values });
  }
  return { metadata, tensors };
}

function elementReader(bytes: Buffer, type: number): ((start: number, i: number) => number) | undefined {
  if (type === 0) return (start, i) => bytes.readFloatLE(start + 4 * i);
  if (type === 1) return (start, i) => fromHalfBits(bytes.readUInt16LE(start + 2 * i));
  return undefined;
}
