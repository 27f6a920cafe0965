import type { Line, Page } from '../ocr/page.ts';
import type { OcrLine } from './schemas.ts';

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
 * A line as the contract gives it. `location` is the bounding rectangle of all four corners of the quad, in whole pixels
 * of the upright image, clipped to it, width and height at least 1. (The AWS kit takes corners 0 and 2 only, which gives
 * wrong and even negative numbers for rotated text.)
 *
 * @param line in image coordinates of `page`
 * @param page the size of the upright image, at least 1 x 1
 */
export function toContractLine(line: Line, page: Pick<Page, 'width' | 'height'>): OcrLine {
  const xs = line.quad.map((corner) => corner.x);
  const ys = line.quad.map((corner) => corner.y);
  const horizontal = touchedPixels(Math.min(...xs), Math.max(...xs), page.width);
  const vertical = touchedPixels(Math.min(...ys), Math.max(...ys), page.height);
  return {
    words: line.text,
    location: { top: vertical.start, left: horizontal.start, width: horizontal.length, height: vertical.length },
    score: Math.min(Math.max(line.confidence, 0), 1),
  };
}
