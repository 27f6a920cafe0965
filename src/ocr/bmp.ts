import { type BmpHeader, type BmpMasks } from './bmp-header.ts';
import { decodeRle } from './bmp-rle.ts';
import { damaged } from './image-header.ts';
import type { RgbImage } from './rgb-image.ts';

/**
 * Decodes the pixels of a BMP. Own code, because no npm decoder is safe on hostile files (measured: bmp-js hangs, bmp-ts
 * takes 4 s, the nsbmp build takes 2.2 GB, fast-bmp fails 12 of 28 good files) and libvips as built for sharp reads none.
 * Alpha (only with an explicit mask) is composed over white, unless it is 0 everywhere, which means that it is unused.
 * Rows that a truncated file lacks are white.
 *
 * @param header as `readBmpHeader` gave it, not of encoding `embedded`
 * @param minShare share of the rows, 0..1, that must be there
 * @throws {OcrError} INVALID_IMAGE with fewer rows
 */
export function decodeBmp(file: Uint8Array, header: BmpHeader, minShare: number): RgbImage {
  const { width, height, topDown, bitsPerPixel, encoding } = header;
  const stored = file.subarray(header.pixelOffset);
  // Rows are padded to 4 bytes; some writers leave the padding of the last row out.
  const rowBytes = Math.ceil((width * bitsPerPixel) / 8);
  const stride = Math.ceil(rowBytes / 4) * 4;
  const rows = Math.min(height, Math.floor((stored.length + stride - rowBytes) / stride));
  if (encoding !== 'rle') checkShare(rows, height, minShare);

  const data = new Uint8Array(width * height * 3);
  if (encoding === 'rle' || rows < height) data.fill(255);
  if (encoding === 'rle') {
    checkShare(decodeRle(stored, header, data), height, minShare);
    return { data, width, height };
  }
  const readRow = rowReader(header, stored, rows, stride);
  for (let row = 0; row < rows; row += 1) {
    readRow(data, (topDown ? row : height - 1 - row) * width * 3, row * stride);
  }
  return { data, width, height };
}

function checkShare(rows: number, height: number, minShare: number): void {
  if (rows < height * minShare) throw damaged('bmp', `${rows} of ${height} rows are there`);
}

/** Writes one row: `to` is a byte offset in the picture, `from` one in the stored pixels. */
type RowReader = (out: Uint8Array, to: number, from: number) => void;

function rowReader(header: BmpHeader, stored: Uint8Array, rows: number, stride: number): RowReader {
  const { width, bitsPerPixel, encoding, palette, masks } = header;
  if (encoding === 'palette') return paletteRow(stored, width, bitsPerPixel, palette);
  if (encoding === 'bgr24') return bgr24Row(stored, width);
  if (bitsPerPixel === 16) return masked16Row(stored, width, withoutUnusedAlpha(masks, stored, 2, rows, stride, width));
  const used = withoutUnusedAlpha(masks, stored, 4, rows, stride, width);
  return masked32Row(stored, width, used);
}

function bgr24Row(stored: Uint8Array, width: number): RowReader {
  return (out, to, from) => {
    for (const end = to + 3 * width; to < end; to += 3, from += 3) {
      out[to] = stored[from + 2];
      out[to + 1] = stored[from + 1];
      out[to + 2] = stored[from];
    }
  };
}

function paletteRow(stored: Uint8Array, width: number, bits: number, palette: Uint8Array): RowReader {
  const pixelsPerByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return (out, to, from) => {
    for (let x = 0; x < width; from += 1) {
      let shift = 8 - bits;
      for (const end = Math.min(width, x + pixelsPerByte); x < end; x += 1, shift -= bits, to += 3) {
        const entry = 3 * ((stored[from] >> shift) & mask);
        out[to] = palette[entry];
        out[to + 1] = palette[entry + 1];
        out[to + 2] = palette[entry + 2];
      }
    }
  };
}

/** 65,536 pixel values are computed once instead of 16 million pixels. */
function masked16Row(stored: Uint8Array, width: number, masks: BmpMasks): RowReader {
  const colours = new Uint8Array(65_536 * 3);
  const toRgb = maskedPixel(masks);
  for (let pixel = 0; pixel < 65_536; pixel += 1) toRgb(pixel, colours, 3 * pixel);
  return (out, to, from) => {
    for (const end = to + 3 * width; to < end; to += 3, from += 2) {
      const entry = 3 * (stored[from] | (stored[from + 1] << 8));
      out[to] = colours[entry];
      out[to + 1] = colours[entry + 1];
      out[to + 2] = colours[entry + 2];
    }
  };
}

function masked32Row(stored: Uint8Array, width: number, masks: BmpMasks): RowReader {
  if (masks.alpha === 0 && masks.red === 0xff0000 && masks.green === 0xff00 && masks.blue === 0xff) {
    return (out, to, from) => {
      for (const end = to + 3 * width; to < end; to += 3, from += 4) {
        out[to] = stored[from + 2];
        out[to + 1] = stored[from + 1];
        out[to + 2] = stored[from];
      }
    };
  }
  const toRgb = maskedPixel(masks);
  return (out, to, from) => {
    for (const end = to + 3 * width; to < end; to += 3, from += 4) {
      toRgb(pixel32(stored, from), out, to);
    }
  };
}

const pixel32 = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/** Scales each channel from its mask to 0..255, whatever its position and width, and composes alpha over white. */
function maskedPixel(masks: BmpMasks): (pixel: number, out: Uint8Array, to: number) => void {
  const channel = (mask: number): ((pixel: number) => number) => {
    if (mask === 0) return () => 0;
    const shift = 31 - Math.clz32(mask & -mask);
    const scale = 255 / (mask >>> shift);
    return (pixel) => ((pixel & mask) >>> shift) * scale;
  };
  const [red, green, blue, alpha] = [masks.red, masks.green, masks.blue, masks.alpha].map(channel);
  return (pixel, out, to) => {
    const opacity = masks.alpha === 0 ? 1 : alpha(pixel) / 255;
    const white = 255 * (1 - opacity) + 0.5;
    out[to] = red(pixel) * opacity + white;
    out[to + 1] = green(pixel) * opacity + white;
    out[to + 2] = blue(pixel) * opacity + white;
  };
}

/** Many writers declare alpha and leave it 0 everywhere; taken at its word such a picture would be blank. */
function withoutUnusedAlpha(
  masks: BmpMasks,
  stored: Uint8Array,
  pixelBytes: 2 | 4,
  rows: number,
  stride: number,
  width: number,
): BmpMasks {
  if (masks.alpha === 0) return masks;
  for (let row = 0; row < rows; row += 1) {
    const end = row * stride + width * pixelBytes;
    for (let at = row * stride; at < end; at += pixelBytes) {
      const pixel = pixelBytes === 2 ? stored[at] | (stored[at + 1] << 8) : pixel32(stored, at);
      if ((pixel & masks.alpha) !== 0) return masks;
    }
  }
  return { ...masks, alpha: 0 };
}
