import type { RgbImage } from './rgb-image.ts';
import { type FilterAxis, filterSeparable, wholeWeights } from './separable-filter.ts';

/** Weights are whole numbers of this sum: a grey level is wrong by a few hundredths at most. */
const UNIT = 2 ** 14;

/**
 * Resamples an image to `width` x `height`: by pixel area when both sides shrink (no aliasing), otherwise bilinearly; the
 * same choice and the same sampling positions as OpenCV's INTER_AREA and INTER_LINEAR.
 */
export function resizeImage(image: RgbImage, width: number, height: number): RgbImage {
  if (image.width === width && image.height === height) return image;
  const shrinks = width <= image.width && height <= image.height;
  const axis = shrinks ? areaAxis : linearAxis;
  return filterSeparable(image, axis(image.width, width), axis(image.height, height));
}

function areaAxis(from: number, to: number): FilterAxis {
  const scale = from / to;
  const taps = Math.min(from, Math.ceil(scale) + 1);
  const starts = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const left = i * scale;
    const right = Math.min(from, left + scale);
    const first = Math.min(Math.floor(left), from - taps);
    starts[i] = first;
    for (let k = 0; k < taps; k++) {
      const overlap = Math.min(right, first + k + 1) - Math.max(left, first + k);
      if (overlap > 1e-9) weights[i * taps + k] = overlap / (right - left);
    }
  }
  return { starts, taps, weights: wholeWeights(weights, taps, UNIT), unit: UNIT };
}

function linearAxis(from: number, to: number): FilterAxis {
  const scale = from / to;
  const taps = Math.min(from, 2);
  const starts = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const position = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), from - 1);
    const first = Math.min(Math.floor(position), from - taps);
    starts[i] = first;
    weights[taps * i] = 1 - (position - first);
    if (taps === 2) weights[taps * i + 1] = position - first;
  }
  return { starts, taps, weights: wholeWeights(weights, taps, UNIT), unit: UNIT };
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
