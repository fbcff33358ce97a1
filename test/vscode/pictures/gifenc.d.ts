/** What is used of gifenc, which brings no types. */
declare module 'gifenc' {
  export type Colour = readonly [red: number, green: number, blue: number];

  export interface GifEncoder {
    /** The first frame's palette is that of the others; `delay` is in milliseconds, in steps of 10. */
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: {
        palette?: readonly Colour[];
        delay: number;
        transparent?: boolean;
        transparentIndex?: number;
        /** 1: what is transparent shows the frame before. */
        dispose?: number;
      },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }

  export function GIFEncoder(): GifEncoder;
  /** @param rgba four bytes a pixel */
  export function quantize(rgba: Uint8Array, maxColours: number): Colour[];
  export function nearestColorIndex(palette: readonly Colour[], pixel: Colour): number;
}
