import type { Quad } from './page.ts';
import type { RgbImage } from './rgb-image.ts';

/** How pixel values between pixel centres are found. Cubic is Keys' kernel with a = -0.75, as in OpenCV. */
export type Interpolation = 'linear' | 'cubic';

/** Positions between two pixels are rounded to 1/64: finer than a grey level can show. */
const PHASE_BITS = 6;
const PHASES = 1 << PHASE_BITS;

/**
 * Weights of the taps of every phase, row-major. As phases are 64ths, weights are whole multiples of 2^-6 (linear) and
 * 2^-20 (cubic): sums of products with bytes are exact in doubles, so that the order of summing, and with it the way
 * taken below, changes no bit.
 */
interface Kernel {
  readonly taps: 2 | 4;
  /** Pixels between the first tap and the pixel at or before the position. */
  readonly before: number;
  readonly weights: Float64Array;
}

const LINEAR: Kernel = { taps: 2, before: 0, weights: weightTable(2, (t) => [1 - t, t]) };
const CUBIC: Kernel = {
  taps: 4,
  before: 1,
  weights: weightTable(4, (t) => {
    const a = -0.75;
    const outer = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    const inner = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
    return [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)];
  }),
};

/** Cubic weights as whole numbers. */
const CUBIC_UNIT = 2 ** 20;
const CUBIC_WHOLE = Int32Array.from(CUBIC.weights, (weight) => weight * CUBIC_UNIT);

function weightTable(taps: number, weightsAt: (t: number) => number[]): Float64Array {
  const table = new Float64Array((PHASES + 1) * taps);
  for (let p = 0; p <= PHASES; p++) table.set(weightsAt(p / PHASES), p * taps);
  return table;
}

/** Where the pixel centres of the output lie in the image: that of column `i`, row `j` at `x0 + stepX * i + downX * j`, likewise y. */
interface Grid {
  readonly x0: number;
  readonly y0: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly downX: number;
  readonly downY: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Rectifies the rectangle (or parallelogram) `quad` of an image into `width` x `height` pixels: its first corner becomes
 * the top-left, its second the top-right one. Outside the image the border pixel is repeated. Every quad of the pipeline
 * is a rectangle, so the mapping is affine and costs no division per pixel.
 */
export function sampleQuad(
  image: RgbImage,
  quad: Quad,
  width: number,
  height: number,
  interpolation: Interpolation,
): RgbImage {
  const [origin, right, , down] = quad;
  const stepX = (right.x - origin.x) / width;
  const stepY = (right.y - origin.y) / width;
  const downX = (down.x - origin.x) / height;
  const downY = (down.y - origin.y) / height;
  // Pixel centres lie at halves, so half a step in and half a pixel back.
  const x0 = origin.x + downX * 0.5 + stepX * 0.5 - 0.5;
  const y0 = origin.y + downY * 0.5 + stepY * 0.5 - 0.5;
  const grid: Grid = { x0, y0, stepX, stepY, downX, downY, width, height };
  const out = new Uint8ClampedArray(width * height * 3);
  const kernel = interpolation === 'cubic' ? CUBIC : LINEAR;
  if (stepY === 0 && downX === 0) sampleUpright(image, grid, kernel, out);
  else sampleTilted(image, grid, kernel, out);
  return { data: new Uint8Array(out.buffer), width, height };
}

/** Half of all lines are exactly upright: their rows and columns are filtered one after the other, every row once. */
function sampleUpright(image: RgbImage, grid: Grid, kernel: Kernel, out: Uint8ClampedArray): void {
  const { width, height } = grid;
  const { taps, weights } = kernel;
  const columns = axisTable(grid.x0, grid.stepX, width, image.width, kernel, 3);
  const rows = axisTable(grid.y0, grid.downY, height, image.height, kernel, 1);
  const filterRow = taps === 4 ? filterRow4 : filterRow2;
  const blendRows = taps === 4 ? blendRows4 : blendRows2;
  const stride = 3 * width;
  // Rows of the image, filtered along themselves; the slot of row r is r modulo the number of slots.
  const ring = Array.from({ length: taps }, () => new Float64Array(stride));
  const held = new Int32Array(taps).fill(-1);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < taps; k++) {
      const row = rows.at[y * taps + k];
      const slot = row % taps;
      if (held[slot] === row) continue;
      filterRow(image.data, row * image.width * 3, columns, weights, ring[slot]);
      held[slot] = row;
    }
    blendRows(ring, rows.at, y * taps, weights, rows.phases[y], out, y * stride);
  }
}

type RowBlend = (
  ring: readonly Float64Array[],
  rows: Int32Array,
  first: number,
  weights: Float64Array,
  phase: number,
  out: Uint8ClampedArray,
  to: number,
) => void;

const blendRows4: RowBlend = (ring, rows, first, weights, phase, out, to) => {
  const a = ring[rows[first] & 3];
  const b = ring[rows[first + 1] & 3];
  const c = ring[rows[first + 2] & 3];
  const d = ring[rows[first + 3] & 3];
  const wa = weights[phase];
  const wb = weights[phase + 1];
  const wc = weights[phase + 2];
  const wd = weights[phase + 3];
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
};

