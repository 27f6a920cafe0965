import type { PlacedLine } from './reading-order.ts';

/** A column of running text has at least this many lines, and is at least this many line heights wide. */
const MIN_LINES = 4;
const MIN_WIDTH_HEIGHTS = 8;
/** Most lines of running text fill this share of their column; cells of a table and labels of a form do not. */
const FILLED_SHARE = 0.7;
const MOST = 0.6;
/** The gutter between two columns is at least this many line heights wide. */
const MIN_GUTTER_HEIGHTS = 0.8;
/** Lines across the gutter (headings, footers) may be this share of all. */
const MAX_SPANNING = 0.3;

/**
 * Cuts a page with columns of running text into blocks in reading order; lines that span the columns (headings, footers)
 * end the columns above them. Everything else, tables and forms among it, stays one block, to be read row by row.
 */
export function splitColumns<T>(lines: readonly PlacedLine<T>[]): PlacedLine<T>[][] {
  const gutter = findGutter(lines);
  if (gutter === undefined) return [[...lines]];
  const blocks: PlacedLine<T>[][] = [];
  let left: PlacedLine<T>[] = [];
  let right: PlacedLine<T>[] = [];
  const endSection = (): void => {
    for (const column of [left, right]) if (column.length > 0) blocks.push(...splitColumns(column));
    left = [];
    right = [];
  };
  for (const line of lines.toSorted((a, b) => a.top + a.bottom - b.top - b.bottom)) {
    if (line.end <= gutter) left.push(line);
    else if (line.start >= gutter) right.push(line);
    else {
      endSection();
      blocks.push([line]);
    }
  }
  endSection();
  return blocks;
}

/** Position of a gutter with running text on both of its sides. */
function findGutter<T>(lines: readonly PlacedLine<T>[]): number | undefined {
  if (lines.length < 2 * MIN_LINES) return undefined;
  const height = median(lines.map(({ top, bottom }) => bottom - top));
  // The place where most lines of the right-hand column begin, just left of it.
  const candidates = [...new Set(lines.map(({ start }) => Math.floor(start - height * 0.3)))];
  let best: { gutter: number; spanning: number } | undefined;
  for (const gutter of candidates) {
    const left = lines.filter(({ end }) => end <= gutter);
    const right = lines.filter(({ start }) => start >= gutter);
    const spanning = lines.length - left.length - right.length;
    if (spanning > MAX_SPANNING * lines.length || !isRunningText(left, height) || !isRunningText(right, height))
      continue;
    const gap = Math.min(...right.map(({ start }) => start)) - Math.max(...left.map(({ end }) => end));
    if (gap < MIN_GUTTER_HEIGHTS * height || !sideBySide(left, right)) continue;
    if (!best || spanning < best.spanning) best = { gutter, spanning };
  }
  return best?.gutter;
}

function isRunningText<T>(lines: readonly PlacedLine<T>[], height: number): boolean {
  if (lines.length < MIN_LINES) return false;
  const width = Math.max(...lines.map(({ end }) => end)) - Math.min(...lines.map(({ start }) => start));
  if (width < MIN_WIDTH_HEIGHTS * height) return false;
  const filled = lines.filter(({ start, end }) => end - start >= FILLED_SHARE * width).length;
  return filled >= MOST * lines.length;
}

/** Whether the two columns share most of the shorter one's height. */
function sideBySide<T>(left: readonly PlacedLine<T>[], right: readonly PlacedLine<T>[]): boolean {
  const range = (lines: readonly PlacedLine<T>[]): [number, number] => [
    Math.min(...lines.map(({ top }) => top)),
    Math.max(...lines.map(({ bottom }) => bottom)),
  ];
  const [leftTop, leftBottom] = range(left);
  const [rightTop, rightBottom] = range(right);
  const shared = Math.min(leftBottom, rightBottom) - Math.max(leftTop, rightTop);
  return shared > 0.5 * Math.min(leftBottom - leftTop, rightBottom - rightTop);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
