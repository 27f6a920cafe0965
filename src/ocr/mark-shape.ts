import { type InkMap, LOWEST_CONTRAST } from './ink-map.ts';

/** Share of the line's contrast from which a pixel of the line image is ink of a mark. */
const INK = 0.4;
/** No part of a mark is higher than this, in pixels of the line image (an ideograph has about 30); fewer pixels are dirt. */
const HIGHEST_PART = 26;
const SMALLEST_PART = 3;
/** What the extents and the middle of the ink are divided by, so that all values are of about one size. */
const EXTENT = 10;
const ACROSS = 20;
const DOWN = 24;

/** No mark is wider or higher, in pixels of the line image: more is a mark and a piece of a neighbour. */
const LARGEST_MARK = 12;

/** Number of values that `markShape` gives. */
export const SHAPE_SIZE = 13;

/**
 * Describes the ink in the cell of a mark: how much there is, where, how far it spreads, whether it is in two parts one
 * above the other, and how full its middle is. Parts that touch the sides of the cell belong to the neighbours.
 *
 * @param ink of a line image 48 px high
 * @param left first column of the cell
 * @param right column behind it
 * @returns `SHAPE_SIZE` values of about -1..2, all 0 where there is no ink
 */
export function markShape(ink: InkMap, contrast: number, left: number, right: number): Float64Array {
  const shape = new Float64Array(SHAPE_SIZE);
  const width = right - left;
  if (contrast < LOWEST_CONTRAST || width < 4) return shape;
  const valueAt = (x: number, y: number): number => Math.min(1.2, ink.data[y * ink.width + left + x] / contrast);
  const marks = loosePixels(width, ink.height, (x, y) => valueAt(x, y) > INK);
  if (marks.length === 0) return shape;
  let [mass, sumX, sumY] = [0, 0, 0];
  let [x0, x1, y0, y1] = [width, 0, ink.height, 0];
  const rows = new Set<number>();
  for (const [x, y] of marks) {
    const value = valueAt(x, y);
    mass += value;
    sumX += x * value;
    sumY += y * value;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x + 1);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y + 1);
    rows.add(y);
  }
  const [cx, cy] = [sumX / mass, sumY / mass];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [x, y] of marks) {
    const value = valueAt(x, y) / mass;
    xx += (x - cx) ** 2 * value;
    yy += (y - cy) ** 2 * value;
    xy += (x - cx) * (y - cy) * value;
  }
  let [gap, widestGap] = [0, 0];
  for (let y = y0; y < y1; y++) {
    gap = rows.has(y) ? 0 : gap + 1;
    widestGap = Math.max(widestGap, gap);
  }
  shape.set([
    1,
    mass / 40,
    (x1 - x0) / EXTENT,
    (y1 - y0) / EXTENT,
    cx / ACROSS,
    cy / DOWN,
    Math.sqrt(xx) / 3,
    Math.sqrt(yy) / 3,
  ]);
  shape.set([xy / 10, mass / ((x1 - x0) * (y1 - y0)), widestGap / 10, middle(cx, cy, width, ink.height, valueAt)], 8);
  shape[12] = y0 / DOWN;
  return shape;
}

/** Mean of the 3 x 3 pixels around the centre of gravity: low in a ring. */
function middle(
  cx: number,
  cy: number,
  width: number,
  height: number,
  valueAt: (x: number, y: number) => number,
): number {
  const x = Math.min(Math.max(Math.floor(cx), 1), width - 2);
  const y = Math.min(Math.max(Math.floor(cy), 1), height - 2);
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += valueAt(x - 1 + (i % 3), y - 1 + Math.floor(i / 3));
  return sum / 9;
}

/** Pixels of the 8-connected parts that may belong to a mark. */
function loosePixels(
  width: number,
  height: number,
  isInk: (x: number, y: number) => boolean,
): (readonly [x: number, y: number])[] {
  const seen = new Uint8Array(width * height);
  const found: (readonly [number, number])[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] === 1 || !isInk(start % width, Math.floor(start / width))) continue;
    const part: (readonly [number, number])[] = [[start % width, Math.floor(start / width)]];
    seen[start] = 1;
    let [left, right, bottom] = [width, 0, 0];
    const top = part[0][1];
    for (let i = 0; i < part.length; i++) {
      const [x, y] = part[i];
      left = Math.min(left, x);
      right = Math.max(right, x);
      bottom = Math.max(bottom, y);
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          if (seen[v * width + u] === 1 || !isInk(u, v)) continue;
          seen[v * width + u] = 1;
          part.push([u, v]);
        }
      }
    }
    const foreign = left <= 0 || right >= width - 1 || bottom - top + 1 > HIGHEST_PART;
    if (!foreign && part.length >= SMALLEST_PART) found.push(...part);
  }
  return found;
}

/** Middle of the ink that `markShape` described, in pixels of the cell; nothing where that is not one mark. */
export function markPlace([hasInk, , width, height, x, y]: Float64Array): { x: number; y: number } | undefined {
  if (hasInk !== 1 || Math.max(width, height) * EXTENT > LARGEST_MARK) return undefined;
  return { x: x * ACROSS, y: y * DOWN };
}
