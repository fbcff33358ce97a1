/** Reads a ZIP archive as vsce writes it: stored or deflated, no encryption, below 4 GiB. */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

export interface ArchivedFile {
  readonly path: string;
  readonly read: () => Buffer;
}

/** The files in the order of their paths. Throws when the archive is cut off or of another kind. */
export function readArchive(archivePath: string): ArchivedFile[] {
  const bytes = readFileSync(archivePath);
  const end = bytes.lastIndexOf(signatures.end);
  if (end < 0) throw new Error(`${archivePath} is no ZIP archive: it has no directory.`);
  const count = bytes.readUInt16LE(end + 10);
  const files: ArchivedFile[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (!bytes.subarray(at, at + 4).equals(signatures.entry))
      throw new Error(`${archivePath} has no entry ${index} at byte ${at}.`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      bytes.readUInt16LE(at + offset),
    ) as [number, number, number];
    const entry = bytes.subarray(at, at + 46 + nameLength);
    files.push({ path: entry.toString('utf8', 46), read: () => content(bytes, entry) });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const signatures = { end: Buffer.from('PK\x05\x06'), entry: Buffer.from('PK\x01\x02') };
const methods = { stored: 0, deflated: 8 };

function content(bytes: Buffer, entry: Buffer): Buffer {
  const method = entry.readUInt16LE(10);
  const size = entry.readUInt32LE(20);
  const header = entry.readUInt32LE(42);
  // The lengths in the file's own header may differ from those in the directory.
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const packed = bytes.subarray(start, start + size);
  if (method === methods.stored) return packed;
  if (method === methods.deflated) return inflateRawSync(packed);
  throw new Error(`${entry.toString('utf8', 46)} is packed by method ${method}, which no VSIX uses.`);
}
