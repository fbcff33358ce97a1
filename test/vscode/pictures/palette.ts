/** Pictures of a window in at most 256 colours: few make up nearly all of it, and those stay exactly what they are. */
import { nearestColorIndex, quantize, type Colour } from 'gifenc';
import type { PNG } from 'pngjs';

/** A picture as indices into a palette, row by row. */
export interface Indexed {
  readonly indices: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Palette {
  readonly colours: readonly Colour[];
  readonly indexed: (picture: PNG) => Indexed;
}

/** The most frequent colours, which are the flat ones of the theme. */
const EXACT_COLOURS = 96;

/** Chooses the palette that all of these pictures share. @param limit the number of its colours, at most 256 */
export function choosePalette(pictures: Iterable<PNG>, limit: number): Palette {
  const counts = new Map<number, number>();
  for (const picture of pictures) {
    for (const pixel of pixelsOf(picture)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, one], [, other]) => other - one).map(([pixel]) => pixel);
  const colours = byCount.slice(0, EXACT_COLOURS).map(colourOf);
  const rest = Uint32Array.from(byCount.slice(EXACT_COLOURS));
  if (rest.length > 0) {
    colours.push(...quantize(new Uint8Array(rest.buffer), limit - EXACT_COLOURS));
  }
  const nearest = new Map(byCount.map((pixel) => [pixel, nearestColorIndex(colours, colourOf(pixel))]));
  return {
    colours,
    indexed: (picture) => ({
      indices: Uint8Array.from(pixelsOf(picture), (pixel) => nearest.get(pixel) ?? 0),
      width: picture.width,
      height: picture.height,
    }),
  };
}

/** One number for each pixel; windows are opaque. */
function pixelsOf({ data }: PNG): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

/** The bytes of a pixel are red, green, blue and alpha, the first in the lowest bits. */
function colourOf(pixel: number): Colour {
  return [pixel & 0xff, (pixel >> 8) & 0xff, (pixel >> 16) & 0xff];
}
