import { BLANK, type DecodedCharacter } from './ctc.ts';
import type { ModelOutput } from './session.ts';

/**
 * Probability of a symbol from which it is there although the blank is likelier. Of what lost to the blank alone in its
 * gap with 0.15 to 0.5 on the development sets and 88 pages drawn by a browser, all four symbols with 0.3 and more were there (`●`, `©`,
 * `☑`), and none of two with less; letters, digits and ideographs mostly were not, whatever they had.
 */
const SYMBOL_EVIDENCE = 0.3;
/** The blank leaves so much room in a step where a symbol may be. */
const MOST_BLANK = 1 - SYMBOL_EVIDENCE;
/** Bullets, signs and ticks; marks have a rule of their own (`ctc-marks.ts`). */
const SYMBOL = /^\p{So}$/u;

/**
 * Adds symbols that narrowly lost to the blank in a gap of the text: small or rare ones, which greedy decoding drops.
 *
 * @param characters what greedy decoding gave for `output`
 * @param output probabilities of shape [1, steps, classes]
 * @param charset class index -> character
 */
export function addFaintSymbols(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
): readonly DecodedCharacter[] {
  const classes = output.dims.at(-1) ?? 0;
  const steps = classes === 0 ? 0 : output.data.length / classes;
  const taken = new Set(characters.flatMap(({ character, step }) => (character === ' ' ? [] : [step])));
  const found: DecodedCharacter[] = [];
  for (let step = 0; step < steps; step++) {
    if (output.data[step * classes + BLANK] > MOST_BLANK) continue;
    if ([step - 1, step, step + 1].some((near) => taken.has(near))) continue;
    const symbol = symbolAt(step, output, classes, charset);
    if (symbol === undefined) continue;
    found.push(symbol);
    taken.add(step);
  }
  if (found.length === 0) return characters;
  const replaced = new Set(found.map(({ step }) => step));
  return [...characters.filter(({ step }) => !replaced.has(step)), ...found].sort((a, b) => a.step - b.step);
}

/** The likeliest of all classes but the blank and the space, if it is a symbol with enough evidence. */
function symbolAt(
  step: number,
  { data }: ModelOutput,
  classes: number,
  charset: readonly string[],
): DecodedCharacter | undefined {
  let best = 0;
  let probability = 0;
  for (let k = BLANK + 1; k < classes; k++) {
    const p = data[step * classes + k] ?? 0;
    if (p > probability && charset[k] !== ' ') [best, probability] = [k, p];
  }
  const character = charset[best] ?? '';
  return probability >= SYMBOL_EVIDENCE && SYMBOL.test(character) ? { character, probability, step } : undefined;
}
