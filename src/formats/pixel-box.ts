import { boundingBox } from '../ocr/geometry.ts';
import type { Page, Quad } from '../ocr/page.ts';

/** A rectangle in whole pixels of the upright image, inside it, at least 1 x 1. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How far a corner may reach over a pixel edge without taking that pixel in. Corners come out of rotations in floating
 * point; without it a side meant to lie at x = 10 but computed as 10.000000002 would make the rectangle a pixel wider.
 */
const EDGE_TOLERANCE_PX = 0.01;

/** Whole pixels that `[from, to]` touches, at least one, inside `[0, size]`. */
function touchedPixels(from: number, to: number, size: number): { start: number; length: number } {
  const start = Math.min(Math.max(Math.floor(from + EDGE_TOLERANCE_PX), 0), size - 1);
  const end = Math.min(Math.max(Math.ceil(to - EDGE_TOLERANCE_PX), start + 1), size);
  return { start, length: end - start };
}

/**
 * Bounding rectangle of a quad, clipped to the image.
 *
 * @param page the size of the upright image, at least 1 x 1
 */
export function pixelBox(quad: Quad, page: Pick<Page, 'width' | 'height'>): PixelBox {
  const { left, top, right, bottom } = boundingBox(quad);
  const horizontal = touchedPixels(left, right, page.width);
  const vertical = touchedPixels(top, bottom, page.height);
  return { left: horizontal.start, top: vertical.start, width: horizontal.length, height: vertical.length };
}

/** The smallest box around all of `boxes`, which must not be empty. */
export function unionBox(boxes: readonly PixelBox[]): PixelBox {
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.left + box.width));
  const bottom = Math.max(...boxes.map((box) => box.top + box.height));
  return { left, top, width: right - left, height: bottom - top };
}
