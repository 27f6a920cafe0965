import { boundingBox, quadSize } from './geometry.ts';
import type { ReadLine } from './line-reading.ts';

/** Lowest confidence of a line (RapidOCR `text_score`). */
const MIN_CONFIDENCE = 0.5;
/** A single character has to be surer: most false positives are one character long. */
const MIN_CONFIDENCE_SINGLE = 0.62;
/** One or two characters without measurable ink, or on a page with hardly any text, and anything the size of the image. */
const MIN_CONFIDENCE_DOUBTFUL = 0.9;

/** Up to three characters where nothing else is text: wood and leaves were read as `785` and `lo[` with 0.72. */
const MIN_CONFIDENCE_ALONE = 0.8;
const SHORT = 3;

/** Pages with this many convincing lines or fewer have hardly any text. */
const HARDLY_ANY_TEXT = 3;
/** A line of at least two letters or digits read with this confidence shows that the page has text. */
const CONVINCING = 0.8;
/**
 * Drawn circles, boxes and strokes are read as these, and a few that overlap as a single character (品, 中), with up to 0.954
 * on 320 pictures without text.
 */
const SHAPES = /^[\s○〇□◇△▽●■◆▲▼☐O0oIl1|/\\\-—_=.·•〉〈<>]+$/u;
const MIN_CONFIDENCE_SHAPE = 0.97;
/** Where nothing else is text these are drawings, however surely they are read. */
const DRAWINGS = /^[\s○□◇△▽●■◆▲▼☐]+$/u;

/** Number of lines that can be nothing but text. */
export function countConvincing(lines: readonly ReadLine[]): number {
  return lines.filter(({ reading: { text, confidence } }) => {
    const letters = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
    return letters >= 2 && confidence >= CONVINCING && !SHAPES.test(text);
  }).length;
}

/** Whether a reading is text and not texture, a rule or a picture. `convincing` is `countConvincing` of the page's lines. */
export function isText(line: ReadLine, convincing: number, imageWidth: number, imageHeight: number): boolean {
  const { confidence } = line.reading;
  const length = [...line.reading.text.trim()].length;
  if (length === 0 || confidence < MIN_CONFIDENCE) return false;
  if (length === 1 && confidence < MIN_CONFIDENCE_SINGLE) return false;
  const maybeShape = length === 1 || SHAPES.test(line.reading.text);
  const { left, top, right, bottom } = boundingBox(line.tight);
  // A glyph larger than the picture is a tilted box around all of it: clouds were read as 5 with 0.99.
  if (length === 1 && right - left > imageWidth && bottom - top > imageHeight) return false;
  if (convincing === 0 && DRAWINGS.test(line.reading.text)) return false;
  if (convincing === 0 && length <= SHORT && confidence < MIN_CONFIDENCE_ALONE) return false;
  // One character says nothing about how a page lies, and a box with a gap is a C on its head.
  if (convincing === 0 && length === 1 && line.turns !== 0) return false;
  if (convincing === 0 && maybeShape && confidence < MIN_CONFIDENCE_SHAPE) return false;
  if (confidence >= MIN_CONFIDENCE_DOUBTFUL) return true;
  if (length <= 2 && (!line.region.hasInk || convincing <= HARDLY_ANY_TEXT)) return false;
  const { width, height } = quadSize(line.tight);
  if (Math.max(width, height) > 1.05 * Math.max(imageWidth, imageHeight)) return false;
  const share = (width * height) / (imageWidth * imageHeight);
  return !(length === 1 && share > 0.2) && !(length <= 3 && share > 0.5);
}
