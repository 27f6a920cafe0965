import type { RgbImage } from './rgb-image.ts';

/** For every output index the input indexes that it draws on: `start[i] .. start[i] + taps - 1`, weights of sum 1. */
interface FilterTable {
  readonly start: Int32Array;
  readonly taps: number;
  readonly weights: Float32Array;
}

/**
 * Resamples an image to `width` x `height`: by pixel area when both sides shrink (no aliasing), otherwise bilinearly; the
 * same choice and the same sampling positions as OpenCV's INTER_AREA and INTER_LINEAR.
 */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  if (image.width === width && image.height === height) return image;
  const shrinks = width <= image.width && height <= image.height;
  const table = shrinks ? areaTable : linearTable;
  return applySeparable(image, table(image.width, width), table(image.height, height), width, height);
}

function areaTable(from: number, to: number): FilterTable {
  const scale = from / to;
  const taps = Math.ceil(scale) + 1;
  const start = new Int32Array(to);
  const weights = new Float32Array(to * taps);
  for (let i = 0; i < to; i++) {
    const left = i * scale;
    const right = Math.min(from, left + scale);
    const first = Math.min(Math.floor(left), from - 1);
    start[i] = first;
    for (let k = 0; k < taps && first + k < from; k++) {
      const overlap = Math.min(right, first + k + 1) - Math.max(left, first + k);
      if (overlap > 1e-9) weights[i * taps + k] = overlap / (right - left);
    }
  }
  return { start, taps, weights };
}

function linearTable(from: number, to: number): FilterTable {
  const scale = from / to;
  const start = new Int32Array(to);
  const weights = new Float32Array(to * 2);
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1);
    const first = Math.min(Math.floor(position), Math.max(0, from - 2));
    start[i] = first;
    weights[2 * i] = 1 - (position - first);
    weights[2 * i + 1] = position - first;
  }
  return { start, taps: 2, weights };
}

/** Rows are filtered horizontally once, in order, and kept only as long as an output row needs them. */
function applySeparable(
  image: RgbImage,
  columns: FilterTable,
  rows: FilterTable,
  width: number,
  height: number,
): RgbImage {
  const out = new Uint8Array(width * height * 3);
  const sums = new Float32Array(width * 3);
  const ring = Array.from({ length: rows.taps }, () => ({ row: -1, values: new Float32Array(width * 3) }));
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < rows.taps; k++) {
      const weight = rows.weights[y * rows.taps + k] as number;
      if (weight === 0) continue;
      const row = (rows.start[y] as number) + k;
      const slot = ring[row % rows.taps] as { row: number; values: Float32Array };
      if (slot.row !== row) {
        filterRow(image, row, columns, slot.values);
        slot.row = row;
      }
      const { values } = slot;
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + weight * (values[i] as number);
    }
    const base = y * width * 3;
    for (let i = 0; i < sums.length; i++) out[base + i] = (sums[i] as number) + 0.5;
  }
  return { data: out, width, height };
}

function filterRow(image: RgbImage, row: number, { start, taps, weights }: FilterTable, out: Float32Array): void {
  const { data } = image;
  const base = row * image.width * 3;
  const last = image.width - 1;
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3) {
    let r = 0;
    let g = 0;
    let b = 0;
    const first = start[x] as number;
    for (let k = 0; k < taps; k++, w++) {
      const weight = weights[w] as number;
      // Weights past the right edge are zero; the index is only kept inside the row.
      const i = base + 3 * Math.min(first + k, last);
      r += weight * (data[i] as number);
      g += weight * (data[i + 1] as number);
      b += weight * (data[i + 2] as number);
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
  }
}

/** Cuts out whole pixels; the box must lie inside the image. */
export function cropImage(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
}
