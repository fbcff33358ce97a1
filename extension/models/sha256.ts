import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { errors } from '../errors.ts';

const READ_BYTES = 2 ** 20;

/** The sha256 of a file as 64 lower-case hexadecimal digits. Throws errors.cancelled. */
export async function sha256OfFile(
  path: string,
  signal: AbortSignal,
  onProgress?: (doneBytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  let done = 0;
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: READ_BYTES });
  for await (const bytes of stream) {
    if (signal.aborted) throw errors.cancelled();
    hash.update(bytes);
    done += bytes.length;
    onProgress?.(done);
  }
  return hash.digest('hex');
}
