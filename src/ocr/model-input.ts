import { kernels, memory, reserve } from './pixel-kernels.ts';
import type { RgbImage } from './rgb-image.ts';

/** So many pixels are turned at a time: they stay in the processor's cache on their way. */
const PIXELS = 16_384;

/** Packed RGB bytes -> planes B, G, R of floats in -1..1: the order that both models were trained with (OpenCV's). */
export function toModelInput({ data, width, height }: RgbImage): Float32Array {
  const plane = width * height;
  const input = new Float32Array(3 * plane);
  const [pixels, planes] = reserve([3 * PIXELS, 3 * 4 * PIXELS]);
  const turned = new Float32Array(memory.buffer, planes, 3 * PIXELS);
  for (let from = 0; from < plane; from += PIXELS) {
    const count = Math.min(PIXELS, plane - from);
    memory.set(data.subarray(3 * from, 3 * (from + count)), pixels);
    kernels.toPlanes(pixels, count, 4 * PIXELS, planes);
    for (let channel = 0; channel < 3; channel++) {
      input.set(turned.subarray(channel * PIXELS, channel * PIXELS + count), channel * plane + from);
    }
  }
  return input;
}
