import { quadSize, turnQuad } from './geometry.ts';
import type { LinePlace } from './line-help.ts';
import type { Quad, QuarterTurns } from './page.ts';
import { resizeImage } from './resize.ts';
import type { RgbImage } from './rgb-image.ts';
import { sampleQuad } from './sample-quad.ts';

/** Height of the recognizer's input. */
export const LINE_HEIGHT = 48;
/** Below the recognizer's stride there is nothing to read. */
const MIN_WIDTH = 8;
/** A line a hundred times as long as high; longer ones are ruled lines or noise and would only cost memory. */
const MAX_WIDTH = 4800;
/** From this scale on the original pixels are averaged; closer to 1 that would only blur. */
const AVERAGING_SCALE = 0.67;

/**
 * Cuts one line out of the original pixels, turned upright and 48 px high at its own width (no padding: short lines cost
 * little, long ones are not squeezed).
 *
 * @param quad the line with its margin, in image coordinates
 * @param turns quarter turns that the text is turned by
 */
export function cropLine(image: RgbImage, quad: Quad, turns: QuarterTurns): RgbImage {
  const turned = turnQuad(quad, turns);
  const size = quadSize(turned);
  const scale = LINE_HEIGHT / Math.max(size.height, 1);
  const width = lineWidth({ quad, turns });
  if (scale >= 1) return sampleQuad(image, turned, width, LINE_HEIGHT, 'cubic');
  const native = sampleQuad(
    image,
    turned,
    Math.max(1, Math.round(size.width)),
    Math.max(1, Math.round(size.height)),
    scale < AVERAGING_SCALE ? 'linear' : 'cubic',
  );
  return resizeImage(native, width, LINE_HEIGHT);
}

/** Width in pixels of the line image that `cropLine` gives. */
export function lineWidth({ quad, turns }: LinePlace): number {
  const size = quadSize(turnQuad(quad, turns));
  const scale = LINE_HEIGHT / Math.max(size.height, 1);
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, Math.ceil(size.width * scale)));
}
