import type { RgbImage } from './rgb-image.ts';

/** For every output index the input indexes that it draws on: `start[i] .. start[i] + taps - 1`, weights of sum 1. */
interface FilterTable {
  readonly start: Int32Array;
  readonly taps: number;
  readonly weights: Float64Array;
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
  const taps = Math.min(from, Math.ceil(scale) + 1);
  const start = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const left = i * scale;
    const right = Math.min(from, left + scale);
    const first = Math.min(Math.floor(left), from - taps);
    start[i] = first;
    for (let k = 0; k < taps; k++) {
      const overlap = Math.min(right, first + k + 1) - Math.max(left, first + k);
      if (overlap > 1e-9) weights[i * taps + k] = overlap / (right - left);
    }
  }
  return { start, taps, weights };
}

function linearTable(from: number, to: number): FilterTable {
  const scale = from / to;
  const taps = Math.min(from, 2);
  const start = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1);
    const first = Math.min(Math.floor(position), from - taps);
    start[i] = first;
    weights[taps * i] = 1 - (position - first);
    if (taps === 2) weights[taps * i + 1] = position - first;
  }
  return { start, taps, weights };
}

/** Horizontal weights are whole numbers of this sum: with bytes, sums stay under 2^28. */
const UNIT = 2 ** 20;

/** Rows are filtered horizontally once, in order, and kept only as long as an output row needs them. */
function applySeparable(
  image: RgbImage,
  columns: FilterTable,
  rows: FilterTable,
  width: number,
  height: number,
): RgbImage {
  const stride = width * 3;
  const out = new Uint8Array(stride * height);
  const filterRow = ROW_FILTERS.get(columns.taps) ?? filterRowN;
  const columnWeights = wholeWeights(columns);
  const ring = Array.from({ length: rows.taps }, () => new Int32Array(stride));
  const { data } = image;
  const inputStride = image.width * 3;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const lastRow = new DataView(new ArrayBuffer(inputStride + 1));
  new Uint8Array(lastRow.buffer).set(data.subarray((image.height - 1) * inputStride, image.height * inputStride));
  let filtered = 0;
  for (let y = 0; y < height; y++) {
    const first = rows.start[y];
    const at = y * rows.taps;
    for (filtered = Math.max(filtered, first); filtered < first + rows.taps; filtered++) {
      const values = ring[filtered % rows.taps];
      if (filtered < image.height - 1) filterRow(view, filtered * inputStride, columns, columnWeights, values);
      else filterRow(lastRow, 0, columns, columnWeights, values);
    }
    blendRows(ring, first, rows.weights, at, out, y * stride);
  }
  return { data: out, width, height };
}

/** Weights times `UNIT`, rounded; the largest of each output pixel takes what rounding left, so that a flat colour stays. */
function wholeWeights({ weights, taps }: FilterTable): Int32Array {
  const whole = new Int32Array(weights.length);
  for (let at = 0; at < whole.length; at += taps) {
    let rest = UNIT;
    let largest = at;
    for (let k = at; k < at + taps; k++) {
      const weight = (weights[k] * UNIT + 0.5) | 0;
      whole[k] = weight;
      rest -= weight;
      if (weight > whole[largest]) largest = k;
    }
    whole[largest] += rest;
  }
  return whole;
}

/** Weighted sum of the rows `first`, `first + 1` and so on, rounded, into `out` from index `to` on. Row r lies in slot r modulo the number of slots. */
function blendRows(
  ring: readonly Int32Array[],
  first: number,
  weights: Float64Array,
  at: number,
  out: Uint8Array,
  to: number,
): void {
  const taps = ring.length;
  const row = (k: number): Int32Array => ring[(first + k) % taps];
  const weight = (k: number): number => weights[at + k] / UNIT;
  if (taps === 1) blend1(row(0), weight(0), out, to);
  else if (taps === 2) blend2(row(0), weight(0), row(1), weight(1), out, to);
  else if (taps === 3) blend3(row(0), weight(0), row(1), weight(1), row(2), weight(2), out, to);
  else if (taps === 4) blend4(row(0), weight(0), row(1), weight(1), row(2), weight(2), row(3), weight(3), out, to);
  else blendMany(ring, first, weights, at, out, to);
}

function blend1(a: Int32Array, wa: number, out: Uint8Array, to: number): void {
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + 0.5;
}

function blend2(a: Int32Array, wa: number, b: Int32Array, wb: number, out: Uint8Array, to: number): void {
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + wb * b[i] + 0.5;
}

function blend3(
  a: Int32Array,
  wa: number,
  b: Int32Array,
  wb: number,
  c: Int32Array,
  wc: number,
  out: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + wb * b[i] + wc * c[i] + 0.5;
}

function blend4(
  a: Int32Array,
  wa: number,
  b: Int32Array,
  wb: number,
  c: Int32Array,
  wc: number,
  d: Int32Array,
  wd: number,
  out: Uint8Array,
  to: number,
): void {
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i] + 0.5;
}

function blendMany(
  ring: readonly Int32Array[],
  first: number,
  weights: Float64Array,
  at: number,
  out: Uint8Array,
  to: number,
): void {
  const taps = ring.length;
  const sums = new Float64Array(ring[0].length).fill(0.5);
  for (let k = 0; k < taps; k++) {
    const row = ring[(first + k) % taps];
    const weight = weights[at + k] / UNIT;
    for (let i = 0; i < sums.length; i++) sums[i] += weight * row[i];
  }
  for (let i = 0; i < sums.length; i++) out[to + i] = sums[i];
}

