import { characterSpans, inkedShares } from './character-quads.ts';
import { characterMiddle, type DecodedCharacter, STEP_WIDTH } from './ctc.ts';
import { IDEOGRAPH } from './ctc-marks.ts';
import { type InkMap, INK_SHARE, inkContrast, LOWEST_CONTRAST, measureInk, quantile } from './ink-map.ts';
import { LINE_HEIGHT } from './line-crop.ts';
import { median } from './median.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Session } from './session.ts';
import { recognizeText, toReading, type Reading } from './text-recognition.ts';

/**
 * Vertical text is read as a line that lies on its side, its characters with it. That is where its marks are lost: they stand
 * in another corner of their cell than in horizontal text, and on their side `、` and `，` change places. So the characters are
 * stood up and put side by side, marks where horizontal text has them, and read once more.
 */

/** Width of a cell of the new line in pixels: the ink of an ideograph is 30 px high in a line image, and cells touch nearly. */
const CELL = 33;
/** Margin in pixels before the first and behind the last cell, as line images have it. */
const MARGIN = 9;
/** Ink of no more than this many pixels either way is a mark... */
const LARGEST_MARK = 14;
/** ...and one so small and so near to the middle of its column is a middle dot, which stays there. */
const LARGEST_DOT = 7;
const CENTRAL = 4;
/** Where a mark goes in its cell: columns from the left, and the row under it. */
const MARK_LEFT = 4;
const MARK_BOTTOM = 40;

/** Brackets and dashes have forms of their own in vertical text, which on their side look as they do in horizontal text. */
const LYING = /^[\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Pd}…⋯～~|\s]$/u;
/** Quotation marks that a mark in the upper corner of its cell is read as. */
const RAISED_MARKS = "’‘'`´°";
/** What one mark in two parts is read as on its side. */
const HALVES = /^([，,。．.、：:；;·]{2}|[1lI|一—\-！!][．.。·])$/u;
/** What may be found where the lying reading has nothing, if it is read with this probability. */
const UNREAD_MARKS = '，。、：；！？';
const UNREAD_PROBABILITY = 0.5;
const ALPHANUMERIC = /^[A-Za-z0-9]$/;

/** Something in the column: its middle is in pixels of the lying line image. */
type Place = Pick<Cell, 'decoded' | 'stands' | 'middle'>;

/** Something in the column, and the rows of it that it takes. */
interface Cell {
  /** The character of the lying reading that it is; undefined for ink in which that has none. */
  readonly decoded: DecodedCharacter | undefined;
  /** Whether it can be stood up: a cell of its own, and no form of its own for vertical text. */
  readonly stands: boolean;
  readonly middle: number;
  readonly from: number;
  readonly to: number;
}

/** Distances in pitches: of letters and digits that lie, and of two characters with room for another one between them. */
const NARROW_PITCHES = 0.8;
const GAP_PITCHES = 1.6;
/** Inked columns of the lying line image that are more than a speck. */
const LEAST_INKED = 3;

/** Confidence of the new reading from which the characters stand upright; those of a page on its side do not. */
const UPRIGHT_CONFIDENCE = 0.8;

export interface StackedReading {
  /** The lying reading with the characters that the new one knows better; undefined where the text is not stacked. */
  readonly reading: Reading | undefined;
  /** Width of the line image that was read besides, in pixels; 0 for none. */
  readonly width: number;
}

/**
 * Reads vertical text again with its characters upright and side by side.
 *
 * @param lying line image of the column on its side, as `reading` was read in it
 * @param leastIdeographs in a column with fewer nothing is tried
 * @returns characters keep the time steps of `reading`
 */
export async function readStacked(
  lying: RgbImage,
  reading: Reading,
  session: Session,
  charset: readonly string[],
  leastIdeographs: number,
): Promise<StackedReading> {
  const { characters } = reading;
  if (characters.filter(({ character }) => IDEOGRAPH.test(character)).length < leastIdeographs) {
    return { reading: undefined, width: 0 };
  }
  const ink = measureInk(lying);
  const contrast = inkContrast(ink, 0, ink.width, 0, ink.height);
  if (contrast < LOWEST_CONTRAST) return { reading: undefined, width: 0 };
  const level = INK_SHARE * contrast;
  const cells = findCells(characters, ink, level);
  const standing = cells.filter(({ stands }) => stands);
  if (standing.length < leastIdeographs) return { reading: undefined, width: 0 };
  const row = standUp(lying, ink, level, standing);
  const upright = await recognizeText(row, session, charset);
  return { reading: merge(reading, cells, upright), width: row.width };
}

