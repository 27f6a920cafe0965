import type { DecodedCharacter } from './ctc.ts';
import { inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { RgbImage } from './rgb-image.ts';

/** Two strokes that meet in a point: what the recognizer takes for one another where the glyph stands alone. */
const CHEVRONS = 'VvＶｖ∨<>＜＞‹›〈〉∧^';
/** Share of the contrast from which a pixel is ink. */
const INK_SHARE = 0.4;
/**
 * How steadily the strokes have to move apart (correlation of their distance with the place, -1..1). Of 288 rendered `<` and `>`
 * (all fonts at hand, 14 to 40 px) 281 have more, and none of 288 `V` and `v`.
 */
const STEADY = 0.9;

/**
 * Says which way a lone chevron points: the `>` at the end of a row of a menu is a `V` to the recognizer, with 0.94.
 * Everything that is not one glyph of two strokes that meet to the left or to the right stays as it is.
 *
 * @param line the line image that `characters` were read in
 */
export function turnChevron(characters: readonly DecodedCharacter[], line: RgbImage): readonly DecodedCharacter[] {
  const [only] = characters;
  if (characters.length !== 1 || !CHEVRONS.includes(only.character)) return characters;
  const apart = strokeDistances(line);
  if (apart === undefined) return characters;
  const opening = correlation(apart);
  if (Math.abs(opening) < STEADY) return characters;
  const points = opening < 0 ? '>' : '<';
  const same = (opening < 0 ? '>＞›〉' : '<＜‹〈').includes(only.character);
  return same ? characters : [{ ...only, character: points }];
}

/** For each column of the glyph the distance from its highest to its lowest ink; nothing where there is no contrast. */
function strokeDistances(line: RgbImage): number[] | undefined {
  const ink = measureInk(line);
  const contrast = inkContrast(ink, 0, ink.width, 0, ink.height);
  if (contrast < LOWEST_CONTRAST) return undefined;
  return Array.from({ length: ink.width }, (_, x) => {
    const inked = Array.from({ length: ink.height }, (_, y) => y).filter(
      (y) => ink.data[y * ink.width + x] > INK_SHARE * contrast,
    );
    return inked.length === 0 ? undefined : (inked.at(-1) ?? 0) - inked[0];
  }).filter((distance) => distance !== undefined);
}

/** Pearson's correlation of values with their indexes. */
function correlation(values: readonly number[]): number {
  const meanOf = (some: readonly number[]): number => some.reduce((sum, value) => sum + value, 0) / some.length;
  const [middle, mean] = [(values.length - 1) / 2, meanOf(values)];
  let [xy, xx, yy] = [0, 0, 0];
  values.forEach((value, i) => {
    xy += (i - middle) * (value - mean);
    xx += (i - middle) ** 2;
    yy += (value - mean) ** 2;
  });
  return xy / (Math.sqrt(xx * yy) || 1);
}
