import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { readGgufHeader } from './ggufFile.ts';

/** How many places of the weights are looked at, and how much of each, bytes. */
const samples = 64;
const sampleBytes = 4096;

/**
 * What tells one model file from another without reading all of it: its size, everything before the weights (metadata,
 * tokenizer, names and places of the tensors) and samples of the weights, evenly spaced, the last bytes among them.
 * @returns 64 hexadecimal digits
 * @throws errors.modelNotFound, errors.modelCorrupt
 */
export function modelFingerprint(path: string): string {
  const { fileBytes, dataOffset } = readGgufHeader(path);
  const hash = createHash('sha256').update(`${fileBytes}\n`);
  const file = openSync(path, 'r');
  try {
    const take = (from: number, length: number): void => {
      const bytes = Buffer.alloc(length);
      hash.update(bytes.subarray(0, readSync(file, bytes, 0, length, from)));
    };
    take(0, dataOffset);
    const room = Math.max(0, fileBytes - dataOffset - sampleBytes);
    for (let i = 0; i < samples; i++) {
      take(dataOffset + Math.floor((room * i) / (samples - 1)), sampleBytes);
    }
    return hash.digest('hex');
  } finally {
    closeSync(file);
  }
}
