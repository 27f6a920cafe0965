import { findComponents, type Component } from './connected-components.ts';
import { characterMiddle, type DecodedCharacter } from './ctc.ts';
import { INK_SHARE, type InkMap, inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { RgbImage } from './rgb-image.ts';

/** Characters that are one dot, or two one above the other. */
const ONE_DOT = '.．·';
const TWO_DOTS = ':：';
/** Pixels of the line image between a dot and where its time step says that it is: one step, and a little for rounding. */
const REACH = 9;
/** No dot is larger, in pixels of the line image (an ideograph has about 30); what is belongs to another character. */
const LARGEST = 16;

/** Whether a character is a single dot. */
export const isDot = (character: string): boolean => ONE_DOT.includes(character);
/** Whether a character is two dots, one above the other. */
export const isColon = (character: string): boolean => TWO_DOTS.includes(character);

interface Part {
  /** Pixels of the line image, those of half the contrast counted half. */
  readonly area: number;
  readonly middle: number;
  readonly bottom: number;
}

/**
 * Notes with each dot and each colon how much ink it has. A part of the ink belongs to the nearest of them.
 *
 * @param line the line image that the characters were read in
 * @returns the characters, dots and colons with `dots`; unchanged where the line has none, or no contrast
 */
export function measureDots(characters: readonly DecodedCharacter[], line: RgbImage): readonly DecodedCharacter[] {
  const places = characters.flatMap(({ character, step }, index) =>
    isDot(character) || isColon(character) ? [{ index, middle: characterMiddle(step) }] : [],
  );
  if (places.length === 0) return characters;
  const ink = measureInk(line);
  const contrast = inkContrast(ink, 0, line.width, 0, line.height);
  if (contrast < LOWEST_CONTRAST) return characters;
  const found = new Map<number, Part[]>(places.map(({ index }) => [index, []]));
  for (const part of smallParts(ink, contrast)) {
    const nearest = places.reduce((best, place) =>
      Math.abs(place.middle - part.middle) < Math.abs(best.middle - part.middle) ? place : best,
    );
    if (Math.abs(nearest.middle - part.middle) < REACH) found.get(nearest.index)?.push(part);
  }
  return characters.map((decoded, index) => {
    const parts = found.get(index);
    if (parts === undefined) return decoded;
    return { ...decoded, dots: parts.sort((a, b) => b.bottom - a.bottom).map(({ area }) => area) };
  });
}

function smallParts(ink: InkMap, contrast: number): Part[] {
  const level = INK_SHARE * contrast;
  const mask = ink.data.map((value) => (value > level ? 1 : 0));
  return findComponents(mask, ink.width, ink.height).flatMap((component) => {
    const part = measurePart(component, ink, contrast);
    return part === undefined ? [] : [part];
  });
}

/** What a dot would be; nothing where the component is larger than any dot. */
function measurePart({ top, extents }: Component, ink: InkMap, contrast: number): Part | undefined {
  const rows = extents.length / 2;
  if (rows > LARGEST) return undefined;
  let [area, sumX, left, right] = [0, 0, ink.width, 0];
  for (let i = 0; i < rows; i++) {
    left = Math.min(left, extents[2 * i]);
    right = Math.max(right, extents[2 * i + 1] + 1);
    for (let x = extents[2 * i]; x <= extents[2 * i + 1]; x++) {
      const value = Math.min(1, ink.data[(top + i) * ink.width + x] / contrast);
      area += value;
      sumX += value * x;
    }
  }
  return right - left > LARGEST ? undefined : { area, middle: sumX / area, bottom: top + rows };
}
