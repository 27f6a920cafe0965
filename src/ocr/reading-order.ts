import { boundingBox, quadCenter } from './geometry.ts';
import type { Quad, QuarterTurns } from './page.ts';

/** What ordering needs to know of a line. */
export interface OrderableLine {
  readonly quad: Quad;
  readonly turns: QuarterTurns;
  /** How much the line counts when the page's direction is voted on: its number of characters, times confidence. */
  readonly weight: number;
}

/** A line in the frame of the upright page. */
interface Placed<T> {
  readonly line: T;
  readonly start: number;
  readonly center: number;
  readonly height: number;
}

interface Row<T> {
  readonly items: Placed<T>[];
  center: number;
  height: number;
}

/** Lines whose centres are closer than this share of the smaller height stand in one row. */
const ROW_TOLERANCE = 0.5;
/** Heights in one row differ by no more than this factor. */
const HEIGHT_RATIO = 2.5;
/** Only the last rows can take another line, as lines come top to bottom. */
const OPEN_ROWS = 6;

/** Sorts lines into rows, top to bottom, and each row in reading direction, in the direction that most of the page's text has. */
export function orderLines<T extends OrderableLine>(lines: readonly T[]): T[] {
  const turns = pageTurns(lines);
  const placed = lines.map((line) => place(line, turns)).sort((a, b) => a.center - b.center);
  const rows: Row<T>[] = [];
  for (const item of placed) {
    const row = rows.slice(-OPEN_ROWS).findLast((candidate) => fits(item, candidate));
    if (row) {
      row.items.push(item);
      row.center = mean(row.items.map(({ center }) => center));
      row.height = mean(row.items.map(({ height }) => height));
    } else {
      rows.push({ items: [item], center: item.center, height: item.height });
    }
  }
  return rows
    .sort((a, b) => a.center - b.center)
    .flatMap((row) => row.items.sort((a, b) => a.start - b.start).map(({ line }) => line));
}

function fits<T>(item: Placed<T>, row: Row<T>): boolean {
  const ratio = item.height / Math.max(1, row.height);
  return (
    Math.abs(item.center - row.center) < ROW_TOLERANCE * Math.min(item.height, row.height) &&
    ratio > 1 / HEIGHT_RATIO &&
    ratio < HEIGHT_RATIO
  );
}

function pageTurns(lines: readonly OrderableLine[]): QuarterTurns {
  const weights = [0, 0, 0, 0];
  for (const { turns, weight } of lines) weights[turns] = (weights[turns] ?? 0) + weight;
  return weights.indexOf(Math.max(...weights)) as QuarterTurns;
}

function place<T extends OrderableLine>(line: T, turns: QuarterTurns): Placed<T> {
  const { x, y } = quadCenter(line.quad);
  const box = boundingBox(line.quad);
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  switch (turns) {
    case 0:
      return { line, start: box.left, center: y, height };
    case 1:
      return { line, start: box.top, center: -x, height: width };
    case 2:
      return { line, start: -box.right, center: -y, height };
    case 3:
      return { line, start: -box.bottom, center: x, height: width };
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