/** What stands in the column, from its beginning to its end. */
function findCells(characters: readonly DecodedCharacter[], ink: InkMap, level: number): Cell[] {
  const inked = inkedShares(ink, level);
  const placed = characters
    .filter(({ character }) => character.trim() !== '')
    .map((decoded) => ({ decoded, middle: characterMiddle(decoded.step) }));
  const pitch = lowerMedian(placed.slice(1).map(({ middle }, i) => middle - placed[i].middle)) ?? CELL;
  const isNarrow = (i: number): boolean =>
    [i - 1, i + 1].some(
      (j) =>
        ALPHANUMERIC.test(placed[j]?.decoded.character ?? '') &&
        Math.abs(placed[j].middle - placed[i].middle) < NARROW_PITCHES * pitch,
    );
  const read = placed.map(({ decoded, middle }, i) => {
    const { character } = decoded;
    const lies = LYING.test(character) && !RAISED_MARKS.includes(character);
    return { decoded, middle, stands: !lies && !(ALPHANUMERIC.test(character) && isNarrow(i)) };
  });
  const places = withUnread(read, inked, pitch);
  const spans = characterSpans(
    // Every mark has a whole cell here, however little of it is inked.
    places.map(({ decoded, middle }) => ({
      character: decoded === undefined || /\p{P}/u.test(decoded.character) ? UNREAD_MARKS[0] : decoded.character,
      middle,
    })),
    { start: 0, end: ink.width },
    inked,
  );
  const cells = places.map((place, i) => ({
    ...place,
    from: Math.floor(spans[i].start),
    to: Math.ceil(spans[i].end),
  }));
  return joinHalves(cells, pitch);
}

/** The lower of the two in the middle: a gap is no distance of characters. */
const lowerMedian = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];

/** On its side `；` is a dot and a comma, one behind the other, and `！` a bar and a dot: they are one mark. */
function joinHalves(cells: readonly Cell[], pitch: number): Cell[] {
  const whole: Cell[] = [];
  for (const cell of cells) {
    const before = whole.at(-1);
    const pair = (before?.decoded?.character ?? '') + (cell.decoded?.character ?? '');
    const isNear = before !== undefined && cell.middle - before.middle < NARROW_PITCHES * pitch;
    if (isNear && HALVES.test(pair)) whole[whole.length - 1] = { ...before, stands: true, to: cell.to };
    else whole.push(cell);
  }
  return whole;
}

/** Adds the places behind ideographs where there is room for a mark, and ink. */
function withUnread(read: readonly Place[], inked: Float32Array, pitch: number): Place[] {
  const places: Place[] = [];
  read.forEach((place, i) => {
    places.push(place);
    const next = read[i + 1];
    const end = next === undefined ? inked.length : next.middle - pitch / 2;
    const start = place.middle + pitch / 2;
    const isText = IDEOGRAPH.test(place.decoded?.character ?? '');
    if (!isText || (next !== undefined && next.middle - place.middle < GAP_PITCHES * pitch)) return;
    const columns = [];
    for (let x = Math.ceil(start); x < end; x++) if (inked[x] > 0) columns.push(x);
    if (columns.length < LEAST_INKED) return;
    places.push({ decoded: undefined, stands: true, middle: median(columns) });
  });
  return places;
}

/** The cells upright and side by side, on the colour of the paper. */
function standUp(lying: RgbImage, ink: InkMap, level: number, cells: readonly Cell[]): RgbImage {
  const width = 2 * MARGIN + CELL * cells.length;
  const row: RgbImage = { data: new Uint8Array(3 * width * LINE_HEIGHT), width, height: LINE_HEIGHT };
  const paper = paperColour(lying, ink, level);
  for (let i = 0; i < row.data.length; i++) row.data[i] = paper[i % 3];
  cells.forEach((cell, i) => {
    const bounds = inkBounds(ink, level, cell);
    if (bounds === undefined) return;
    const { left, right, top, bottom } = bounds;
    const isMark = right - left <= LARGEST_MARK && bottom - top <= LARGEST_MARK;
    const isDot =
      Math.max(right - left, bottom - top) <= LARGEST_DOT && Math.abs((left + right) / 2 - LINE_HEIGHT / 2) < CENTRAL;
    const cellLeft = MARGIN + i * CELL;
    const shiftX = isMark && !isDot ? cellLeft + MARK_LEFT - left : cellLeft + CELL / 2 - LINE_HEIGHT / 2;
    const shiftY = isMark && !isDot ? MARK_BOTTOM - bottom : LINE_HEIGHT / 2 - (top + bottom) / 2;
    const grown = {
      left: left - 2,
      right: right + 2,
      top: Math.max(top - 2, cell.from),
      bottom: Math.min(bottom + 2, cell.to),
    };
    copyUpright(lying, grown, row, Math.round(shiftX), Math.round(shiftY));
  });
  return row;
}

interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where the ink of a cell is in the upright column, which is `LINE_HEIGHT` wide: its x is the lying image's y from below. */
function inkBounds(ink: InkMap, level: number, { from, to }: Cell): Bounds | undefined {
  let [left, right, top, bottom] = [LINE_HEIGHT, 0, to, from];
  for (let y = 0; y < ink.height; y++) {
    for (let x = from; x < to; x++) {
      if (ink.data[y * ink.width + x] <= level) continue;
      left = Math.min(left, LINE_HEIGHT - 1 - y);
      right = Math.max(right, LINE_HEIGHT - y);
      top = Math.min(top, x);
      bottom = Math.max(bottom, x + 1);
    }
  }
  return right === 0 ? undefined : { left, right, top, bottom };
}

function copyUpright(
  lying: RgbImage,
  { left, right, top, bottom }: Bounds,
  row: RgbImage,
  dx: number,
  dy: number,
): void {
  for (let y = top; y < bottom; y++) {
    for (let x = Math.max(left, 0); x < Math.min(right, LINE_HEIGHT); x++) {
      const [toX, toY] = [x + dx, y + dy];
      if (toX < 0 || toX >= row.width || toY < 0 || toY >= row.height) continue;
      const source = 3 * ((LINE_HEIGHT - 1 - x) * lying.width + y);
      const target = 3 * (toY * row.width + toX);
      for (let channel = 0; channel < 3; channel++) row.data[target + channel] = lying.data[source + channel];
    }
  }
}

/** Median colour of what is not ink. */
function paperColour({ data }: RgbImage, ink: InkMap, level: number): [number, number, number] {
  const histograms = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)];
  let count = 0;
  for (let i = 0; i < ink.data.length; i++) {
    if (ink.data[i] > level / 2) continue;
    count++;
    histograms.forEach((histogram, channel) => histogram[data[3 * i + channel]]++);
  }
  const [red, green, blue] = histograms.map((histogram) => quantile(histogram, count / 2));
  return [red, green, blue];
}

/** The lying reading with what the upright one says better, if that shows that the characters stand upright. */
function merge(reading: Reading, cells: readonly Cell[], upright: Reading): Reading | undefined {
  const standing = cells.filter(({ stands }) => stands);
  const found = standing.map((): DecodedCharacter[] => []);
  for (const decoded of upright.characters) {
    if (decoded.character.trim() === '') continue;
    const i = Math.floor((characterMiddle(decoded.step) - MARGIN) / CELL);
    found[Math.min(standing.length - 1, Math.max(0, i))].push(decoded);
  }
  const sure = standing.flatMap(({ decoded }, i) =>
    decoded !== undefined && IDEOGRAPH.test(decoded.character)
      ? [found[i].length === 1 ? found[i][0].probability : 0]
      : [],
  );
  if (sure.reduce((sum, p) => sum + p, 0) / sure.length < UPRIGHT_CONFIDENCE) return undefined;
  const inCells = found.values();
  const characters = cells.flatMap((cell): DecodedCharacter[] => {
    const { decoded, middle } = cell;
    const [first, more] = cell.stands ? (inCells.next().value ?? []) : [];
    if (decoded === undefined) {
      if (first === undefined || more !== undefined || !isUnreadMark(first)) return [];
      return [{ character: first.character, probability: first.probability, step: Math.floor(middle / STEP_WIDTH) }];
    }
    if (first === undefined || more !== undefined) return [decoded];
    const { character, probability } = first;
    const isGlyph = [IDEOGRAPH, ALPHANUMERIC].some((kind) => kind.test(decoded.character));
    const isKnown = isGlyph && (probability < decoded.probability || !/[\p{L}\p{N}]/u.test(character));
    return [isKnown ? decoded : { character, probability, step: decoded.step }];
  });
  return toReading(characters, reading.width);
}

const isUnreadMark = ({ character, probability }: DecodedCharacter): boolean =>
  UNREAD_MARKS.includes(character) && probability >= UNREAD_PROBABILITY;
