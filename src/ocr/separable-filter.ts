import { kernels, memory, putRow, reserve } from './pixel-kernels.ts';
import type { RgbImage } from './rgb-image.ts';

/** What the values of one axis of the output are made of: each of `taps` neighbouring pixels of the input. */
export interface FilterAxis {
  /** First tap of every output index. Taps outside of the image take its border's value. */
  readonly starts: Int32Array;
  readonly taps: number;
  /** Whole numbers, `taps` for every output index; they add up to `unit`, at most 2^14. */
  readonly weights: Int16Array;
  readonly unit: number;
}

/** Output is collected up to so many bytes before it leaves the kernels' memory. */
const COLLECTED_BYTES = 262_144;

/**
 * Filters an image along its rows, then its columns. Rows are filtered once, in order, and kept only as long as an output
 * row needs them.
 */
export function filterSeparable(image: RgbImage, columns: FilterAxis, rows: FilterAxis): RgbImage {
  const width = columns.starts.length;
  const height = rows.starts.length;
  const stride = 3 * width;
  const from = least(columns.starts);
  const to = most(columns.starts) + columns.taps;
  const pairs = Math.ceil(columns.taps / 2);
  const collected = Math.max(1, Math.min(height, Math.floor(COLLECTED_BYTES / stride)));
  const { taps } = rows;
  const [source, starts, weights, rowWeights, rowPointers, ring, collector] = reserve([
    3 * (to - from),
    4 * width,
    4 * pairs * width,
    4 * taps * height,
    4 * taps,
    4 * stride * taps + 64 * taps,
    stride * collected,
  ]);
  const { buffer } = memory;
  const offsets = new Int32Array(buffer, starts, width);
  for (let x = 0; x < width; x++) offsets[x] = 3 * (columns.starts[x] - from);
  new Int16Array(buffer, weights, 2 * pairs * width).set(inPairs(columns));
  const shares = new Float32Array(buffer, rowWeights, taps * height);
  for (let i = 0; i < shares.length; i++) shares[i] = rows.weights[i] / rows.unit / columns.unit;
  const pointers = new Uint32Array(buffer, rowPointers, taps);
  const slotBytes = 4 * stride + 64;
  const held = new Int32Array(taps).fill(-1);
  const data = new Uint8Array(stride * height);
  for (let y = 0, out = 0; y < height; y++) {
    for (let k = 0; k < taps; k++) {
      const row = Math.min(Math.max(rows.starts[y] + k, 0), image.height - 1);
      const slot = row % taps;
      const address = ring + slot * slotBytes;
      if (held[slot] !== row) {
        putRow(image, row, from, to, source);
        kernels.filterRow(source, starts, weights, pairs, width, address);
        held[slot] = row;
      }
      pointers[k] = address;
    }
    kernels.blendRows(rowPointers, rowWeights + 4 * taps * y, taps, stride, collector + out);
    out += stride;
    if (out === stride * collected || y === height - 1) {
      data.set(memory.subarray(collector, collector + out), stride * (y + 1) - out);
      out = 0;
    }
  }
  return { data, width, height };
}

/** The weights with a zero behind them where their number is odd: kernels take two taps at a time. */
function inPairs({ weights, taps, starts }: FilterAxis): Int16Array {
  if (taps % 2 === 0) return weights;
  const padded = new Int16Array((taps + 1) * starts.length);
  for (let i = 0, w = 0; w < weights.length; i++) {
    for (let k = 0; k < taps; k++) padded[i * (taps + 1) + k] = weights[w++];
  }
  return padded;
}

/** Weights times `unit`, rounded; the largest of each output index takes what rounding left, so that a flat colour stays. */
export function wholeWeights(weights: Float64Array, taps: number, unit: number): Int16Array {
  const whole = new Int16Array(weights.length);
  for (let at = 0; at < whole.length; at += taps) {
    let rest = unit;
    let largest = at;
    for (let k = at; k < at + taps; k++) {
      whole[k] = Math.round(weights[k] * unit);
      rest -= whole[k];
      if (whole[k] > whole[largest]) largest = k;
    }
    whole[largest] += rest;
  }
  return whole;
}

function least(values: Int32Array): number {
  let result = values[0];
  for (const value of values) if (value < result) result = value;
  return result;
}

function most(values: Int32Array): number {
  let result = values[0];
  for (const value of values) if (value > result) result = value;
  return result;
}
