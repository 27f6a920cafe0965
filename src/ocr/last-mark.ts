import { STEP_WIDTH } from './ctc.ts';
import { boundingBox, distance, interpolate, overlapOfSmaller, quadSize, turnQuad } from './geometry.ts';
import { type InkMap, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { Quad, QuarterTurns } from './page.ts';
import type { RgbImage } from './rgb-image.ts';
import { sampleQuad } from './sample-quad.ts';
import { type Reading, toReading } from './text-recognition.ts';

/**
 * A full-width mark stands up to most of a cell behind the last glyph of its line, where neither the detector's kernel
 * nor the search for ink reaches: on rendered pages (nine fonts, 11 to 28 px) every tenth line that ends in one lost it.
 * All lengths are in line heights.
 */
const FARTHEST_MARK = 1.3;
/** Two marks may stand there: `）：`, `！”`. */
const MOST_MARKS = 2;
/** Marks are no wider than this, and nothing follows one for at least `CLEAR`. */
const WIDEST_MARK = 0.55;
const CLEAR = 0.3;
/** Loose pixels so near to each other are one mark. */
const PART_GAP = 0.12;
/** Ink that reaches this far above or below the line is no mark of it. */
const OVERHANG = 1 / 3;
/** Square line heights of ink: the smallest comma of the pages has 0.01. */
const LEAST_INK = 0.006;
/** A small mark is fainter than the strokes of its line: share of their contrast from which a pixel belongs to it. */
const MARK_INK_SHARE = 0.3;
/** How much of the line's end is looked at to know the contrast of its strokes. */
const LOOKED_AT = 3;
/** Pixels for one line height. */
const MEASURED_HEIGHT = 24;

/** What may be read there: specks and the beginnings of other text are read as something else, if as anything. */
const LAST_MARKS = '，。、；：！？,.;:!?．';
/** One of two marks is one of these. */
const CLOSING_MARKS = '）)】》」』”’';
/** Behind a line without ideographs: no dots and commas, which specks are read as too. */
const LAST_LATIN_MARKS = ';:{}[]()!?"';
const LEAST_LATIN_PROBABILITY = 0.8;
/** A speck is read as a mark with less: what is read with 0.07 on a fax page is one. */
const LEAST_PROBABILITY = 0.3;

/**
 * Looks behind the end of a line for marks that stand alone.
 *
 * @param tight ink-tight quad of the line, in image coordinates
 * @param turns in which direction the line is going to be read
 * @param others tight quads of other lines, which no mark may lie on
 * @returns the quad with the marks, or undefined where there is nothing that could be one
 */
export function extendToMark(
  image: RgbImage,
  tight: Quad,
  turns: QuarterTurns,
  others: readonly Quad[],
): Quad | undefined {
  const rest = others.filter((other) => other !== tight);
  let line = turnQuad(tight, turns);
  let marks = 0;
  for (; marks < MOST_MARKS; marks++) {
    const longer = withNextMark(image, line, rest);
    if (longer === undefined) break;
    line = longer;
  }
  return marks === 0 ? undefined : turnQuad(line, ((4 - turns) & 3) as QuarterTurns);
}

/** A line in reading orientation with the mark behind it, if there is one. */
function withNextMark(image: RgbImage, line: Quad, others: readonly Quad[]): Quad | undefined {
  const { width, height } = quadSize(line);
  if (height < 4 || width < 0.5 * height) return undefined;
  const before = Math.min(width, LOOKED_AT * height);
  const scale = MEASURED_HEIGHT / height;
  const columnsBeyond = Math.ceil((FARTHEST_MARK + WIDEST_MARK + CLEAR) * MEASURED_HEIGHT);
  const beyond = columnsBeyond / scale;
  const strip = part(line, 1 - before / width, 1 + beyond / width, -OVERHANG, 1 + OVERHANG);
  const end = Math.round(before * scale);
  const columns = end + columnsBeyond;
  const rows = Math.round((1 + 2 * OVERHANG) * MEASURED_HEIGHT);
  const ink = measureInk(sampleQuad(image, strip, columns, rows, 'linear'));
  const markEnd = findMark(ink, end);
  if (markEnd === undefined) return undefined;
  const newEnd = 1 + (markEnd - end) / scale / width;
  const added = boundingBox(part(line, 1, newEnd, 0, 1));
  if (others.some((other) => overlapOfSmaller(added, boundingBox(other)) > 0)) return undefined;
  return part(line, 0, newEnd, 0, 1);
}

/** The part of a rectangle between shares of its width and height, which may lie outside of 0..1. */
function part([a, b, c, d]: Quad, left: number, right: number, top: number, bottom: number): Quad {
  const at = (u: number, v: number) => interpolate(interpolate(a, b, u), interpolate(d, c, u), v);
  return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
}

/** Column behind the mark, if the first ink behind column `end` looks like one. */
function findMark(ink: InkMap, end: number): number | undefined {
  const columns = ink.width;
  const overhang = Math.round(OVERHANG * MEASURED_HEIGHT);
  const contrast = inkContrast(ink, 0, end, overhang, ink.height - overhang);
  if (contrast < LOWEST_CONTRAST) return undefined;
  const level = MARK_INK_SHARE * contrast;
  const inked = (x: number): number => {
    let count = 0;
    for (let y = 0; y < ink.height; y++) if (ink.data[y * ink.width + x] > level) count++;
    return count;
  };
  let x = end;
  while (x < columns && inked(x) > 0) x++; // the soft edge of the last glyph
  while (x < columns && inked(x) === 0) x++;
  const start = x;
  if (start >= columns || start - end > FARTHEST_MARK * MEASURED_HEIGHT) return undefined;
  let markEnd = start;
  let area = 0;
  for (; x < columns && x - markEnd <= CLEAR * MEASURED_HEIGHT; x++) {
    const count = inked(x);
    if (count === 0) continue;
    if (x - markEnd > PART_GAP * MEASURED_HEIGHT) return undefined; // something follows
    area += count;
    markEnd = x + 1;
  }
  if (markEnd - start > WIDEST_MARK * MEASURED_HEIGHT || area < LEAST_INK * MEASURED_HEIGHT ** 2) return undefined;
  const touches = [0, ink.height - 1].some((y) => {
    for (let i = start; i < markEnd; i++) if (ink.data[y * ink.width + i] > level) return true;
    return false;
  });
  return touches ? undefined : markEnd;
}

const IDEOGRAPH = /\p{Script=Han}/u;

/**
 * Keeps what was read behind the old end of a line only if it is a mark or two.
 *
 * @param reading of the extended line
 * @param crop what was cut out for the reading, in reading orientation
 * @param line the line as it was, in reading orientation
 */
export function keepMark(reading: Reading, crop: Quad, line: Quad): { reading: Reading; kept: boolean } {
  const end = (distance(crop[0], line[1]) / (distance(crop[0], crop[1]) || 1)) * reading.width;
  const behind = reading.characters.filter(({ step }) => (step + 0.5) * STEP_WIDTH > end);
  const visible = behind.filter(({ character }) => character.trim() !== '');
  if (behind.length === 0) return { reading, kept: false };
  const [marks, least] = IDEOGRAPH.test(reading.text)
    ? [LAST_MARKS + CLOSING_MARKS, LEAST_PROBABILITY]
    : [LAST_LATIN_MARKS, LEAST_LATIN_PROBABILITY];
  const areMarks = visible.every(({ character, probability }) => marks.includes(character) && probability >= least);
  const closes = visible.some(({ character }) => CLOSING_MARKS.includes(character));
  const few = visible.length === 1 || (visible.length === MOST_MARKS && closes);
  if (few && areMarks) return { reading, kept: true };
  const characters = reading.characters.filter((character) => !behind.includes(character));
  return { reading: toReading(characters, reading.width), kept: false };
}
