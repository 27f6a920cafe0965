import { probabilityOf } from './class-probability.ts';
import { characterMiddle, type DecodedCharacter, STEP_WIDTH } from './ctc.ts';
import { IDEOGRAPH, ideographPitch } from './ctc-marks.ts';
import { inkContrast, measureInk } from './ink-map.ts';
import { LINE_HEIGHT } from './line-crop.ts';
import { markShape, SHAPE_SIZE } from './mark-shape.ts';
import type { RgbImage } from './rgb-image.ts';
import type { ModelOutput } from './session.ts';

/** Forms of one mark that the charset has. */
const FORMS: readonly string[] = ['，,', '。', '、', '：:', '；;', '·', '.．'];
/** Those that are judged: a dot in the middle or on the line may also be a name's, a number's or a list's. */
const JUDGED = '，,。、：:；;';
/** Values that describe a cell: its shape, the logarithm of the probability of each mark and of the blank, whether the line ends there. */
export const CELL_SIZE = SHAPE_SIZE + FORMS.length + 2;

/** A mark has a full-width cell where so many pitches lie between the ideograph before it and what follows... */
const PITCHES = 1.5;
/** ...or the end of the line image. */
const LAST_PITCHES = 0.9;
/** Pixels that a cell reaches into its neighbours, so that their edges can be told from a mark. */
const OVERLAP = 4;
/** Keeps the logarithm of nothing in bounds. */
const LEAST_PROBABILITY = 1e-3;

/** A full-width cell behind an ideograph in which a mark was read. */
export interface MarkCell {
  /** Of the mark among the characters. */
  readonly index: number;
  readonly values: Float64Array;
}

/**
 * Finds the marks behind ideographs that have a full-width cell, and describes each cell.
 *
 * @param output probabilities of shape [1, steps, classes]
 * @param line the line image that `output` was read in
 */
export function markCells(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
  line: RgbImage,
): MarkCell[] {
  const pitch = ideographPitch(characters);
  if (pitch === undefined) return [];
  const steps = output.data.length / (output.dims.at(-1) ?? 1);
  const found = characters.flatMap(({ character }, index) => {
    const before = characters[index - 1];
    if (!JUDGED.includes(character) || before === undefined || !IDEOGRAPH.test(before.character)) return [];
    const after = characters[index + 1];
    const end = after?.step ?? steps;
    const room = after === undefined ? LAST_PITCHES : PITCHES;
    return end - before.step < room * pitch ? [] : [{ index, start: before.step, end, isLast: after === undefined }];
  });
  if (found.length === 0) return [];
  const ink = measureInk(line);
  const contrast = inkContrast(ink, 0, line.width, 0, LINE_HEIGHT);
  return found.map(({ index, start, end, isLast }) => {
    const middle = characterMiddle(start);
    const left = Math.max(0, Math.round(middle + (pitch / 2) * STEP_WIDTH) - OVERLAP);
    const right = Math.min(line.width, left + pitch * STEP_WIDTH + 2 * OVERLAP);
    const values = new Float64Array(CELL_SIZE);
    values.set(markShape(ink, contrast, left, right));
    values.set(evidence(start + 1, end, output, charset), SHAPE_SIZE);
    values[CELL_SIZE - 1] = isLast ? 1 : 0;
    return { index, values };
  });
}

/** Logarithm of the most that each mark has in one of the time steps, and of the least that the blank has. */
function evidence(from: number, end: number, output: ModelOutput, charset: readonly string[]): number[] {
  const most = FORMS.map(() => 0);
  let blank = 1;
  const classes = output.dims.at(-1) ?? 1;
  for (let step = from; step < end; step++) {
    FORMS.forEach((forms, i) => {
      for (const form of forms) most[i] = Math.max(most[i] ?? 0, probabilityOf(form, step, output, charset));
    });
    blank = Math.min(blank, output.data[step * classes] ?? 0);
  }
  return [...most, blank].map((probability) => Math.log(probability + LEAST_PROBABILITY));
}
