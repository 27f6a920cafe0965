import type { ModelOutput } from './session.ts';

/** One decoded character. */
export interface DecodedCharacter {
  readonly character: string;
  /** Probability at its first time step, 0..1. */
  readonly probability: number;
  /** First time step of the character; a step is `STEP_WIDTH` pixels of the line image. */
  readonly step: number;
  /** Ink of each part of a dot or colon, from the lowest up, in pixels of the line image; see `dot-ink.ts`. */
  readonly dots?: readonly number[];
  /** Of a mark in a full-width cell of its own; see `mark-judge.ts`. */
  readonly cell?: MarkInCell;
}

/** What a mark looks like in its cell. */
export interface MarkInCell {
  /** Middle of its ink, in pixels of the line image from the beginning of the cell and from the top. */
  readonly x: number;
  readonly y: number;
  /** Probability of each mark of `MARKS` in `mark-judge.ts`. */
  readonly odds: readonly number[];
}

/** Pixels of a line image for each time step of the recognizer. */
export const STEP_WIDTH = 8;
/**
 * The recognizer sees a character in the step whose middle lies this far right of the character's own (median of 2,700
 * rendered ideographs, letters and digits; nine of ten within 4 px of it, which is half a step).
 */
const STEP_OFFSET = 1.5;

/** Pixel of the line image at the middle of a character that was decoded in this time step. */
export const characterMiddle = (step: number): number => (step + 0.5) * STEP_WIDTH - STEP_OFFSET;

/** Class 0 of the recognizer's output. */
export const BLANK = 0;

/**
 * Greedy CTC decoding (Graves et al. 2006): the likeliest class of each time step, repetitions merged, blanks removed.
 *
 * @param output probabilities of shape [1, steps, classes]
 * @param charset class index -> character, index 0 unused
 */
export function decodeCtc(output: ModelOutput, charset: readonly string[]): DecodedCharacter[] {
  const classes = output.dims.at(-1) ?? 0;
  const steps = classes === 0 ? 0 : output.data.length / classes;
  const characters: DecodedCharacter[] = [];
  let previous = BLANK;
  for (let step = 0; step < steps; step++) {
    const base = step * classes;
    const best = likeliest(output.data, base, classes, previous);
    const probability = output.data[base + best];
    if (best !== BLANK && best !== previous) characters.push({ character: charset[best] ?? '', probability, step });
    previous = best;
  }
  return characters;
}

/**
 * The likeliest class of a time step, the lowest one at a tie. Probabilities sum to 1, so that one over a half is the
 * largest: most steps are settled by the blank or by the class of the step before, most others before the end of the row.
 *
 * @param base index of the step's first class
 * @param hint class to look at first
 */
function likeliest(probabilities: Float32Array, base: number, classes: number, hint: number): number {
  if (probabilities[base] > 0.5) return BLANK;
  if (probabilities[base + hint] > 0.5) return hint;
  let best = 0;
  let highest = probabilities[base];
  for (let k = 1; k < classes; k++) {
    const probability = probabilities[base + k];
    if (probability <= highest) continue;
    best = k;
    highest = probability;
    if (highest > 0.5) break;
  }
  return best;
}
