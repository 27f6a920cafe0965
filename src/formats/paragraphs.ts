import type { Line } from '../ocr/page.ts';

/** Where a line stands in the structure of its page; all count from 1 over the page, in reading order. */
export interface Place {
  /** A column, or a part of the page with space around it. */
  readonly block: number;
  readonly paragraph: number;
  /** Lines side by side (the cells of a table, label and value of a form) share a row. */
  readonly row: number;
  /** Height of the line across its text, in pixels. */
  readonly height: number;
  /** Whether the row reaches the right edge of its block, as all but the last rows of running text do. */
  readonly full: boolean;
}

/** A row in the frame of the straightened page. */
interface Row {
  readonly lines: number[];
  start: number;
  end: number;
  top: number;
  bottom: number;
}

/** Lines stand side by side if their centres differ by less than this share of the smaller height (as in reading-order.ts). */
const ROW_TOLERANCE = 0.5;
/** A gap of this many line heights ends a block. */
const BLOCK_GAP = 2.5;
/** A gap this many times the usual one ends a paragraph, if it is this many line heights at least. */
const PARAGRAPH_GAP = 1.5;
const MIN_PARAGRAPH_GAP = 0.5;
/** Text this much larger or smaller is another paragraph: a heading, a note. */
const SIZE_CHANGE = 1.35;
/** First lines are indented by one to three characters (in Chinese by two), in blocks at least this wide, in line heights. */
const MIN_INDENT = 1.2;
const MAX_INDENT = 4;
const MIN_INDENTED_WIDTH = 8;
/** A row that ends closer to the right edge than this, in line heights, is full: the next character did not fit. */
const FULL_TOLERANCE = 2.5;

/**
 * Finds rows, paragraphs and blocks among lines that stand in reading order. A guide for text and layout formats, from
 * distances and sizes alone; nothing is known of tables or captions.
 *
 * @param angle direction of the page's lines in radians, clockwise from the image's x axis (`pageAngle`)
 */
export function findParagraphs(lines: readonly Line[], angle: number): Place[] {
  const rows = findRows(lines, angle);
  const blocks = findBlocks(rows);
  const places: Place[] = [];
  let paragraph = 0;
  let row = 0;
  blocks.forEach((block, blockIndex) => {
    const left = Math.min(...block.map(({ start }) => start));
    const right = Math.max(...block.map(({ end }) => end));
    const usualGap = median(block.slice(1).map((one, i) => one.top - block[i].bottom));
    block.forEach((one, i) => {
      row += 1;
      if (i === 0 || beginsParagraph(one, block[i - 1], { left, right, usualGap })) paragraph += 1;
      const height = one.bottom - one.top;
      const full = right - one.end < FULL_TOLERANCE * height;
      for (const line of one.lines) places[line] = { block: blockIndex + 1, paragraph, row, height, full };
    });
  });
  return places;
}

function findRows(lines: readonly Line[], angle: number): Row[] {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const rows: Row[] = [];
  lines.forEach((line, index) => {
    const along = line.quad.map(({ x, y }) => x * cos + y * sin);
    const across = line.quad.map(({ x, y }) => y * cos - x * sin);
    const placed = {
      start: Math.min(...along),
      end: Math.max(...along),
      top: Math.min(...across),
      bottom: Math.max(...across),
    };
    const row = rows.at(-1);
    if (row !== undefined && placed.start > (row.start + row.end) / 2 && isBeside(placed, row)) {
      row.lines.push(index);
      row.end = Math.max(row.end, placed.end);
      row.top = Math.min(row.top, placed.top);
      row.bottom = Math.max(row.bottom, placed.bottom);
    } else rows.push({ lines: [index], ...placed });
  });
  return rows;
}

type Vertical = Pick<Row, 'top' | 'bottom'>;

const heightOf = ({ top, bottom }: Vertical): number => Math.max(bottom - top, 1);
const centerOf = ({ top, bottom }: Vertical): number => (top + bottom) / 2;

const isBeside = (a: Vertical, b: Vertical): boolean =>
  Math.abs(centerOf(a) - centerOf(b)) < ROW_TOLERANCE * Math.min(heightOf(a), heightOf(b));

function findBlocks(rows: readonly Row[]): Row[][] {
  const blocks: Row[][] = [];
  for (const row of rows) {
    const before = blocks.at(-1)?.at(-1);
    const gap = before === undefined ? 0 : row.top - before.bottom;
    const height = before === undefined ? 0 : Math.max(heightOf(row), heightOf(before));
    // Reading order goes up only to begin another column.
    if (before === undefined || centerOf(row) <= centerOf(before) || gap > BLOCK_GAP * height) blocks.push([row]);
    else blocks.at(-1)?.push(row);
  }
  return blocks;
}

function beginsParagraph(row: Row, before: Row, block: { left: number; right: number; usualGap: number }): boolean {
  const smaller = Math.min(heightOf(row), heightOf(before));
  const gap = row.top - before.bottom;
  if (gap > Math.max(PARAGRAPH_GAP * block.usualGap, MIN_PARAGRAPH_GAP * smaller)) return true;
  const ratio = heightOf(row) / heightOf(before);
  if (ratio > SIZE_CHANGE || ratio < 1 / SIZE_CHANGE) return true;
  if (block.right - block.left < MIN_INDENTED_WIDTH * smaller) return false;
  const indent = (row.start - block.left) / smaller;
  return indent > MIN_INDENT && indent < MAX_INDENT && before.start - block.left < MIN_INDENT * smaller;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