/**
 * Filters the row of pixels that begins at byte `base` along itself; values are 0..255 times `UNIT`. A pixel is read as
 * one little-endian word, whose lowest three bytes are its channels, so the view goes on for a byte after the row.
 */
type RowFilter = (view: DataView, base: number, table: FilterTable, weights: Int32Array, out: Int32Array) => void;

// A page in a photo has ten million pixels, so the usual numbers of taps have loops of their own.

const filterRow2: RowFilter = (view, base, { start }, weights, out) => {
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3, w += 2) {
    const p = base + 3 * start[x];
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 3, true);
    const wa = weights[w];
    const wb = weights[w + 1];
    out[o] = Math.imul(wa, a & 255) + Math.imul(wb, b & 255);
    out[o + 1] = Math.imul(wa, (a >> 8) & 255) + Math.imul(wb, (b >> 8) & 255);
    out[o + 2] = Math.imul(wa, (a >> 16) & 255) + Math.imul(wb, (b >> 16) & 255);
  }
};

const filterRow3: RowFilter = (view, base, { start }, weights, out) => {
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3, w += 3) {
    const p = base + 3 * start[x];
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 3, true);
    const c = view.getInt32(p + 6, true);
    const wa = weights[w];
    const wb = weights[w + 1];
    const wc = weights[w + 2];
    out[o] = Math.imul(wa, a & 255) + Math.imul(wb, b & 255) + Math.imul(wc, c & 255);
    out[o + 1] = Math.imul(wa, (a >> 8) & 255) + Math.imul(wb, (b >> 8) & 255) + Math.imul(wc, (c >> 8) & 255);
    out[o + 2] = Math.imul(wa, (a >> 16) & 255) + Math.imul(wb, (b >> 16) & 255) + Math.imul(wc, (c >> 16) & 255);
  }
};

const filterRow4: RowFilter = (view, base, { start }, weights, out) => {
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3, w += 4) {
    const p = base + 3 * start[x];
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 3, true);
    const c = view.getInt32(p + 6, true);
    const d = view.getInt32(p + 9, true);
    const wa = weights[w];
    const wb = weights[w + 1];
    const wc = weights[w + 2];
    const wd = weights[w + 3];
    out[o] = Math.imul(wa, a & 255) + Math.imul(wb, b & 255) + Math.imul(wc, c & 255) + Math.imul(wd, d & 255);
    out[o + 1] =
      Math.imul(wa, (a >> 8) & 255) +
      Math.imul(wb, (b >> 8) & 255) +
      Math.imul(wc, (c >> 8) & 255) +
      Math.imul(wd, (d >> 8) & 255);
    out[o + 2] =
      Math.imul(wa, (a >> 16) & 255) +
      Math.imul(wb, (b >> 16) & 255) +
      Math.imul(wc, (c >> 16) & 255) +
      Math.imul(wd, (d >> 16) & 255);
  }
};

const filterRow5: RowFilter = (view, base, { start }, weights, out) => {
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3, w += 5) {
    const p = base + 3 * start[x];
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 3, true);
    const c = view.getInt32(p + 6, true);
    const d = view.getInt32(p + 9, true);
    const e = view.getInt32(p + 12, true);
    const wa = weights[w];
    const wb = weights[w + 1];
    const wc = weights[w + 2];
    const wd = weights[w + 3];
    const we = weights[w + 4];
    out[o] =
      Math.imul(wa, a & 255) +
      Math.imul(wb, b & 255) +
      Math.imul(wc, c & 255) +
      Math.imul(wd, d & 255) +
      Math.imul(we, e & 255);
    out[o + 1] =
      Math.imul(wa, (a >> 8) & 255) +
      Math.imul(wb, (b >> 8) & 255) +
      Math.imul(wc, (c >> 8) & 255) +
      Math.imul(wd, (d >> 8) & 255) +
      Math.imul(we, (e >> 8) & 255);
    out[o + 2] =
      Math.imul(wa, (a >> 16) & 255) +
      Math.imul(wb, (b >> 16) & 255) +
      Math.imul(wc, (c >> 16) & 255) +
      Math.imul(wd, (d >> 16) & 255) +
      Math.imul(we, (e >> 16) & 255);
  }
};

const filterRowN: RowFilter = (view, base, { start, taps }, weights, out) => {
  for (let x = 0, o = 0, w = 0; x < start.length; x++, o += 3) {
    let r = 0;
    let g = 0;
    let b = 0;
    for (let p = base + 3 * start[x], end = p + 3 * taps; p < end; p += 3, w++) {
      const pixel = view.getInt32(p, true);
      const weight = weights[w];
      r = (r + Math.imul(weight, pixel & 255)) | 0;
      g = (g + Math.imul(weight, (pixel >> 8) & 255)) | 0;
      b = (b + Math.imul(weight, (pixel >> 16) & 255)) | 0;
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
  }
};

const ROW_FILTERS: ReadonlyMap<number, RowFilter> = new Map([
  [2, filterRow2],
  [3, filterRow3],
  [4, filterRow4],
  [5, filterRow5],
]);

/** Cuts out whole pixels; the box must lie inside the image. */
export function cropImage(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { data, width, height };
}
