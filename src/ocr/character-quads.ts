import { characterMiddle } from './ctc.ts';
import { distance, interpolate, turnQuad } from './geometry.ts';
import { type InkMap, INK_SHARE, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import { LINE_HEIGHT } from './line-crop.ts';
import type { ReadLine } from './line-reading.ts';
import type { Point, Quad } from './page.ts';
import type { RgbImage } from './rgb-image.ts';
import { sampleQuad } from './sample-quad.ts';

/**
 * How much a cut away from where two characters' widths let expect it counts against ink in the way: a cut at the centre
 * of either neighbour costs as much as this share of a column full of ink. On 2,862 rendered characters, clean and
 * blurred, 0.03 to 0.15 give the same; from 0.4 on boxes get worse.
 */
const DISPLACEMENT_COST = 0.1;

/** A stretch of a line image, in its pixels. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Where each character of a line stands. The time step of a character says where its middle is, to half a step; the
 * line is cut between neighbouring middles where there is least ink, and each piece is shrunk to its ink. Spaces get the
 * gap that is left between their neighbours.
 *
 * @param image the image that the line was read in
 * @param outline quad of the line in reading orientation: gives the top and the bottom of every character
 * @returns one quad for each of `line.reading.characters`, in image coordinates, from left to right without overlaps
 */
export function characterQuads(image: RgbImage, line: ReadLine, outline: Quad): Quad[] {
  const { characters, width } = line.reading;
  const crop = turnQuad(line.crop, line.turns);
  const place = placeIn(crop, width);
  const bounds: Span = { start: clamp(place(outline[0]), 0, width), end: clamp(place(outline[1]), 0, width) };
  const ink = columnInk(image, crop, width);
  const spans = characterSpans(
    characters.map(({ character, step }) => ({ character, middle: characterMiddle(step) })),
    bounds,
    ink,
  );
  const [a, b, c, d] = outline;
  const length = Math.max(bounds.end - bounds.start, 1e-6);
  return spans.map(({ start, end }) => {
    const from = (start - bounds.start) / length;
    const to = (end - bounds.start) / length;
    return [interpolate(a, b, from), interpolate(a, b, to), interpolate(d, c, to), interpolate(d, c, from)];
  });
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** Image coordinates -> pixels along the line image that was cut out of `crop`. */
function placeIn(crop: Quad, width: number): (point: Point) => number {
  const [origin, right] = crop;
  const length = distance(origin, right) || 1;
  const ux = (right.x - origin.x) / length;
  const uy = (right.y - origin.y) / length;
  return ({ x, y }) => (((x - origin.x) * ux + (y - origin.y) * uy) / length) * width;
}

/** Share of inked pixels of every column of the line image, 0..1; all 0 where the line has no contrast. */
function columnInk(image: RgbImage, crop: Quad, width: number): Float32Array {
  const ink = measureInk(sampleQuad(image, crop, width, LINE_HEIGHT, 'linear'));
  const contrast = inkContrast(ink, 0, width, 0, LINE_HEIGHT);
  return contrast < LOWEST_CONTRAST ? new Float32Array(width) : inkedShares(ink, INK_SHARE * contrast);
}

/** Share of the pixels above `level` in every column, 0..1: what `characterSpans` cuts by. */
export function inkedShares({ data, width, height }: InkMap, level: number): Float32Array {
  const shares = new Float32Array(width);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) if (data[i] > level) shares[x] += 1 / height;
  }
  return shares;
}

/** A character and the pixel of the line image at its middle. */
export interface PlacedCharacter {
  readonly character: string;
  readonly middle: number;
}

/**
 * Cuts a line into its characters.
 *
 * @param bounds where the line begins and ends
 * @param ink share of ink of each column of the line image
 * @returns spans in the order of the characters, each at least half a pixel wide unless the line has no room
 */
export function characterSpans(characters: readonly PlacedCharacter[], bounds: Span, ink: Float32Array): Span[] {
  const visible = characters.flatMap(({ character, middle }, index) =>
    character.trim() === ''
      ? []
      : [{ index, middle: clamp(middle, bounds.start, bounds.end), size: sizeOf(character) }],
  );
  const cuts = [bounds.start];
  for (const [i, { middle, size }] of visible.entries()) {
    const next = visible[i + 1];
    if (next === undefined) break;
    const expected = middle + ((next.middle - middle) * size) / (size + next.size);
    cuts.push(clamp(cutBetween(middle, next.middle, expected, ink), cuts[i], bounds.end));
  }
  cuts.push(bounds.end);
  const spans: (Span | undefined)[] = characters.map(() => undefined);
  visible.forEach(({ index }, i) => {
    spans[index] = shrinkToInk({ start: cuts[i], end: cuts[i + 1] }, ink);
  });
  return fillSpaces(spans, bounds);
}

/** Column with the least ink between two middles, the nearer to `expected` the better; of several the middle one. */
function cutBetween(from: number, to: number, expected: number, ink: Float32Array): number {
  const half = Math.max((to - from) / 2, 1);
  let best = expected;
  let least = Infinity;
  for (let x = Math.ceil(from); x <= Math.floor(to); x++) {
    const cost = (ink[Math.min(x, ink.length - 1)] ?? 0) + (DISPLACEMENT_COST * Math.abs(x + 0.5 - expected)) / half;
    if (cost >= least) continue;
    least = cost;
    best = x + 0.5;
  }
  return best;
}

/** The inked part of a span; the whole span where nothing is inked. */
function shrinkToInk(span: Span, ink: Float32Array): Span {
  let start = Math.floor(span.start);
  let end = Math.ceil(span.end);
  while (start < end && !((ink[start] ?? 0) > 0)) start++;
  while (end > start && !((ink[end - 1] ?? 0) > 0)) end--;
  return start < end ? { start: Math.max(start, span.start), end: Math.min(end, span.end) } : span;
}

/** Spaces in a row share the gap between what stands before and after them. */
function fillSpaces(spans: readonly (Span | undefined)[], bounds: Span): Span[] {
  return spans.map((span, i) => {
    if (span !== undefined) return span;
    let first = i;
    while (first > 0 && spans[first - 1] === undefined) first--;
    let last = i;
    while (last < spans.length - 1 && spans[last + 1] === undefined) last++;
    const start = spans[first - 1]?.end ?? bounds.start;
    const end = spans[last + 1]?.start ?? bounds.end;
    const each = (end - start) / (last - first + 1);
    return { start: start + (i - first) * each, end: start + (i - first + 1) * each };
  });
}

/** East Asian wide characters fill a cell; of the others only the proportions among each other matter here. */
const WIDE = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u;
const NARROW = /^[iljtfrI1|!.,:;'"`()[\]{}]/;

const sizeOf = (character: string): number => (WIDE.test(character) ? 1 : NARROW.test(character) ? 0.3 : 0.55);
