import type { BmpHeader } from './bmp-header.ts';

/**
 * Decodes RLE4 or RLE8 into `out`, packed RGB, upright, all white before. Pixels that the stream skips (deltas, early
 * ends of line or bitmap) stay white: browsers leave them transparent. Runs end at the end of their row, nothing is
 * written twice or outside of the picture, so time is bounded by the stream and the pixels together.
 *
 * @param stream from the first row to the end of the file
 * @returns rows that the stream reached; all of them when it ends with its end-of-bitmap code
 */
export function decodeRle(stream: Uint8Array, header: BmpHeader, out: Uint8Array): number {
  const { width, height, topDown, palette, bitsPerPixel } = header;
  let x = 0;
  let y = 0;
  let at = 0;

  const put = (index: number): void => {
    const to = ((topDown ? y : height - 1 - y) * width + x) * 3;
    out[to] = palette[3 * index];
    out[to + 1] = palette[3 * index + 1];
    out[to + 2] = palette[3 * index + 2];
    x += 1;
  };
  // RLE4 alternates between the two nibbles of a byte, the high one first.
  const indexIn = (byte: number, i: number): number =>
    bitsPerPixel === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15;

  while (at + 1 < stream.length && y < height) {
    const first = stream[at];
    const second = stream[at + 1];
    at += 2;
    if (first > 0) {
      const run = Math.min(first, width - x);
      for (let i = 0; i < run; i += 1) put(indexIn(second, i));
    } else if (second === 0) {
      x = 0;
      y += 1;
    } else if (second === 1) {
      return height;
    } else if (second === 2) {
      if (at + 1 >= stream.length) break;
      x += stream[at];
      y += stream[at + 1];
      at += 2;
    } else {
      const bytes = bitsPerPixel === 8 ? second : Math.ceil(second / 2);
      const there = Math.min(second, width - x, bitsPerPixel === 8 ? stream.length - at : 2 * (stream.length - at));
      for (let i = 0; i < there; i += 1) put(indexIn(stream[bitsPerPixel === 8 ? at + i : at + (i >> 1)], i));
      // Literal runs are padded to an even number of bytes.
      at += bytes + (bytes % 2);
    }
  }
  return Math.min(height, x > 0 ? y + 1 : y);
}
