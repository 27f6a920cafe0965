import { quantile } from './ink-map.ts';
import type { RgbImage } from './rgb-image.ts';

/** Blocks a side in which the light is measured, and pixels a side that are looked at in each. */
const BLOCKS = 24;
const SAMPLES = 10;
/** The paper is brighter than this share of a block's samples, the ink darker than the rest. */
const PAPER_QUANTILE = 0.9;
/** Paper this much darker on one side than on the other is shaded... */
const SHADED = 1.5;
/** ...if a smooth surface explains it: panels and pictures on a page do not lie on one. Coefficient of determination. */
const SMOOTH = 0.9;
/** Light is made up for at most so often; darker than that there is only noise. */
const MOST_GAIN = 6;

/** Share of the samples that may lie outside of the range from dark to bright... */
const TAIL = 0.005;
/**
 * ...or of those that are not paper, where there are so many: of a page with few words most of what is not paper are the soft
 * edges of its strokes, and it must not pass for faded.
 */
const INK_TAIL = 0.05;
const LEAST_INK = 0.0005;
/** A page that uses less than half of the levels is faded... */
const FADED_RANGE = 128;
/** ...unless there is next to nothing on it. */
const EMPTY_RANGE = 24;

/**
 * Mends what a lamp or a scanner did to a whole page: light that falls off smoothly is made up for, and a page that uses
 * only a part of the levels is stretched to all of them. Both are measured on a grid of samples, so that a page that needs
 * neither, as nearly all do, costs next to nothing and is returned as it is.
 */
export function evenLight(image: RgbImage): RgbImage {
  return stretch(unshade(image));
}

function unshade(image: RgbImage): RgbImage {
  const paper = measurePaper(image);
  const surface = fitSurface(paper);
  if (surface === undefined) return image;
  const { width, height } = image;
  const data = new Uint8Array(image.data.length);
  // The surface bends slowly: one gain for every 8 pixels of a row is exact to less than a level.
  const STEP = 8;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += STEP) {
      const gain = Math.min(
        MOST_GAIN,
        Math.exp(surface.brightest - valueAt(surface.terms, (x + STEP / 2) / width, y / height)),
      );
      const end = 3 * (y * width + Math.min(width, x + STEP));
      for (let i = 3 * (y * width + x); i < end; i++) data[i] = Math.min(255, image.data[i] * gain + 0.5);
    }
  }
  return { data, width, height };
}

/** Logarithm of the paper's brightness in each block, row by row. */
function measurePaper({ data, width, height }: RgbImage): Float64Array {
  const paper = new Float64Array(BLOCKS * BLOCKS);
  const samples = new Float64Array(SAMPLES * SAMPLES);
  for (let block = 0; block < paper.length; block++) {
    for (let s = 0; s < samples.length; s++) {
      const x = Math.floor(((block % BLOCKS) + ((s % SAMPLES) + 0.5) / SAMPLES) * (width / BLOCKS));
      const y = Math.floor(
        (Math.floor(block / BLOCKS) + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES) * (height / BLOCKS),
      );
      const i = 3 * (y * width + x);
      samples[s] = Math.max(data[i], data[i + 1], data[i + 2]);
    }
    samples.sort();
    paper[block] = Math.log(1 + (samples[Math.floor(PAPER_QUANTILE * samples.length)] ?? 0));
  }
  return paper;
}

/** Quadratic surface a + bx + cy + dxx + exy + fyy, x and y from 0 to 1. */
type Terms = readonly number[];
const monomials = (x: number, y: number): number[] => [1, x, y, x * x, x * y, y * y];
const valueAt = (terms: Terms, x: number, y: number): number => {
  const powers = monomials(x, y);
  return terms.reduce((sum, term, i) => sum + term * (powers[i] ?? 0), 0);
};

/** Each monomial at the middle of every block, and their scalar products. */
const MONOMIALS: readonly Float64Array[] = monomials(0, 0).map((_, i) =>
  Float64Array.from(
    { length: BLOCKS * BLOCKS },
    (_, block) => monomials(((block % BLOCKS) + 0.5) / BLOCKS, (Math.floor(block / BLOCKS) + 0.5) / BLOCKS)[i],
  ),
);
const NORMAL_MATRIX = MONOMIALS.map((a) => MONOMIALS.map((b) => dot(a, b)));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Least squares; undefined where the paper is evenly lit, or not lit smoothly. */
function fitSurface(paper: Float64Array): { terms: Terms; brightest: number } | undefined {
  const terms = solve(
    NORMAL_MATRIX,
    MONOMIALS.map((column) => dot(column, paper)),
  );
  const fitted = Array.from(paper, (_, block) => terms.reduce((sum, term, i) => sum + term * MONOMIALS[i][block], 0));
  const mean = paper.reduce((total, value) => total + value, 0) / paper.length;
  const spread = paper.reduce((total, value) => total + (value - mean) ** 2, 0);
  const missed = paper.reduce((total, value, block) => total + (value - (fitted[block] ?? 0)) ** 2, 0);
  const brightest = Math.max(...fitted);
  const shaded = brightest - Math.min(...fitted) >= Math.log(SHADED);
  return shaded && missed <= (1 - SMOOTH) * spread ? { terms, brightest } : undefined;
}

/** Gauss-Jordan elimination with pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let r = column + 1; r < size; r++) {
      if (Math.abs(rows[r][column]) > Math.abs(rows[pivot][column])) pivot = r;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let r = 0; r < size; r++) {
      if (r === column) continue;
      const factor = rows[r][column] / rows[column][column];
      for (let k = column; k <= size; k++) rows[r][k] -= factor * rows[column][k];
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}

function stretch(image: RgbImage): RgbImage {
  const { data, width, height } = image;
  const histogram = new Uint32Array(256);
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / 65_536)));
  let count = 0;
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) {
      const i = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) histogram[data[i + c]]++;
      count += 3;
    }
  }
  const middle = quantile(histogram, count / 2);
  const tailOf = (apart: number): number => (apart >= LEAST_INK * count ? INK_TAIL * apart : TAIL * count);
  const dark = quantile(histogram, tailOf(total(histogram.subarray(0, Math.max(0, middle - EMPTY_RANGE)))));
  const bright = quantile(histogram, count - tailOf(total(histogram.subarray(middle + EMPTY_RANGE + 1))));
  const range = bright - dark;
  if (range >= FADED_RANGE || range < EMPTY_RANGE) return image;
  const levels = Uint8ClampedArray.from({ length: 256 }, (_, level) => ((level - dark) * 255) / range);
  return { data: data.map((level) => levels[level]), width, height };
}

const total = (counts: Uint32Array): number => counts.reduce((sum, count) => sum + count, 0);
