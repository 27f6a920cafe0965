import { kernels, memory, reserve } from './pixel-kernels.ts';
import type { RgbImage } from './rgb-image.ts';

/**
 * How much each pixel of a small crop differs from the background around it: 0..255, the largest of the three channel
 * differences, so that coloured text of the background's brightness counts as well.
 */
export interface InkMap {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Share of the text's contrast from which a pixel is ink. */
export const INK_SHARE = 0.42;
/** Grey levels under which there is nothing to measure. */
export const LOWEST_CONTRAST = 12;

/** Room for the kernel to count 256 levels of three channels, twice. */
const COUNTS_BYTES = 4 * 256 * 3 * 2;

/**
 * Measures ink against the median colour of blocks along the reading axis (columns). A block is three times as wide as
 * the crop is high: wide enough that the background is its most common colour, narrow enough to follow a gradient.
 */
export function measureInk(crop: RgbImage): InkMap {
  const { data, width, height } = crop;
  const blocks = Math.max(1, Math.round(width / Math.max(8, 3 * height)));
  const [pixels, counts, ink] = reserve([data.length, COUNTS_BYTES, width * height]);
  memory.set(data, pixels);
  kernels.measureInk(pixels, width, height, blocks, counts, ink);
  return { data: memory.slice(ink, ink + width * height), width, height };
}

/** Smallest value that `count` of a histogram's members do not exceed. */
export function quantile(histogram: Uint32Array, count: number): number {
  let seen = 0;
  for (let value = 0; value < histogram.length; value++) {
    seen += histogram[value] as number;
    if (seen >= count) return value;
  }
  return histogram.length - 1;
}

/** 97th percentile of the ink inside columns [x0, x1) and rows [y0, y1): the contrast of the text, robust against single pixels. */
export function inkContrast(ink: InkMap, x0: number, x1: number, y0: number, y1: number): number {
  const histogram = new Uint32Array(256);
  let total = 0;
  for (let y = Math.max(0, y0); y < Math.min(ink.height, y1); y++) {
    for (let x = Math.max(0, x0); x < Math.min(ink.width, x1); x++) {
      const value = ink.data[y * ink.width + x] as number;
      histogram[value] = (histogram[value] as number) + 1;
      total++;
    }
  }
  return total === 0 ? 0 : quantile(histogram, total * 0.97);
}
