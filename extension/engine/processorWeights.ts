/**
 * Weights in a type that a processor multiplies quickly. llama.cpp has products for blocks of tokens in most types; those
 * of q4_1 and q5_1 it takes token by token, so that reading takes 1.7 and 2.3 times as long as with q8_0 (ARCHITECTURE,
 * "Weights on a processor").
 */
import { rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withFileLock } from '../models/fileLock.ts';
import { modelFingerprint } from '../models/fingerprint.ts';
import { freeMemoryBytes } from '../models/freeMemory.ts';
import { readGgufHeader, type GgufHeader } from '../models/ggufFile.ts';
import { checkDisk, messageOf, processorCopyPath } from '../models/modelFolder.ts';
import { decodeThreads, type LlamaLibrary } from './llama/library.ts';
import { requantize } from './llama/requantize.ts';

/** What llama.cpp multiplies token by token. */
const slowTypes: ReadonlySet<string> = new Set(['Q4_1', 'Q5_1']);
/** Of a larger file a copy would cost the disk more than a small model's reading is worth. */
const mostBytes = 512 * 2 ** 20;
/** Of the file's size: the copy, what the system still holds of the file, and rows. */
const memoryNeeded = 4;
/** A block of 32 weights takes 34 bytes in the copy, and 20 at least in the file. */
const growth = 34 / 20;
/** In the copy's metadata: the fingerprint of the file it was made of. */
const sourceKey = 'ask_codebase.requantized_from';

/**
 * The header of the file to load on a processor: of a copy in q8_0, made beside the model file when it is not there yet
 * (a second for each 100 MB), or the header given, where a copy gains nothing or cannot be made. The copy's values are those
 * of the file but for their rounding, 1/254 of a block's largest at most.
 * @param log told why no copy could be made
 */
export async function processorWeights(
  header: GgufHeader,
  library: LlamaLibrary,
  log: (line: string) => void,
): Promise<GgufHeader> {
  const { path, fileBytes } = header;
  if (!isSlow(header) || fileBytes > mostBytes || freeMemoryBytes() < memoryNeeded * fileBytes) return header;
  try {
    const source = modelFingerprint(path);
    const isThere = copyOf(path, source);
    if (isThere !== null) return isThere;
    const { signal } = new AbortController();
    const onWait = (): void => undefined;
    return await withFileLock(`${path}.lock`, signal, onWait, async () => {
      return copyOf(path, source) ?? (await makeCopy(header, source, library));
    });
  } catch (error) {
    log(`No copy of the model for this processor, which reads slower without: ${messageOf(error)}`);
    return header;
  }
}

function isSlow({ tensors }: GgufHeader): boolean {
  const bytesOf = (some: GgufHeader['tensors']): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  return bytesOf(tensors.filter(({ type }) => slowTypes.has(type))) > bytesOf(tensors) / 2;
}

/** Null where there is none, or one that is damaged or of another file. */
function copyOf(path: string, source: string): GgufHeader | null {
  try {
    const header = readGgufHeader(processorCopyPath(path));
    return header.metadata.get(sourceKey) === source ? header : null;
  } catch {
    return null;
  }
}

async function makeCopy(
  { path, fileBytes }: GgufHeader,
  source: string,
  library: LlamaLibrary,
): Promise<GgufHeader> {
  const copy = processorCopyPath(path);
  const part = `${copy}.part`;
  try {
    await checkDisk(dirname(copy), growth * fileBytes);
    requantize(library, path, part, { threads: decodeThreads(), metadata: [sourceKey, source] });
    // llama.cpp does not tell of a disk that became full: then the file is shorter than its header says.
    readGgufHeader(part);
    await rename(part, copy);
  } finally {
    rmSync(part, { force: true });
  }
  const made = copyOf(path, source);
  if (made === null) throw new Error(`${copy} was changed while it was made`);
  return made;
}
