/**
 * Reads what a GGUF file says of itself before the engine sees it: its metadata and where its tensors lie.
 * Own code, since node-llama-cpp's reader takes over 400 ms to import, reads zeros beyond the end of a truncated
 * file and allocates by the counts a damaged file claims; this one believes no count the file has no room for.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errors } from '../errors.ts';
import type { Sentence } from '../protocol/sentence.ts';
import { ggmlTypes } from './ggmlTypes.ts';
import { corruptTexts, problem, type ProblemTemplate } from './modelProblems.ts';

/** Of an array only so many elements are kept: lists per layer are whole, a vocabulary is not needed. */
const KEPT_ARRAY_ELEMENTS = 1024;
const BUFFER_BYTES = 2 ** 20;
const MAX_NAME_BYTES = 2 ** 16;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT_BYTES = 32;

export interface GgufHeader {
  readonly path: string;
  /** 2 or 3. */
  readonly version: number;
  readonly fileBytes: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly TensorInfo[];
  /** Where in the file the first tensor's bytes begin. */
  readonly dataOffset: number;
}

export type GgufScalar = number | boolean | string;
export type GgufValue = GgufScalar | GgufArray;
export interface GgufArray {
  readonly length: number;
  /** The first elements, at most 1024. */
  readonly values: readonly GgufScalar[];
}

export interface TensorInfo {
  readonly name: string;
  /** For example "Q4_1". */
  readonly type: string;
  /** Fastest-running first, as ggml counts them. */
  readonly dimensions: readonly number[];
  /** From the beginning of the file, bytes. */
  readonly offset: number;
  readonly bytes: number;
}

/** Throws errors.modelNotFound, and errors.modelCorrupt for everything that is not a whole GGUF file. */
export function readGgufHeader(path: string): GgufHeader {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw errors.modelNotFound(path);
    throw errors.modelCorrupt(path, error instanceof Error ? error.message : String(error));
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile())
      throw new NotGguf(problem(stats.isDirectory() ? corruptTexts.folder : corruptTexts.notRegular));
    return parse(path, new ByteReader(file, stats.size));
  } catch (error) {
    if (error instanceof NotGguf) throw errors.modelCorrupt(path, error.problem);
    throw error;
  } finally {
    closeSync(file);
  }
}

class NotGguf extends Error {
  constructor(readonly problem: Sentence) {
    super(problem.template);
  }
}

function parse(path: string, reader: ByteReader): GgufHeader {
  checkFormat(reader);
  const version = reader.u32();
  if (version >= 2 ** 16) throw new NotGguf(problem(corruptTexts.otherByteOrder));
  if (version !== 2 && version !== 3) {
    throw new NotGguf(problem(corruptTexts.version, version));
  }
  // A tensor entry takes at least 24 bytes and a metadata entry at least 13.
  const tensorCount = reader.count(24, corruptTexts.tensorCount);
  const metadataCount = reader.count(13, corruptTexts.metadataCount);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < metadataCount; i++) {
    const key = reader.name();
    metadata.set(key, readValue(reader, reader.u32(), key));
  }
  const declared = Array.from({ length: tensorCount }, () => readTensor(reader));
  const alignment = alignmentOf(metadata);
  const dataOffset = Math.ceil(reader.position / alignment) * alignment;
  const tensors = declared.map((tensor) => ({ ...tensor, offset: tensor.offset + dataOffset }));
  const neededBytes = tensors.reduce(
    (end, tensor) => Math.max(end, tensor.offset + tensor.bytes),
    reader.position,
  );
  if (neededBytes > reader.fileBytes) {
    throw new NotGguf(problem(corruptTexts.tooShort, reader.fileBytes, neededBytes));
  }
  return { path, version, fileBytes: reader.fileBytes, metadata, tensors, dataOffset };
}

