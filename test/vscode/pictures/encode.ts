/** Writes small PNG and GIF files of a window. */
import { crc32, deflateSync } from 'node:zlib';
import { GIFEncoder } from 'gifenc';
import { PNG } from 'pngjs';
import { FRAME_MILLISECONDS, type Frame } from './recording.ts';
import { choosePalette } from './palette.ts';

const LAST_FRAME_MILLISECONDS = 2_400;

/** The same picture with a palette of 256 colours, as the bytes of a PNG file. */
export function smallerPng(bytes: Buffer): Buffer {
  const picture = PNG.sync.read(bytes);
  const palette = choosePalette([picture], 256);
  const { indices, width, height } = palette.indexed(picture);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // 8 bits a pixel, each an index into the palette
  const rows = Buffer.alloc((width + 1) * height); // Before each row stands its filter, 0: none.
  for (let y = 0; y < height; y++)
    rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.colours.flat())),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/**
 * A GIF that plays the frames at their times and begins anew. What did not change since the frame before is
 * transparent, which costs next to nothing.
 */
export function animation(frames: readonly Frame[]): Uint8Array {
  const shown = frames.filter(({ at }, i) => slotOf(at) !== slotOf(frames[i + 1]?.at ?? Infinity));
  const palette = choosePalette(decoded(shown), 255);
  const transparentIndex = palette.colours.length;
  const gif = GIFEncoder();
  let before: Uint8Array | undefined;
  let shownSince = slotOf(0);
  let i = 0;
  for (const picture of decoded(shown)) {
    const { indices, width, height } = palette.indexed(picture);
    const next = shown[++i];
    const until =
      next === undefined ? shownSince + LAST_FRAME_MILLISECONDS / FRAME_MILLISECONDS : slotOf(next.at);
    const options = { delay: (until - shownSince) * FRAME_MILLISECONDS };
    if (before === undefined) {
      gif.writeFrame(indices, width, height, { ...options, palette: [...palette.colours, [0, 0, 0]] });
    } else {
      const changed = changes(before, indices, transparentIndex);
      gif.writeFrame(changed, width, height, { ...options, transparent: true, transparentIndex, dispose: 1 });
    }
    before = indices;
    shownSince = until;
  }
  gif.finish();
  return gif.bytes();
}

function slotOf(at: number): number {
  return Math.floor(at / FRAME_MILLISECONDS);
}

/** One at a time: all of them would be a gigabyte. */
function* decoded(frames: readonly Frame[]): Generator<PNG> {
  for (const { png } of frames) yield PNG.sync.read(png);
}

function changes(before: Uint8Array, now: Uint8Array, transparentIndex: number): Uint8Array {
  return now.map((index, i) => (index === before[i] ? transparentIndex : index));
}
