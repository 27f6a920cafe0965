import type { Box } from './geometry.ts';
import { LOWEST_CONTRAST } from './ink-map.ts';
import type { RgbImage } from './rgb-image.ts';

/** How the drawn page agrees with where characters are said to be. */
export interface LayerInk {
  /** Every character has ink, and none lies on another. */
  readonly clear: boolean;
  /** Whether there is ink beside them that may be text: anything but long straight lines and large plain areas. */
  readonly moreInk: boolean;
}

/** Pixels around a glyph that still belong to it (smoothing), and show the paper where it fills its box. */
const AROUND = 2;
/** Share of a character's box that may lie in those of others: kerned and slanted letters overlap, two texts on one place more. */
const MOST_SHARED = 0.5;
/**
 * Straight edges from this length on are of rules, frames and areas: the longest stroke of 12 point type has 35 px at 200
 * dpi, a cell of a table with such type some 45. Larger type has shorter edges at the ends of its strokes.
 */
const RULE_LENGTH = 40;
/** Shorter edges are corners, and ends of rules; of letters there are always some that are longer. */
const CORNER_LENGTH = 3;
/** Pixels of other edges that may be there; a letter of 6 points has some 60. */
const MOST_OTHER_EDGES = 24;

/**
 * Looks for every character in the drawn page, and for what else is there.
 *
 * @param boxes of all characters, tight, in pixels of the image
 */
export function inkOfLayer(image: RgbImage, boxes: readonly Box[]): LayerInk {
  const covered = new Uint8Array(image.width * image.height);
  let clear = true;
  for (const box of boxes) {
    if (!hasInk(image, pixels(image, box, AROUND)) || isShared(covered, image.width, pixels(image, box, 0)))
      clear = false;
    if (!clear) return { clear, moreInk: true };
  }
  for (const box of boxes) mark(covered, image.width, pixels(image, box, AROUND));
  return { clear, moreInk: countOtherEdges(image, covered) > MOST_OTHER_EDGES };
}

/** Whole pixels of a box inside the image. */
function pixels({ width, height }: RgbImage, box: Box, around: number): Box {
  return {
    left: Math.max(Math.floor(box.left) - around, 0),
    top: Math.max(Math.floor(box.top) - around, 0),
    right: Math.min(Math.ceil(box.right) + around, width),
    bottom: Math.min(Math.ceil(box.bottom) + around, height),
  };
}

function hasInk({ data, width }: RgbImage, { left, top, right, bottom }: Box): boolean {
  const lowest = [255, 255, 255];
  const highest = [0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      for (let channel = 0, i = (y * width + x) * 3; channel < 3; channel++, i++) {
        if (data[i] < lowest[channel]) lowest[channel] = data[i];
        if (data[i] > highest[channel]) highest[channel] = data[i];
      }
    }
  }
  return highest.some((high, channel) => high - lowest[channel] >= LOWEST_CONTRAST);
}

/** Marks a box, and says whether most of it was marked before. */
function isShared(covered: Uint8Array, width: number, box: Box): boolean {
  let before = 0;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left, i = y * width + box.left; x < box.right; x++, i++) {
      before += covered[i];
      covered[i] = 1;
    }
  }
  return before > MOST_SHARED * (box.right - box.left) * (box.bottom - box.top);
}

function mark(covered: Uint8Array, width: number, { left, top, right, bottom }: Box): void {
  for (let y = top; y < bottom; y++) covered.fill(1, y * width + left, y * width + right);
}

/** Pixels on edges longer than a corner's, shorter than a rule's, and in no character's box. */
function countOtherEdges({ data, width, height }: RgbImage, covered: Uint8Array): number {
  const isEdge = (a: number, b: number): boolean =>
    Math.abs(data[a] - data[b]) >= LOWEST_CONTRAST ||
    Math.abs(data[a + 1] - data[b + 1]) >= LOWEST_CONTRAST ||
    Math.abs(data[a + 2] - data[b + 2]) >= LOWEST_CONTRAST;
  /** For each column, and for the row in work last: length of the edge that runs here, and how much of it is uncovered. */
  const length = new Uint16Array(width + 1);
  const uncovered = new Uint16Array(width + 1);
  let others = 0;
  const step = (run: number, edge: boolean, at: number): void => {
    if (edge) {
      length[run]++;
      uncovered[run] += 1 - covered[at];
    } else if (length[run] > 0) {
      if (length[run] > CORNER_LENGTH && length[run] < RULE_LENGTH) others += uncovered[run];
      length[run] = 0;
      uncovered[run] = 0;
    }
  };
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      step(x, isEdge(3 * at, 3 * at + 3), at);
      step(width, isEdge(3 * at, 3 * (at + width)), at);
    }
    step(width, false, 0);
  }
  for (let x = 0; x < width; x++) step(x, false, 0);
  return others;
}
