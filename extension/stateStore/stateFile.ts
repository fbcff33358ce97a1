/**
 * One stored state in one file, which is read whole or not at all. Numbers are little-endian:
 *
 *     0   7 bytes  magic
 *     7   u8       version of the format
 *     8   u32      length of the JSON in bytes
 *    12   u32      CRC-32 of bytes 0 to 11 and of the JSON with its padding
 *    16   JSON     { header, sections: [{ bytes, crc32 }] }, then zeros up to a multiple of 64
 *         sections each followed by zeros up to a multiple of 64, which its CRC-32 covers too
 *
 * So every byte of the file is under a checksum, and the JSON tells the file's exact size.
 */
import { randomUUID } from 'node:crypto';
import { constants, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { errors } from '../errors.ts';

/** Plain JSON; whoever reads it checks what is in it. */
export type StateHeader = Readonly<Record<string, unknown>>;

export interface StateContent {
  readonly header: StateHeader;
  readonly sections: readonly Uint8Array[];
}

/** `foreign`: not a file of this program. `version`: of another version of the format. */
export type StateFileProblem = 'foreign' | 'version' | 'truncated' | 'damaged';

export class StateFileError extends Error {
  override readonly name = 'StateFileError';
  constructor(
    readonly why: StateFileProblem,
    readonly path: string,
    detail: string,
  ) {
    super(`${path} is not a whole state (${why}): ${detail}`);
  }
}

const magic = Buffer.from('AskKvSt', 'latin1');
const FORMAT_VERSION = 1;
const PRELUDE_BYTES = 16;
const CHECKSUM_OFFSET_BYTES = 12;
const ALIGNMENT_BYTES = 64;
/** What is read, written or summed at once; in between, other work gets its turn. */
const BLOCK_BYTES = 2 ** 20;
/** Far above any real header; a damaged length must not allocate the memory of the machine. */
const MAX_JSON_BYTES = 64 * 2 ** 20;
const zeros = new Uint8Array(ALIGNMENT_BYTES);

const headSchema = z.object({
  header: z.record(z.string(), z.unknown()),
  sections: z.array(z.object({ bytes: z.int().nonnegative(), crc32: z.string().regex(/^[0-9a-f]{8}$/u) })),
});
type SectionEntry = z.infer<typeof headSchema>['sections'][number];

/**
 * Writes beside the file and renames, so that a crash at any moment leaves the old file, or none, or the new one; what
 * a crash leaves beside it is named as `isUnfinishedStateFile` says. What was renamed is on the disk as a whole.
 * Only the user can read it.
 * Throws errors.cancelled, RangeError for a header of more than 64 MiB, and what the file system says.
 */
export async function writeStateFile(
  path: string,
  header: StateHeader,
  sections: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  const head = formatHead(header, await entriesOf(sections, signal));
  const unfinished = `${path}.${randomUUID()}${unfinishedSuffix}`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    try {
      // The zeros between the sections are what the file system gives where nothing is written.
      await handle.truncate(fileBytes(head.length, sections));
      await writeAt(handle, head, 0, signal);
      let position = head.length;
      for (const section of sections) {
        await writeAt(handle, section, position, signal);
        position += aligned(section.length);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    stopIfAborted(signal);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The size that the file of this state has. */
export function stateFileBytes(header: StateHeader, sections: readonly Uint8Array[]): number {
  const entries = sections.map(({ length }) => ({ bytes: length, crc32: hex(0) }));
  return fileBytes(formatHead(header, entries).length, sections);
}

const unfinishedSuffix = '.new';

/** Whether a file of this name is one that `writeStateFile` has not renamed yet, or never will. */
export function isUnfinishedStateFile(fileName: string): boolean {
  return /\.[0-9a-f-]{36}\.new$/u.test(fileName);
}

/**
 * The whole state, checked. The file is opened once: when it is replaced or removed meanwhile, the old state is read
 * to its end. Each section begins at the start of a buffer of its own.
 * Throws StateFileError, and what the file system says (ENOENT when there is none). A symbolic link is `foreign`.
 */
export function readStateFile(path: string): Promise<StateContent> {
  return withFile(path, async (handle) => {
    const { header, entries, end } = await readHead(handle, path);
    return { header, sections: await readSections(handle, path, end, entries) };
  });
}

/** The header alone; the file has its right size, and its sections were not looked at. Throws as `readStateFile`. */
export function readStateHeader(path: string): Promise<StateHeader> {
  return withFile(path, async (handle) => (await readHead(handle, path)).header);
}

async function withFile<T>(path: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await openWithoutFollowing(path);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

async function openWithoutFollowing(path: string): Promise<FileHandle> {
  try {
    // O_NONBLOCK: a named pipe must not wait for its writer. Windows has neither flag, and undefined counts as 0.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOOP') {
      throw new StateFileError('foreign', path, 'it is a symbolic link');
    }
    throw error;
  }
}

async function readHead(handle: FileHandle, path: string) {
  const problem = (why: StateFileProblem, detail: string) => new StateFileError(why, path, detail);
  const stats = await handle.stat();
  if (!stats.isFile()) throw problem('foreign', 'it is not a file');
  const prelude = Buffer.alloc(Math.min(PRELUDE_BYTES, stats.size));
  await fill(handle, path, prelude, 0);
  const ours = Math.min(magic.length, prelude.length);
  if (!prelude.subarray(0, ours).equals(magic.subarray(0, ours))) {
    throw problem('foreign', 'it does not begin as one');
  }
  if (prelude.length < PRELUDE_BYTES) throw problem('truncated', `it has ${stats.size} bytes`);
  const version = prelude.readUInt8(magic.length);
  if (version !== FORMAT_VERSION) {
    throw problem('version', `its format has version ${version}, and ${FORMAT_VERSION} is read`);
  }

  const jsonBytes = prelude.readUInt32LE(8);
  if (jsonBytes > MAX_JSON_BYTES) throw problem('damaged', `its header claims ${jsonBytes} bytes`);
  const end = aligned(PRELUDE_BYTES + jsonBytes);
  if (end > stats.size) throw problem('truncated', `it has ${stats.size} bytes, its header ends at ${end}`);
  const rest = Buffer.alloc(end - PRELUDE_BYTES);
  await fill(handle, path, rest, PRELUDE_BYTES);
  if (headChecksum(prelude, rest) !== prelude.readUInt32LE(CHECKSUM_OFFSET_BYTES)) {
    throw problem('damaged', 'the checksum of its header is another');
  }

  const { header, sections: entries } = parseHead(rest.toString('utf8', 0, jsonBytes), path);
  const expected = entries.reduce((bytes, entry) => bytes + aligned(entry.bytes), end);
  if (stats.size !== expected) {
    const why = stats.size < expected ? 'truncated' : 'damaged';
    throw problem(why, `it has ${stats.size} bytes where ${expected} were written`);
  }
  return { header, entries, end };
}

function parseHead(json: string, path: string): z.infer<typeof headSchema> {
  try {
    return headSchema.parse(JSON.parse(json));
  } catch (error) {
    throw new StateFileError('damaged', path, `its header is not what is written: ${String(error)}`);
  }
}

async function readSections(
  handle: FileHandle,
  path: string,
  start: number,
  entries: readonly SectionEntry[],
): Promise<Uint8Array[]> {
  // Every byte is read or it throws, so the memory need not be cleared before.
  const padded = entries.map(({ bytes }) => Buffer.allocUnsafeSlow(aligned(bytes)));
  const checksums = entries.map(() => 0);
  let position = start;
  // One block is summed while the next one is read.
  let sumPrevious: () => void = () => undefined;
  for (const [index, section] of padded.entries()) {
    for (const [offset, block] of blocksOf(section)) {
      const reading = fill(handle, path, block, position + offset);
      sumPrevious();
      await reading;
      sumPrevious = () => {
        checksums[index] = crc32(block, checksums[index]);
      };
    }
    position += section.length;
  }
  sumPrevious();
  return entries.map((entry, index) => {
    if (hex(checksums[index]!) !== entry.crc32) {
      throw new StateFileError('damaged', path, `the checksum of section ${index + 1} is another`);
    }
    return new Uint8Array(padded[index]!.buffer, 0, entry.bytes);
  });
}

async function fill(handle: FileHandle, path: string, target: Uint8Array, position: number): Promise<void> {
  for (let filled = 0; filled < target.length;) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) throw new StateFileError('truncated', path, `it ends at byte ${position + filled}`);
    filled += bytesRead;
  }
}

async function writeAt(handle: FileHandle, content: Uint8Array, position: number, signal: AbortSignal) {
  for (const [offset, block] of blocksOf(content)) {
    for (let written = 0; written < block.length;) {
      stopIfAborted(signal);
      const rest = block.length - written;
      written += (await handle.write(block, written, rest, position + offset + written)).bytesWritten;
    }
  }
}

/** Puts the new name on the disk too. Where folders cannot be synced (Windows), it comes there without it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch {
    // The state is written and readable all the same; a name lost by a power cut is a state less.
  }
}

async function entriesOf(sections: readonly Uint8Array[], signal: AbortSignal): Promise<SectionEntry[]> {
  const entries: SectionEntry[] = [];
  for (const section of sections) {
    let checksum = 0;
    for (const [, block] of blocksOf(section)) {
      stopIfAborted(signal);
      checksum = crc32(block, checksum);
      await nextTurn();
    }
    entries.push({ bytes: section.length, crc32: hex(crc32(paddingOf(section.length), checksum)) });
  }
  return entries;
}

function formatHead(header: StateHeader, sections: readonly SectionEntry[]): Buffer {
  const json = Buffer.from(JSON.stringify({ header, sections }));
  if (json.length > MAX_JSON_BYTES) {
    throw new RangeError(
      `The header of a state has ${json.length} bytes, and ${MAX_JSON_BYTES} are the limit`,
    );
  }
  const head = Buffer.alloc(aligned(PRELUDE_BYTES + json.length));
  magic.copy(head);
  head.writeUInt8(FORMAT_VERSION, magic.length);
  head.writeUInt32LE(json.length, 8);
  json.copy(head, PRELUDE_BYTES);
  head.writeUInt32LE(headChecksum(head, head.subarray(PRELUDE_BYTES)), CHECKSUM_OFFSET_BYTES);
  return head;
}

function headChecksum(prelude: Uint8Array, rest: Uint8Array): number {
  return crc32(rest, crc32(prelude.subarray(0, CHECKSUM_OFFSET_BYTES)));
}

function fileBytes(headBytes: number, sections: readonly Uint8Array[]): number {
  return sections.reduce((bytes, { length }) => bytes + aligned(length), headBytes);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

function paddingOf(bytes: number): Uint8Array {
  return zeros.subarray(0, aligned(bytes) - bytes);
}

/** Of fixed width, so that the size of a file does not depend on its checksums. */
function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function* blocksOf(content: Uint8Array): Generator<[offset: number, block: Uint8Array]> {
  for (let offset = 0; offset < content.length; offset += BLOCK_BYTES) {
    yield [offset, content.subarray(offset, offset + BLOCK_BYTES)];
  }
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw errors.cancelled();
}
