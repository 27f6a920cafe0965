import type { ModelOutput } from './session.ts';

const classesByCharset = new WeakMap<readonly string[], Map<string, number>>();

/** Class index of a character, -1 where the charset has none. Remembered: a charset has 18,710 entries. */
export function classOf(character: string, charset: readonly string[]): number {
  const classes = classesByCharset.get(charset) ?? new Map<string, number>();
  classesByCharset.set(charset, classes);
  const known = classes.get(character);
  if (known !== undefined) return known;
  const k = charset.indexOf(character);
  classes.set(character, k);
  return k;
}

/**
 * Probability of a character at a time step, 0 for one that the charset does not have.
 *
 * @param output probabilities of shape [1, steps, classes]
 */
export function probabilityOf(
  character: string,
  step: number,
  { data, dims }: ModelOutput,
  charset: readonly string[],
): number {
  const k = classOf(character, charset);
  return k < 0 ? 0 : (data[step * (dims.at(-1) ?? 1) + k] ?? 0);
}
