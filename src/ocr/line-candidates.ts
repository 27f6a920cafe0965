import { quadSize, sliceQuad, turnQuad } from './geometry.ts';
import { INK_SHARE, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { Quad } from './page.ts';
import type { RgbImage } from './rgb-image.ts';
import { sampleQuad } from './sample-quad.ts';
import type { TextRegion } from './text-detection.ts';

/** A region (or a part of one) that is going to be read as one line. */
export interface LineCandidate {
  readonly region: TextRegion;
  /** Ink-tight quad in image coordinates. */
  readonly tight: Quad;
  /** Whether the line runs along the quad's second side: vertical text, or a sideways page. */
  readonly tall: boolean;
  /** A tall box so short that it may as well be one or two upright glyphs. */
  readonly ambiguous: boolean;
  /** Whether it was cut from a column of single characters. */
  readonly split: boolean;
  /** Height of the text across the reading direction, in image pixels. */
  readonly em: number;
}

/** Whether most text of the page runs along the image's vertical: a page lying on its side. Only long boxes vote. */
export function isSideways(regions: readonly TextRegion[]): boolean {
  let tall = 0;
  let wide = 0;
  for (const { tight } of regions) {
    const { width, height } = quadSize(tight);
    if (height > 2 * width) tall += height;
    if (width > 2 * height) wide += width;
  }
  return tall > 2 * wide;
}

/** Tall boxes that hold single characters far apart (a table column) become one candidate a character. */
export function lineCandidates(image: RgbImage, regions: readonly TextRegion[], sideways: boolean): LineCandidate[] {
  return regions.flatMap((region) => {
    const parts = sideways
      ? splitColumn(image, turnQuad(region.tight, 1)).map((part) => turnQuad(part, 3))
      : splitColumn(image, region.tight);
    return parts.map((tight) => candidate(region, tight, parts.length > 1, sideways));
  });
}

function candidate(region: TextRegion, tight: Quad, split: boolean, sideways: boolean): LineCandidate {
  const loose = quadSize(split ? tight : region.loose);
  const { width, height } = quadSize(tight);
  const longTall = height >= 1.5 * width && (sideways || loose.height >= 1.5 * loose.width) && !split;
  let tall = longTall || (split && sideways);
  const ambiguous = tall && loose.height < 2.6 * loose.width && !sideways;
  let em = tall && !ambiguous ? width : height;
  if (split) em = Math.max(width, height);
  if (!split) {
    // Ink alone understates the height of a line of dashes or dots; the kernel knows better.
    const kernel = quadSize(region.kernel);
    em = Math.max(em, 0.9 * Math.min(kernel.width, kernel.height));
  }
  // On a sideways page nearly square boxes read along the page's direction.
  if (sideways && !tall && width / Math.max(1, height) < 1.5) tall = true;
  return { region, tight, tall, ambiguous, split, em };
}

/** A box is looked at for single characters from this ratio of height to width on. */
const COLUMN_RATIO = 1.6;
/** Widths: gaps of one glyph's parts, of two glyphs, and the tallest glyph. */
const GLYPH_PART_GAP = 0.22;
const CHARACTER_GAP = 0.45;
const TALLEST_GLYPH = 1.35;
/** The column is measured at no more than this width. */
const MEASURED_WIDTH = 24;

/** Cuts a tall quad at its gaps if it holds nothing but single characters far apart, otherwise gives it back whole. */
function splitColumn(image: RgbImage, tight: Quad): Quad[] {
  const size = quadSize(tight);
  if (size.height < COLUMN_RATIO * size.width) return [tight];
  const scale = Math.min(1, MEASURED_WIDTH / Math.max(size.width, 1));
  const width = Math.max(4, Math.round(size.width * scale));
  const height = Math.max(4, Math.round(size.height * scale));
  const glyphs = inkRuns(sampleQuad(image, tight, width, height, 'linear'), GLYPH_PART_GAP * width);
  if (glyphs.length < 2) return [tight];
  const tallest = Math.max(...glyphs.map(([from, to]) => to - from));
  const narrowestGap = Math.min(...glyphs.slice(1).map(([from], i) => from - (glyphs[i] as [number, number])[1]));
  if (tallest > TALLEST_GLYPH * width || narrowestGap < CHARACTER_GAP * width) return [tight];
  return glyphs.map(([from, to]) => sliceQuad(tight, from / height, to / height));
}

/** Rows of a crop that hold ink, as [first, end) runs; gaps under `bridge` rows are closed. */
function inkRuns(crop: RgbImage, bridge: number): [number, number][] {
  const ink = measureInk(crop);
  const contrast = inkContrast(ink, 0, ink.width, 0, ink.height);
  if (contrast < LOWEST_CONTRAST) return [];
  const runs: [number, number][] = [];
  for (let y = 0; y < ink.height; y++) {
    let inked = 0;
    for (let x = 0; x < ink.width; x++) if ((ink.data[y * ink.width + x] as number) > INK_SHARE * contrast) inked++;
    if (inked <= 0.03 * ink.width) continue;
    const last = runs.at(-1);
    if (last && (y - last[1] < bridge || y === last[1])) last[1] = y + 1;
    else runs.push([y, y + 1]);
  }
  return runs;
}
