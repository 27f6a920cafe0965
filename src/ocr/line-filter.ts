import { quadSize } from './geometry.ts';
import type { ReadLine } from './line-reading.ts';

/** Lowest confidence of a line (RapidOCR `text_score`). */
const MIN_CONFIDENCE = 0.5;
/** A single character has to be surer: most false positives are one character long. */
const MIN_CONFIDENCE_SINGLE = 0.62;
/** One or two characters without measurable ink, or on a page with hardly any text, and anything the size of the image. */
const MIN_CONFIDENCE_DOUBTFUL = 0.9;

/** Whether a reading is text and not texture, a rule or a picture. `lineCount` is the number of lines read on the page. */
export function isText(line: ReadLine, lineCount: number, imageWidth: number, imageHeight: number): boolean {
  const { confidence } = line.reading;
  const length = [...line.reading.text.trim()].length;
  if (length === 0 || confidence < MIN_CONFIDENCE) return false;
  if (length === 1 && confidence < MIN_CONFIDENCE_SINGLE) return false;
  if (confidence >= MIN_CONFIDENCE_DOUBTFUL) return true;
  if (length <= 2 && (!line.region.hasInk || lineCount <= 3)) return false;
  const { width, height } = quadSize(line.tight);
  if (Math.max(width, height) > 1.05 * Math.max(imageWidth, imageHeight)) return false;
  return !(length === 1 && width * height > 0.2 * imageWidth * imageHeight);
}
