/** Reading a `ggml_tensor` that llama.cpp built. */
import koffi from 'koffi';
import type { Pointer } from './functions.ts';
import { GgmlTensor } from './structs.ts';

export interface TensorInfo {
  readonly type: number;
  readonly buffer: Pointer | null;
  /** Elements per dimension, fastest first. */
  readonly ne: readonly number[];
  /** Strides in bytes. */
  readonly nb: readonly number[];
  readonly op: number;
  readonly opParams: Int32Array;
  readonly src: readonly (Pointer | null)[];
  readonly viewSrc: Pointer | null;
  readonly viewOffset: number;
  readonly name: string;
}

interface RawTensor {
  type: number;
  buffer: Pointer | null;
  ne: BigInt64Array | bigint[] | number[];
  nb: BigUint64Array | bigint[] | number[];
  op: number;
  op_params: Int32Array | number[];
  src: (Pointer | null)[];
  view_src: Pointer | null;
  view_offs: number | bigint;
  name: string;
}

export function readTensor(pointer: Pointer): TensorInfo {
  const raw = koffi.decode(pointer, GgmlTensor) as RawTensor;
  return {
    type: raw.type,
    buffer: raw.buffer,
    ne: Array.from(raw.ne, Number),
    nb: Array.from(raw.nb, Number),
    op: raw.op,
    opParams: Int32Array.from(raw.op_params),
    src: Array.from(raw.src),
    viewSrc: raw.view_src,
    viewOffset: Number(raw.view_offs),
    name: raw.name,
  };
}

const opOffset = BigInt(koffi.offsetof(GgmlTensor, 'op'));

/** The operation alone: asked for every node of every graph, where decoding the whole structure would cost. */
export function readOperation(pointer: Pointer): number {
  return koffi.decode(pointer + opOffset, 'int') as number;
}

/** `op_params` read as floats, as ggml stores them. */
export function floatParams(opParams: Int32Array): Float32Array {
  return new Float32Array(opParams.buffer, opParams.byteOffset, opParams.length);
}
