import { distance, quadCenter } from './geometry.ts';
import { splitColumns } from './page-columns.ts';
import type { Point, Quad, QuarterTurns } from './page.ts';

/** What ordering needs to know of a line. */
export interface OrderableLine {
  /** In reading orientation: its first side runs along the text. */
  readonly quad: Quad;
  readonly turns: QuarterTurns;
  /** How much the line counts when the page's direction is voted on: its number of characters, times confidence. */
  readonly weight: number;
}

/** A line in the frame of the upright, straightened page: `start` and `end` along the lines, `top` and `bottom` across. */
export interface PlacedLine<T> {
  readonly line: T;
  readonly start: number;
  readonly end: number;
  readonly top: number;
  readonly bottom: number;
}

interface Row<T> {
  readonly items: PlacedLine<T>[];
  center: number;
  height: number;
}

/** Lines whose centres are closer than this share of the smaller height stand in one row. */
const ROW_TOLERANCE = 0.5;
/** Heights in one row differ by no more than this factor. */
const HEIGHT_RATIO = 2.5;
/** Only the last rows can take another line, as lines come top to bottom. */
const OPEN_ROWS = 6;

/**
 * Sorts lines as they are read in the direction that most of the page's text has: columns of running text one after the
 * other, within them rows top to bottom, and each row in reading direction. A page that lies askew is straightened first,
 * or the end of a long line would come after the start of the next.
 */
export function orderLines<T extends OrderableLine>(lines: readonly T[]): T[] {
  const angle = pageAngle(lines);
  const along = { x: Math.cos(angle), y: Math.sin(angle) };
  const placed = lines.map((line) => place(line, along));
  return splitColumns(placed).flatMap((block) => orderRows(block));
}

function orderRows<T>(placed: readonly PlacedLine<T>[]): T[] {
  const rows: Row<T>[] = [];
  for (const item of placed.toSorted((a, b) => centerOf(a) - centerOf(b))) {
    const row = rows.slice(-OPEN_ROWS).findLast((candidate) => fits(item, candidate));
    if (row) {
      row.items.push(item);
      row.center = mean(row.items.map(centerOf));
      row.height = mean(row.items.map(heightOf));
    } else {
      rows.push({ items: [item], center: centerOf(item), height: heightOf(item) });
    }
  }
  return rows
    .sort((a, b) => a.center - b.center)
    .flatMap((row) => row.items.sort((a, b) => a.start - b.start).map(({ line }) => line));
}

function fits<T>(item: PlacedLine<T>, row: Row<T>): boolean {
  const ratio = heightOf(item) / Math.max(1, row.height);
  return (
    Math.abs(centerOf(item) - row.center) < ROW_TOLERANCE * Math.min(heightOf(item), row.height) &&
    ratio > 1 / HEIGHT_RATIO &&
    ratio < HEIGHT_RATIO
  );
}

/** A line shows the page's skew if it is at least this many times as long as high. */
const SHOWS_SKEW = 3;

/** Direction of the page's lines in radians, clockwise from the image's x axis: its quarter turns and its skew. */
export function pageAngle(lines: readonly OrderableLine[]): number {
  const weights = [0, 0, 0, 0];
  for (const { turns, weight } of lines) weights[turns] = (weights[turns] ?? 0) + weight;
  const turns = weights.indexOf(Math.max(...weights)) as QuarterTurns;
  const skews: { skew: number; length: number }[] = [];
  for (const line of lines) {
    const [a, b, , d] = line.quad;
    const length = distance(a, b);
    if (line.turns !== turns || length < SHOWS_SKEW * distance(a, d)) continue;
    const skew = Math.atan2(b.y - a.y, b.x - a.x) - (turns * Math.PI) / 2;
    skews.push({ skew: Math.atan2(Math.sin(skew), Math.cos(skew)), length });
  }
  return (turns * Math.PI) / 2 + weightedMedian(skews);
}

function weightedMedian(skews: { skew: number; length: number }[]): number {
  skews.sort((a, b) => a.skew - b.skew);
  const half = skews.reduce((sum, { length }) => sum + length, 0) / 2;
  let seen = 0;
  for (const { skew, length } of skews) {
    seen += length;
    if (seen >= half) return skew;
  }
  return 0;
}

function place<T extends OrderableLine>(line: T, along: Point): PlacedLine<T> {
  const starts = line.quad.map(({ x, y }) => x * along.x + y * along.y);
  const downs = line.quad.map(({ x, y }) => y * along.x - x * along.y);
  const { x, y } = quadCenter(line.quad);
  const center = y * along.x - x * along.y;
  const half = (Math.max(...downs) - Math.min(...downs)) / 2;
  return { line, start: Math.min(...starts), end: Math.max(...starts), top: center - half, bottom: center + half };
}

const centerOf = <T>({ top, bottom }: PlacedLine<T>): number => (top + bottom) / 2;
const heightOf = <T>({ top, bottom }: PlacedLine<T>): number => bottom - top;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
