import type { Quad } from './page.ts';
import type { RgbImage } from './rgb-image.ts';

/** How pixel values between pixel centres are found. Cubic is Keys' kernel with a = -0.75, as in OpenCV. */
export type Interpolation = 'linear' | 'cubic';

/** Positions between two pixels are rounded to 1/64: finer than a grey level can show. */
const PHASES = 64;
const LINEAR_WEIGHTS = weightTable(2, (t) => [1 - t, t]);
const CUBIC_WEIGHTS = weightTable(4, (t) => {
  const a = -0.75;
  const outer = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  const inner = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  return [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)];
});

function weightTable(taps: number, weightsAt: (t: number) => number[]): Float32Array {
  const table = new Float32Array((PHASES + 1) * taps);
  for (let p = 0; p <= PHASES; p++) table.set(weightsAt(p / PHASES), p * taps);
  return table;
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
  const out = new Uint8ClampedArray(width * height * 3);
  const [origin, right, , down] = quad;
  const stepX = (right.x - origin.x) / width;
  const stepY = (right.y - origin.y) / width;
  const downX = (down.x - origin.x) / height;
  const downY = (down.y - origin.y) / height;
  const sampleRow = interpolation === 'cubic' ? cubicRow : linearRow;
  for (let y = 0; y < height; y++) {
    // Pixel centres lie at halves, so half a step in and half a pixel back.
    const x0 = origin.x + downX * (y + 0.5) + stepX * 0.5 - 0.5;
    const y0 = origin.y + downY * (y + 0.5) + stepY * 0.5 - 0.5;
    sampleRow(image, x0, y0, stepX, stepY, out, y * width * 3, width);
  }
  return { data: new Uint8Array(out.buffer), width, height };
}

function linearRow(
  { data, width, height }: RgbImage,
  x0: number,
  y0: number,
  stepX: number,
  stepY: number,
  out: Uint8ClampedArray,
  offset: number,
  count: number,
): void {
  const stride = width * 3;
  for (let i = 0, o = offset; i < count; i++, o += 3) {
    const x = x0 + stepX * i;
    const y = y0 + stepY * i;
    const ix = Math.floor(x);
    const iy = Math.floor(y);
    const px = Math.round((x - ix) * PHASES) * 2;
    const py = Math.round((y - iy) * PHASES) * 2;
    const wx0 = LINEAR_WEIGHTS[px] as number;
    const wx1 = LINEAR_WEIGHTS[px + 1] as number;
    const wy0 = LINEAR_WEIGHTS[py] as number;
    const wy1 = LINEAR_WEIGHTS[py + 1] as number;
    const left = clamp(ix, width - 1) * 3;
    const rightOf = clamp(ix + 1, width - 1) * 3;
    const upper = clamp(iy, height - 1) * stride;
    const lower = clamp(iy + 1, height - 1) * stride;
    for (let c = 0; c < 3; c++) {
      out[o + c] =
        wy0 * (wx0 * (data[upper + left + c] as number) + wx1 * (data[upper + rightOf + c] as number)) +
        wy1 * (wx0 * (data[lower + left + c] as number) + wx1 * (data[lower + rightOf + c] as number));
    }
  }
}

function cubicRow(
  { data, width, height }: RgbImage,
  x0: number,
  y0: number,
  stepX: number,
  stepY: number,
  out: Uint8ClampedArray,
  offset: number,
  count: number,
): void {
  const stride = width * 3;
  for (let i = 0, o = offset; i < count; i++, o += 3) {
    const x = x0 + stepX * i;
    const y = y0 + stepY * i;
    const ix = Math.floor(x);
    const iy = Math.floor(y);
    const px = Math.round((x - ix) * PHASES) * 4;
    const py = Math.round((y - iy) * PHASES) * 4;
    const wx0 = CUBIC_WEIGHTS[px] as number;
    const wx1 = CUBIC_WEIGHTS[px + 1] as number;
    const wx2 = CUBIC_WEIGHTS[px + 2] as number;
    const wx3 = CUBIC_WEIGHTS[px + 3] as number;
    const c0 = clamp(ix - 1, width - 1) * 3;
    const c1 = clamp(ix, width - 1) * 3;
    const c2 = clamp(ix + 1, width - 1) * 3;
    const c3 = clamp(ix + 2, width - 1) * 3;
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = 0; k < 4; k++) {
      const wy = CUBIC_WEIGHTS[py + k] as number;
      const row = clamp(iy + k - 1, height - 1) * stride;
      const p0 = row + c0;
      const p1 = row + c1;
      const p2 = row + c2;
      const p3 = row + c3;
      r +=
        wy *
        (wx0 * (data[p0] as number) +
          wx1 * (data[p1] as number) +
          wx2 * (data[p2] as number) +
          wx3 * (data[p3] as number));
      g +=
        wy *
        (wx0 * (data[p0 + 1] as number) +
          wx1 * (data[p1 + 1] as number) +
          wx2 * (data[p2 + 1] as number) +
          wx3 * (data[p3 + 1] as number));
      b +=
        wy *
        (wx0 * (data[p0 + 2] as number) +
          wx1 * (data[p1 + 2] as number) +
          wx2 * (data[p2 + 2] as number) +
          wx3 * (data[p3 + 2] as number));
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
