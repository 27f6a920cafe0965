import type { Quad } from './page.ts';
import { kernels, memory, putRow, reserve } from './pixel-kernels.ts';
import type { RgbImage } from './rgb-image.ts';
import { type FilterAxis, filterSeparable, wholeWeights } from './separable-filter.ts';

/** How pixel values between pixel centres are found. Cubic is Keys' kernel with a = -0.75, as in OpenCV. */
export type Interpolation = 'linear' | 'cubic';

/** Positions between two pixels are rounded to 1/64: finer than a grey level can show. */
const PHASE_BITS = 6;
const PHASES = 1 << PHASE_BITS;

/** Weights of the taps of every phase, row-major. */
interface Kernel {
  readonly taps: 2 | 4;
  /** Pixels between the first tap and the pixel at or before the position. */
  readonly before: number;
  /** Whole numbers that add up to `unit`. */
  readonly weights: Int16Array;
  readonly unit: number;
}

/** Exact: phases are 64ths. */
const LINEAR: Kernel = { taps: 2, before: 0, ...wholeKernel(2, PHASES, (t) => [1 - t, t]) };
/** 14 bits are what a 16-bit number holds of weights up to 1. */
const CUBIC: Kernel = {
  taps: 4,
  before: 1,
  ...wholeKernel(4, 2 ** 14, (t) => {
    const a = -0.75;
    const outer = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    const inner = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
    return [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)];
  }),
};
/** The cubic weights for a second pass, over sums that the first one has left in units. */
const CUBIC_ROW_WEIGHTS = Float32Array.from(CUBIC.weights, (weight) => weight / CUBIC.unit / CUBIC.unit);

function wholeKernel(taps: number, unit: number, weightsAt: (t: number) => number[]): Pick<Kernel, 'weights' | 'unit'> {
  const weights = Array.from({ length: PHASES }, (_, phase) => weightsAt(phase / PHASES)).flat();
  return { weights: wholeWeights(Float64Array.from(weights), taps, unit), unit };
}

/** Where the pixel centres of the output lie in the image: that of column `i`, row `j` at `x + stepX * i + downX * j`, likewise y. */
interface Grid {
  readonly x: number;
  readonly y: number;
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
  const x = origin.x + downX * 0.5 + stepX * 0.5 - 0.5;
  const y = origin.y + downY * 0.5 + stepY * 0.5 - 0.5;
  const kernel = interpolation === 'cubic' ? CUBIC : LINEAR;
  // Half of all lines are exactly upright.
  if (stepY === 0 && downX === 0) {
    return filterSeparable(image, axisOf(x, stepX, width, kernel), axisOf(y, downY, height, kernel));
  }
  return sampleTilted(image, { x, y, stepX, stepY, downX, downY, width, height }, kernel);
}

/** Taps and weights of positions `from`, `from + step` and so on. */
function axisOf(from: number, step: number, count: number, { taps, before, weights, unit }: Kernel): FilterAxis {
  const starts = new Int32Array(count);
  const chosen = new Int16Array(count * taps);
  for (let i = 0; i < count; i++) {
    const position = Math.floor((from + step * i) * PHASES + 0.5);
    const phase = position & (PHASES - 1);
    starts[i] = (position >> PHASE_BITS) - before;
    for (let k = 0; k < taps; k++) chosen[i * taps + k] = weights[phase * taps + k];
  }
  return { starts, taps, weights: chosen, unit };
}

/** Side in pixels of what one tile draws on: 3 MB of the kernels' memory. */
const TILE_REACH = 1000;
/** A rectangle's diagonal may lie along an axis of the image. */
const DIAGONAL = 1.5;

/** Tile by tile, each from a copy of the part of the image that it lies in. */
function sampleTilted(image: RgbImage, grid: Grid, kernel: Kernel): RgbImage {
  const { stepX, stepY, downX, downY, width, height } = grid;
  const data = new Uint8Array(width * height * 3);
  const tileWidth = tileSide(Math.hypot(stepX, stepY));
  const tileHeight = tileSide(Math.hypot(downX, downY));
  for (let top = 0; top < height; top += tileHeight) {
    for (let left = 0; left < width; left += tileWidth) {
      const tile: Grid = {
        ...grid,
        x: grid.x + stepX * left + downX * top,
        y: grid.y + stepY * left + downY * top,
        width: Math.min(tileWidth, width - left),
        height: Math.min(tileHeight, height - top),
      };
      const from = sampleTile(image, tile, kernel);
      const stride = 3 * tile.width;
      for (let j = 0; j < tile.height; j++) {
        data.set(memory.subarray(from + j * stride, from + (j + 1) * stride), 3 * ((top + j) * width + left));
      }
    }
  }
  return { data, width, height };
}

const tileSide = (step: number): number => Math.max(1, Math.floor(TILE_REACH / DIAGONAL / Math.max(1, step)));

/** @returns address of the tile's pixels in the kernels' memory */
function sampleTile(image: RgbImage, grid: Grid, { taps, before, weights }: Kernel): number {
  const { x, y, stepX, stepY, downX, downY, width, height } = grid;
  // One more pixel on each side than the taps need, so that no rounding of positions leads outside.
  const left = Math.floor(x + lowest(stepX * (width - 1), downX * (height - 1))) - before - 1;
  const top = Math.floor(y + lowest(stepY * (width - 1), downY * (height - 1))) - before - 1;
  const right = Math.ceil(x - lowest(-stepX * (width - 1), -downX * (height - 1))) + taps - before + 1;
  const bottom = Math.ceil(y - lowest(-stepY * (width - 1), -downY * (height - 1))) + taps - before + 1;
  const stride = 3 * (right - left);
  const [source, out, firstWeights, rowWeights] = reserve([
    stride * (bottom - top),
    3 * width * height,
    weights.byteLength,
    CUBIC_ROW_WEIGHTS.byteLength,
  ]);
  for (let row = top; row < bottom; row++) putRow(image, row, left, right, source + (row - top) * stride);
  const placed = [source, stride, x - left, y - top, stepX, stepY, downX, downY, width, height, out] as const;
  if (taps === 2) kernels.sampleLinear(...placed);
  else {
    new Int16Array(memory.buffer, firstWeights, weights.length).set(weights);
    new Float32Array(memory.buffer, rowWeights, CUBIC_ROW_WEIGHTS.length).set(CUBIC_ROW_WEIGHTS);
    kernels.sampleCubic(...placed, firstWeights, rowWeights);
  }
  return out;
}

/** The least that a position may be away from the first one of its tile, with the ways of both axes given. */
const lowest = (across: number, down: number): number => Math.min(0, across) + Math.min(0, down);