const blendRows2: RowBlend = (ring, rows, first, weights, phase, out, to) => {
  const a = ring[rows[first] & 1];
  const b = ring[rows[first + 1] & 1];
  const wa = weights[phase];
  const wb = weights[phase + 1];
  for (let i = 0; i < a.length; i++) out[to + i] = wa * a[i] + wb * b[i];
};

/** For every output index along one axis: offset of its weights, and the positions of its taps in the image, times `scale`. */
interface AxisTable {
  readonly phases: Int32Array;
  readonly at: Int32Array;
}

function axisTable(from: number, step: number, count: number, limit: number, kernel: Kernel, scale: number): AxisTable {
  const { taps, before } = kernel;
  const phases = new Int32Array(count);
  const at = new Int32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const position = from + step * i;
    const whole = Math.floor(position);
    phases[i] = Math.round((position - whole) * PHASES) * taps;
    for (let k = 0; k < taps; k++) at[i * taps + k] = clamp(whole - before + k, limit - 1) * scale;
  }
  return { phases, at };
}

type RowFilter = (data: Uint8Array, base: number, columns: AxisTable, weights: Float64Array, out: Float64Array) => void;

const filterRow4: RowFilter = (data, base, { phases, at }, weights, out) => {
  for (let i = 0, o = 0, t = 0; i < phases.length; i++, o += 3, t += 4) {
    const w = phases[i];
    const wa = weights[w];
    const wb = weights[w + 1];
    const wc = weights[w + 2];
    const wd = weights[w + 3];
    const a = base + at[t];
    const b = base + at[t + 1];
    const c = base + at[t + 2];
    const d = base + at[t + 3];
    out[o] = wa * data[a] + wb * data[b] + wc * data[c] + wd * data[d];
    out[o + 1] = wa * data[a + 1] + wb * data[b + 1] + wc * data[c + 1] + wd * data[d + 1];
    out[o + 2] = wa * data[a + 2] + wb * data[b + 2] + wc * data[c + 2] + wd * data[d + 2];
  }
};

const filterRow2: RowFilter = (data, base, { phases, at }, weights, out) => {
  for (let i = 0, o = 0, t = 0; i < phases.length; i++, o += 3, t += 2) {
    const w = phases[i];
    const wa = weights[w];
    const wb = weights[w + 1];
    const a = base + at[t];
    const b = base + at[t + 1];
    out[o] = wa * data[a] + wb * data[b];
    out[o + 1] = wa * data[a + 1] + wb * data[b + 1];
    out[o + 2] = wa * data[a + 2] + wb * data[b + 2];
  }
};

/** Each row is a straight line through the image: its middle part, all taps inside, needs no look at the border. */
function sampleTilted(image: RgbImage, grid: Grid, kernel: Kernel, out: Uint8ClampedArray): void {
  const { x0, y0, stepX, stepY, downX, downY, width, height } = grid;
  const { taps, before } = kernel;
  const sampleInside = taps === 4 ? insideCubic : insideLinear;
  // One more pixel than the taps need, so that rounding of positions cannot lead outside.
  const reach = taps - before;
  for (let j = 0; j < height; j++) {
    const x = x0 + downX * j;
    const y = y0 + downY * j;
    const [fromX, toX] = insideSpan(x, stepX, before, image.width - 1 - reach, width);
    const [fromY, toY] = insideSpan(y, stepY, before, image.height - 1 - reach, width);
    const from = Math.max(fromX, fromY);
    const to = Math.max(from, Math.min(toX, toY));
    const base = j * width * 3;
    sampleBorder(image, x, y, stepX, stepY, kernel, out, base, 0, from);
    sampleInside(image, x, y, stepX, stepY, out, base, from, to);
    sampleBorder(image, x, y, stepX, stepY, kernel, out, base, to, width);
  }
}

/** Indexes [from, to) of 0..count at which `start + step * i` lies between `low` and `high`; empty is [count, count]. */
function insideSpan(start: number, step: number, low: number, high: number, count: number): readonly [number, number] {
  if (step === 0) return start >= low && start <= high ? [0, count] : [count, count];
  const a = (low - start) / step;
  const b = (high - start) / step;
  const from = Math.max(0, Math.ceil(Math.min(a, b)));
  const to = Math.min(count, Math.floor(Math.max(a, b)) + 1);
  return from < to ? [from, to] : [count, count];
}

/** Samples columns [from, to) of a row; every position has all its taps, and one pixel more, inside the image. */
type InsideSampler = (
  image: RgbImage,
  x0: number,
  y0: number,
  stepX: number,
  stepY: number,
  out: Uint8ClampedArray,
  base: number,
  from: number,
  to: number,
) => void;

/*
 * The two samplers below are the hottest code outside of the models. A pixel is read as one little-endian word, whose
 * lowest three bytes are its channels, and all products are whole numbers: twice as fast in V8 as bytes and doubles.
 * Positions count 64ths of a pixel; they are positive here, so that cutting off is rounding down.
 */

