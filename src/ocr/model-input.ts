import type { RgbImage } from './rgb-image.ts';

/** Packed RGB bytes -> planes B, G, R of floats in -1..1: the order that both models were trained with (OpenCV's). */
export function toModelInput({ data, width, height }: RgbImage): Float32Array {
  const plane = width * height;
  const input = new Float32Array(3 * plane);
  for (let i = 0, p = 0; i < plane; i++, p += 3) {
    input[i] = (data[p + 2] as number) / 127.5 - 1;
    input[plane + i] = (data[p + 1] as number) / 127.5 - 1;
    input[2 * plane + i] = (data[p] as number) / 127.5 - 1;
  }
  return input;
}