function alignmentOf(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT_BYTES;
  if (typeof alignment === 'number' && alignment > 0 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw new NotGguf(problem(corruptTexts.alignment, JSON.stringify(alignment)));
}

function readTensor(reader: ByteReader): TensorInfo {
  const name = reader.name();
  const dimensionCount = reader.u32();
  if (dimensionCount > MAX_DIMENSIONS) {
    throw new NotGguf(problem(corruptTexts.dimensions, name, dimensionCount));
  }
  const dimensions = Array.from({ length: dimensionCount }, () => reader.u64());
  const typeNumber = reader.u32();
  const type = ggmlTypes.get(typeNumber);
  if (type === undefined) throw new NotGguf(problem(corruptTexts.tensorType, name, typeNumber));
  const offset = reader.u64();
  const values = dimensions.reduce((product, dimension) => product * dimension, 1);
  if (!Number.isSafeInteger(values) || (dimensions[0] ?? 1) % type.blockValues !== 0) {
    throw new NotGguf(problem(corruptTexts.shape, name, dimensions.join(' x ')));
  }
  return { name, type: type.name, dimensions, offset, bytes: (values / type.blockValues) * type.blockBytes };
}

const STRING_TYPE = 8;
const ARRAY_TYPE = 9;
const scalarReaders: Readonly<
  Record<number, { bytes: number; read: (view: DataView, at: number) => number | boolean }>
> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  // 64-bit metadata are counts and sizes; above 2^53 they lose their last bits, which no check here looks at.
  10: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

function readValue(reader: ByteReader, type: number, key: string): GgufValue {
  return type === ARRAY_TYPE ? readArray(reader, key) : readScalar(reader, type, key);
}

function readScalar(reader: ByteReader, type: number, key: string): GgufScalar {
  if (type === STRING_TYPE) return reader.string();
  const scalar = scalarReaders[type];
  if (scalar === undefined) throw new NotGguf(problem(corruptTexts.metadataType, key, type));
  return scalar.read(reader.take(scalar.bytes), 0);
}

function readArray(reader: ByteReader, key: string): GgufArray {
  const type = reader.u32();
  const elementBytes = type === STRING_TYPE ? 8 : scalarReaders[type]?.bytes;
  if (elementBytes === undefined) throw new NotGguf(problem(corruptTexts.listType, key, type));
  const length = reader.count(elementBytes, corruptTexts.listLength, key);
  const kept = Math.min(length, KEPT_ARRAY_ELEMENTS);
  const values = Array.from({ length: kept }, () => readScalar(reader, type, key));
  if (type !== STRING_TYPE) reader.skip((length - kept) * elementBytes);
  else for (let i = kept; i < length; i++) reader.skip(reader.u64());
  return { length, values };
}

/** Names what the file is when it does not begin as GGUF does; leaves the reader after the first four bytes. */
function checkFormat(reader: ByteReader): void {
  if (reader.fileBytes === 0) throw new NotGguf(problem(corruptTexts.empty));
  const start = Buffer.from(reader.peek(512));
  if (startsWith(start, 'GGUF')) {
    reader.skip(4);
    return;
  }
  const text = start.toString('utf8').trimStart();
  const format = otherFormats.find(([, matches]) => matches(start, text))?.[0] ?? corruptTexts.unknownFormat;
  throw new NotGguf(problem(format));
}

const otherFormats: readonly (readonly [
  is: ProblemTemplate,
  matches: (start: Buffer, text: string) => boolean,
])[] = [
  [corruptTexts.zip, (start) => startsWith(start, 'PK')],
  [corruptTexts.safetensors, (start) => start.toString('latin1', 8, 10) === '{"'],
  [corruptTexts.beforeGguf, (start) => /^(lmgg|tjgg|algg)/.test(start.toString('latin1'))],
  [corruptTexts.gzip, (start) => start[0] === 0x1f && start[1] === 0x8b],
  [corruptTexts.lfsPointer, (_, text) => text.startsWith('version https://git-lfs')],
  [corruptTexts.webPage, (_, text) => /^<(!doctype|html|\?xml)/i.test(text)],
  [corruptTexts.text, (start) => start.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d))],
];

function startsWith(start: Buffer, letters: string): boolean {
  return start.toString('latin1', 0, letters.length) === letters;
}

/** Reads a file from front to back, little-endian; every read beyond its end is a NotGguf. */
class ByteReader {
  position = 0;
  private buffer = new Uint8Array(0);
  private bufferStart = 0;

  constructor(
    private readonly file: number,
    readonly fileBytes: number,
  ) {}

  u32(): number {
    return this.take(4).getUint32(0, true);
  }

  /** Throws for numbers above 2^53, which no size in a real file reaches. */
  u64(): number {
    const value = Number(this.take(8).getBigUint64(0, true));
    if (!Number.isSafeInteger(value)) throw new NotGguf(problem(corruptTexts.size, this.position - 8));
    return value;
  }

  /** A 64-bit count of things that take at least `minimumBytes` each in the rest of the file. */
  count(minimumBytes: number, tooMany: ProblemTemplate, ...of: string[]): number {
    const count = this.u64();
    if (count * minimumBytes > this.fileBytes - this.position) {
      throw new NotGguf(problem(tooMany, count, this.fileBytes, ...of));
    }
    return count;
  }

  name(): string {
    const length = this.u64();
    if (length > MAX_NAME_BYTES) throw new NotGguf(problem(corruptTexts.name, length, this.position));
    return this.text(length);
  }

  string(): string {
    return this.text(this.u64());
  }

  skip(bytes: number): void {
    this.checkRest(bytes);
    this.position += bytes;
  }

  /** The next bytes, which stay valid until the next read. */
  take(bytes: number): DataView {
    const taken = this.peek(bytes);
    this.checkRest(bytes);
    this.position += bytes;
    return new DataView(taken.buffer, taken.byteOffset, bytes);
  }

  /** The next bytes without passing them; fewer at the end of the file. */
  peek(bytes: number): Uint8Array {
    const end = Math.min(this.position + bytes, this.fileBytes);
    const inBuffer = this.position >= this.bufferStart && end <= this.bufferStart + this.buffer.length;
    if (!inBuffer) this.fill(Math.max(BUFFER_BYTES, end - this.position));
    return this.buffer.subarray(this.position - this.bufferStart, end - this.bufferStart);
  }

  private text(bytes: number): string {
    this.checkRest(bytes);
    const view = this.take(bytes);
    return Buffer.from(view.buffer, view.byteOffset, bytes).toString('utf8');
  }

  private checkRest(bytes: number): void {
    if (this.position + bytes > this.fileBytes) {
      throw new NotGguf(problem(corruptTexts.header, this.fileBytes, this.position + bytes));
    }
  }

  private fill(bytes: number): void {
    const buffer = new Uint8Array(Math.min(bytes, this.fileBytes - this.position));
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(this.file, buffer, filled, buffer.length - filled, this.position + filled);
      if (read === 0) throw new NotGguf(problem(corruptTexts.shrank));
      filled += read;
    }
    this.buffer = buffer;
    this.bufferStart = this.position;
  }
}