const insideLinear: InsideSampler = ({ data, width }, x0, y0, stepX, stepY, out, base, from, to) => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const stride = width * 3;
  for (let i = from, o = base + 3 * from; i < to; i++, o += 3) {
    const x = ((x0 + stepX * i) * PHASES + 0.5) | 0;
    const y = ((y0 + stepY * i) * PHASES + 0.5) | 0;
    const wx = x & (PHASES - 1);
    const wy = y & (PHASES - 1);
    const p = (Math.imul(y >> PHASE_BITS, stride) + Math.imul(x >> PHASE_BITS, 3)) | 0;
    const q = (p + stride) | 0;
    const a = view.getInt32(p, true);
    const b = view.getInt32(p + 3, true);
    const c = view.getInt32(q, true);
    const d = view.getInt32(q + 3, true);
    const wa = Math.imul(PHASES - wx, PHASES - wy);
    const wb = Math.imul(wx, PHASES - wy);
    const wc = Math.imul(PHASES - wx, wy);
    const wd = Math.imul(wx, wy);
    out[o] = roundLinear(weigh(wa, a, wb, b, wc, c, wd, d));
    out[o + 1] = roundLinear(weigh(wa, a >> 8, wb, b >> 8, wc, c >> 8, wd, d >> 8));
    out[o + 2] = roundLinear(weigh(wa, a >> 16, wb, b >> 16, wc, c >> 16, wd, d >> 16));
  }
};

const insideCubic: InsideSampler = ({ data, width }, x0, y0, stepX, stepY, out, base, from, to) => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const stride = width * 3;
  const { weights } = CUBIC;
  for (let i = from, o = base + 3 * from; i < to; i++, o += 3) {
    const x = ((x0 + stepX * i) * PHASES + 0.5) | 0;
    const y = ((y0 + stepY * i) * PHASES + 0.5) | 0;
    const w = (x & (PHASES - 1)) << 2;
    const wa = CUBIC_WHOLE[w];
    const wb = CUBIC_WHOLE[w + 1];
    const wc = CUBIC_WHOLE[w + 2];
    const wd = CUBIC_WHOLE[w + 3];
    const v = (y & (PHASES - 1)) << 2;
    let p = (Math.imul((y >> PHASE_BITS) - 1, stride) + Math.imul((x >> PHASE_BITS) - 1, 3)) | 0;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let k = 0; k < 4; k++) {
      const wy = weights[v + k];
      const a = view.getInt32(p, true);
      const b = view.getInt32(p + 3, true);
      const c = view.getInt32(p + 6, true);
      const d = view.getInt32(p + 9, true);
      red += wy * weigh(wa, a, wb, b, wc, c, wd, d);
      green += wy * weigh(wa, a >> 8, wb, b >> 8, wc, c >> 8, wd, d >> 8);
      blue += wy * weigh(wa, a >> 16, wb, b >> 16, wc, c >> 16, wd, d >> 16);
      p = (p + stride) | 0;
    }
    out[o] = red / CUBIC_UNIT;
    out[o + 1] = green / CUBIC_UNIT;
    out[o + 2] = blue / CUBIC_UNIT;
  }
};

/** Weighted sum of the lowest bytes of four words; under 2^30 with cubic weights, 2^20 with linear ones. */
function weigh(wa: number, a: number, wb: number, b: number, wc: number, c: number, wd: number, d: number): number {
  return (Math.imul(wa, a & 255) + Math.imul(wb, b & 255) + Math.imul(wc, c & 255) + Math.imul(wd, d & 255)) | 0;
}

/** Whole 4096ths to the nearest grey level, halves to the even one as `Uint8ClampedArray` does. */
function roundLinear(sum: number): number {
  return (sum + 2047 + ((sum >> 12) & 1)) >> 12;
}

/** Any position: taps outside of the image take the nearest pixel's value. */
function sampleBorder(
  { data, width, height }: RgbImage,
  x0: number,
  y0: number,
  stepX: number,
  stepY: number,
  { taps, before, weights }: Kernel,
  out: Uint8ClampedArray,
  base: number,
  from: number,
  to: number,
): void {
  for (let i = from, o = base + 3 * from; i < to; i++, o += 3) {
    const x = x0 + stepX * i;
    const y = y0 + stepY * i;
    const column = Math.floor(x) - before;
    const row = Math.floor(y) - before;
    const px = Math.round((x - Math.floor(x)) * PHASES) * taps;
    const py = Math.round((y - Math.floor(y)) * PHASES) * taps;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = 0; k < taps; k++) {
      const line = clamp(row + k, height - 1) * width;
      for (let l = 0; l < taps; l++) {
        const weight = weights[py + k] * weights[px + l];
        const p = (line + clamp(column + l, width - 1)) * 3;
        r += weight * data[p];
        g += weight * data[p + 1];
        b += weight * data[p + 2];
      }
    }
    out[o] = r;
    out[o + 1] = g;
    out[o + 2] = b;
  }
}

/** Repeats the border: an index below 0 or above `last` becomes the nearest valid one. */
function clamp(index: number, last: number): number {
  return index < 0 ? 0 : index > last ? last : index;
}
