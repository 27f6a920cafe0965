import { characterMiddle, type DecodedCharacter, STEP_WIDTH } from './ctc.ts';
import { INK_SHARE, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import { LINE_HEIGHT } from './line-crop.ts';
import { runAt } from './mark-widths.ts';
import type { RgbImage } from './rgb-image.ts';

const DASH = '—';
/** Rows of a line image between which a dash lies; a column of one has no ink above and below. */
const TOP = 15;
const BOTTOM = 34;
/**
 * Length of its ink in pixels from which a dash is two. The ideographs of a line image are 30 px high, and a dash is about as long: 50
 * single ones on 16 rendered pages in eight fonts have 24 to 36. Two that touch have 52 and more.
 */
const LENGTH_OF_TWO = 44;

/**
 * `——` is one stroke over two cells in many fonts, and is read as one dash then. Its length says that it is two.
 *
 * @param line the line image that `characters` were read in
 */
export function doubleLongDashes(characters: readonly DecodedCharacter[], line: RgbImage): readonly DecodedCharacter[] {
  if (!characters.some(({ character }) => character === DASH)) return characters;
  const dashed = dashedColumns(line);
  return characters.flatMap((decoded, i) => {
    const alone = [characters[i - 1], characters[i + 1]].every((beside) => beside?.character !== DASH);
    if (decoded.character !== DASH || !alone) return [decoded];
    const length = runAround(dashed, characterMiddle(decoded.step));
    return length < LENGTH_OF_TWO ? [decoded] : [decoded, { ...decoded, step: decoded.step + 1 }];
  });
}

/** For each column whether all of its ink, and there is some, lies where a dash has it. */
function dashedColumns(line: RgbImage): boolean[] {
  const ink = measureInk(line);
  const contrast = inkContrast(ink, 0, ink.width, 0, ink.height);
  if (contrast < LOWEST_CONTRAST) return [];
  return Array.from({ length: ink.width }, (_, x) => {
    let inside = false;
    for (let y = 0; y < LINE_HEIGHT; y++) {
      if (ink.data[y * ink.width + x] <= INK_SHARE * contrast) continue;
      if (y < TOP || y >= BOTTOM) return false;
      inside = true;
    }
    return inside;
  });
}

/** Length of the run of dashed columns that lies within two time steps of a place. */
function runAround(dashed: readonly boolean[], middle: number): number {
  let longest = 0;
  for (let x = Math.round(middle - 2 * STEP_WIDTH); x <= middle + 2 * STEP_WIDTH; x++) {
    if (dashed[x] !== true) continue;
    const [start, end] = runAt(dashed, x);
    longest = Math.max(longest, end - start);
    x = end;
  }
  return longest;
}
