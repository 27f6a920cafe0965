import type { RgbImage } from './rgb-image.ts';

/** What a byte becomes: -1..1. */
const LEVELS = Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1);

/** Packed RGB bytes -> planes B, G, R of floats in -1..1: the order that both models were trained with (OpenCV's). */
export function toModelInput({ data, width, height }: RgbImage): Float32Array {
  const plane = width * height;
  const input = new Float32Array(3 * plane);
  for (let blue = 0, p = 0; blue < plane; blue++, p += 3) {
    const green = blue + plane;
    input[blue] = LEVELS[data[p + 2]];
    input[green] = LEVELS[data[p + 1]];
    input[green + plane] = LEVELS[data[p]];
  }
  return input;
}
