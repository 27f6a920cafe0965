import { growQuad, quadSize, sliceQuad } from './geometry.ts';
import { INK_SHARE, type InkMap, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { Point, Quad } from './page.ts';
import { kernels, memory, reserve } from './pixel-kernels.ts';
import type { RgbImage } from './rgb-image.ts';
import { sampleQuad } from './sample-quad.ts';

/** The search covers this many unclip distances around the kernel: a little more than DB's own box. */
const SEARCH_MARGIN = 1.15;
/** Along the line also half the kernel's thickness: DB kernels end short of the last glyph. */
const EXTRA_LENGTH = 0.5;
/** Crops are measured at about 40 px height (at least 16), which costs little and still shows strokes. */
const MEASURED_HEIGHT = 40;
const SMALLEST_MEASURED_HEIGHT = 16;
/** Rows count from the noise floor plus this share of the fullest row's ink. */
const ROW_SHARE = 0.06;
/** Gaps that may be bridged, in heights: between the parts of a glyph across, between glyphs along the line. */
const ROW_GAP = 0.15;
const SHORT_ROW_GAP = 0.35;
const COLUMN_GAP = 0.5;
/**
 * A stroke that goes on from the rows found, a descender of the few that a Latin line may have, belongs to the line when
 * it ends in this range of the line's height: noise ends sooner, and what goes further is a rule or the next line.
 */
const LEAST_STROKE = 0.1;
const LONGEST_STROKE = 0.45;
/** A row or column inked over nearly its whole length is a ruled line and ends the search. */
const RULE_SHARE = 0.93;

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The ink of a line. */
export interface InkBox {
  /** Around the rows with plenty of ink, which is what the recognizer wants to see large: few descenders may lie outside. */
  readonly tight: Quad;
  /** How far single strokes go on beyond `tight` on either side of the line, in shares of its thickness. */
  readonly strokes: Strokes;
}
/** Above and below a line; left and right of a vertical one. */
export type Strokes = readonly [before: number, after: number];

/** Shows a quad as if its line were horizontal: mirrored at its diagonal if it is vertical. The same again undoes it. */
const alongLine = (quad: Quad, vertical: boolean): Quad => (vertical ? [quad[0], quad[3], quad[2], quad[1]] : quad);

const isVertical = (kernel: Quad): boolean => {
  const { width, height } = quadSize(kernel);
  return height > width;
};

/** All ink of the line that was detected at `kernel`. */
export function withStrokes(tight: Quad, [before, after]: Strokes, kernel: Quad): Quad {
  const vertical = isVertical(kernel);
  return alongLine(sliceQuad(alongLine(tight, vertical), -before, 1 + after), vertical);
}

/**
 * Shrinks (or extends) a detected kernel to the ink that it belongs to: a DB box only says roughly where text is, twice
 * the height of small text. All constants were chosen on the development set in the prototype this follows.
 *
 * @param kernel shrunken DB quad in image coordinates
 * @param unclipDistance DB's unclip distance in image pixels
 * @returns quads along the same axes, or `undefined` where there is no contrast to measure
 */
export function tightenToInk(image: RgbImage, kernel: Quad, unclipDistance: number): InkBox | undefined {
  const size = quadSize(kernel);
  const thickness = Math.min(size.width, size.height);
  if (thickness < 1) return undefined;
  const vertical = isVertical(kernel);
  const across = unclipDistance * SEARCH_MARGIN + 1;
  const along = across + EXTRA_LENGTH * thickness;
  const search = vertical ? growQuad(kernel, across, along) : growQuad(kernel, along, across);
  // From here on columns run along the line; for a vertical kernel the crop is mirrored at its diagonal.
  const frame = alongLine(search, vertical);
  const { width, height } = quadSize(frame);
  const expected = Math.max(1, thickness * 1.8);
  const scale = Math.max(Math.min(1, MEASURED_HEIGHT / expected), Math.min(2, SMALLEST_MEASURED_HEIGHT / expected));
  const columns = Math.max(4, Math.round(width * scale));
  const rows = Math.max(4, Math.round(height * scale));
  const at = (x: number, y: number): Point => {
    const [origin, right, , down] = frame;
    const u = x / columns;
    const v = y / rows;
    return {
      x: origin.x + (right.x - origin.x) * u + (down.x - origin.x) * v,
      y: origin.y + (right.y - origin.y) * u + (down.y - origin.y) * v,
    };
  };
  const ink = measureInk(sampleQuad(image, frame, columns, rows, 'linear'));
  const isOutside = ({ x, y }: Point): boolean => x < 0 || y < 0 || x > image.width || y > image.height;
  const found = inkBounds(ink, along * scale, across * scale, {
    column: (i) => isOutside(at(i + 0.5, rows / 2)),
    row: (i) => isOutside(at(columns / 2, i + 0.5)),
  });
  if (!found) return undefined;
  const { x, y, strokes } = found;
  const tight: Quad = [at(x.start, y.start), at(x.end, y.start), at(x.end, y.end), at(x.start, y.end)];
  return { tight: alongLine(tight, vertical), strokes };
}

/** Which columns and rows of an ink map lie outside the image, where sampling repeats its border: not ink, though it looks like it. */
interface Outside {
  readonly column: (x: number) => boolean;
  readonly row: (y: number) => boolean;
}

/** Bounds of the ink around the kernel, which lies `marginX`, `marginY` pixels inside the map. */
function inkBounds(
  ink: InkMap,
  marginX: number,
  marginY: number,
  outside: Outside,
): { x: Span; y: Span; strokes: Strokes } | undefined {
  const { width, height } = ink;
  const y0 = Math.floor(marginY);
  const y1 = Math.max(y0 + 1, Math.ceil(height - marginY));
  const x0 = Math.floor(marginX);
  const x1 = Math.max(x0 + 1, Math.ceil(width - marginX));
  const contrast = inkContrast(ink, x0, x1, y0, y1);
  if (contrast < LOWEST_CONTRAST) return undefined;
  const level = INK_SHARE * contrast;
  const rowInk = rowShares(ink, level, x0, x1);
  const rowInkWhole = rowShares(ink, level, 0, width);
  const peak = Math.max(...rowInk.subarray(y0, y1));
  if (peak <= 0) return undefined;
  const floor = percentile(rowInk, 0.05);
  const wide = x1 - x0 > 2.5 * (y1 - y0);
  const ruled = (y: number): boolean =>
    wide ? (rowInk[y] as number) > RULE_SHARE && (rowInkWhole[y] as number) > 0.9 : (rowInkWhole[y] as number) > 0.9;
  const y = spread(
    (i) => (rowInk[i] as number) > Math.max(floor + ROW_SHARE * (peak - floor), 0.004),
    { start: y0, end: Math.min(y1, height) },
    Math.max(1, Math.floor((wide ? ROW_GAP : SHORT_ROW_GAP) * (y1 - y0))),
    height,
    (i) => outside.row(i) || ruled(i),
  );
  if (!y) return undefined;
  const lineHeight = y.end - y.start;
  const columnInk = columnShares(ink, level, y);
  const columnInkWhole = columnShares(ink, level, { start: 0, end: height });
  const x = spread(
    (i) => (columnInk[i] as number) > Math.max(0.5 / lineHeight, 0.02),
    { start: x0, end: Math.min(x1, width) },
    Math.max(1, Math.floor(COLUMN_GAP * lineHeight)),
    width,
    (i) => outside.column(i) || (columnInkWhole[i] as number) > RULE_SHARE,
  );
  if (!x || y.end - y.start < 2 || x.end - x.start < 2) return undefined;
  const strokes: Strokes = [
    strokeLength(ink, level, y.start, -1, lineHeight, x) / lineHeight,
    strokeLength(ink, level, y.end - 1, 1, lineHeight, x) / lineHeight,
  ];
  return { x, y, strokes };
}

/**
 * By how many rows the strokes that cross row `from` go on in the given direction: the longest of those that end in the
 * range of a descender's length.
 */
function strokeLength(
  { data, width, height }: InkMap,
  level: number,
  from: number,
  direction: 1 | -1,
  lineHeight: number,
  columns: Span,
): number {
  const right = Math.min(columns.end, width);
  const isInk = (x: number, y: number): boolean => x >= columns.start && x < right && data[y * width + x] > level;
  /** What of row `y` hangs together with `above`, at its corners too. */
  const below = (above: Span, y: number): Span | undefined => {
    let start = above.start - 1;
    while (start <= above.end && !isInk(start, y)) start++;
    if (start > above.end) return undefined;
    let end = above.end + 1;
    while (!isInk(end - 1, y)) end--;
    while (isInk(start - 1, y)) start--;
    while (isInk(end, y)) end++;
    return { start, end };
  };
  const limit = Math.floor(LONGEST_STROKE * lineHeight);
  let longest = 0;
  for (let x = columns.start; x < right; x++) {
    if (!isInk(x, from)) continue;
    const start = x;
    while (isInk(x + 1, from)) x++;
    let stroke: Span | undefined = { start, end: x + 1 };
    let y = from;
    do y += direction;
    while (y >= 0 && y < height && (stroke = below(stroke, y)));
    const length = Math.abs(y - from) - 1;
    if (!stroke && length <= limit) longest = Math.max(longest, length);
  }
  return longest >= LEAST_STROKE * lineHeight ? longest : 0;
}

/** Share of the pixels above `level` in each row within columns [x0, x1). */
function rowShares({ data, width, height }: InkMap, level: number, x0: number, x1: number): Float32Array {
  const to = Math.min(x1, width);
  const [source, counts] = reserve([data.length, 4 * height]);
  memory.set(data, source);
  kernels.countInRows(source, width, height, x0, to, Math.floor(level), counts);
  return sharesOf(counts, height, Math.max(1, to - x0));
}

/** Share of the pixels above `level` in each column within the given rows. */
function columnShares({ data, width }: InkMap, level: number, rows: Span): Float32Array {
  const [source, counts] = reserve([data.length, 4 * width]);
  memory.set(data, source);
  kernels.countInColumns(source, width, rows.start, rows.end, Math.floor(level), counts);
  return sharesOf(counts, width, rows.end - rows.start);
}

const sharesOf = (counts: number, length: number, of: number): Float32Array =>
  new Float32Array(new Uint32Array(memory.buffer, counts, length)).map((count) => count / of);

function percentile(values: Float32Array, share: number): number {
  const sorted = values.toSorted();
  const position = (sorted.length - 1) * share;
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return (sorted[low] as number) + ((sorted[high] as number) - (sorted[low] as number)) * (position - low);
}

/** First and last position inside `core` that is on, then extended outwards over gaps of at most `gap`, ending where `stop` says so and at the map's edges. */
function spread(
  on: (i: number) => boolean,
  core: Span,
  gap: number,
  limit: number,
  stop: (i: number) => boolean,
): Span | undefined {
  let start = core.start;
  while (start < core.end && !on(start)) start++;
  if (start >= core.end) return undefined;
  let end = core.end;
  while (!on(end - 1)) end--;
  for (let i = start - 1, empty = 0; i >= 0 && !stop(i); i--) {
    if (on(i)) {
      start = i;
      empty = 0;
    } else if (++empty > gap) break;
  }
  for (let i = end, empty = 0; i < limit && !stop(i); i++) {
    if (on(i)) {
      end = i + 1;
      empty = 0;
    } else if (++empty > gap) break;
  }
  return { start, end };
}
