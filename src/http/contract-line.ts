import { pixelBox } from '../formats/pixel-box.ts';
import type { Line, Page } from '../ocr/page.ts';
import type { OcrLine } from './schemas.ts';

/**
 * A line as the contract gives it. `location` is the bounding rectangle of all four corners of the quad, in whole pixels
 * of the upright image, clipped to it, width and height at least 1. (The AWS kit takes corners 0 and 2 only, which gives
 * wrong and even negative numbers for rotated text.)
 *
 * @param line in image coordinates of `page`
 * @param page the size of the upright image, at least 1 x 1
 */
export function toContractLine(line: Line, page: Pick<Page, 'width' | 'height'>): OcrLine {
  const { top, left, width, height } = pixelBox(line.quad, page);
  return {
    words: line.text,
    location: { top, left, width, height },
    score: Math.min(Math.max(line.confidence, 0), 1),
  };
}
