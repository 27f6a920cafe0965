import type { ModelOutput } from './session.ts';

/** One decoded character. */
export interface DecodedCharacter {
  readonly character: string;
  /** Probability at its first time step, 0..1. */
  readonly probability: number;
  /** First time step of the character; a step is 8 pixels of the line image. */
  readonly step: number;
}

/** Class 0 of the recognizer's output. */
const BLANK = 0;

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
    let best = BLANK;
    let probability = output.data[base] as number;
    for (let k = 1; k < classes; k++) {
      const p = output.data[base + k] as number;
      if (p > probability) {
        best = k;
        probability = p;
      }
    }
    if (best !== BLANK && best !== previous) characters.push({ character: charset[best] ?? '', probability, step });
    previous = best;
  }
  return characters;
}
