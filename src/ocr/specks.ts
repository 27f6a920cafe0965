import type { DecodedCharacter } from './ctc.ts';
import { isColon, isDot } from './dot-ink.ts';
import type { ReadLine } from './line-reading.ts';
import { toReading } from './text-recognition.ts';

/**
 * Dust is read as a dot where it lies in a gap of the text. The dots of a page are all alike, so that one with less than
 * half the ink of the others is a speck. On 160 rendered pages (14 fonts, 9 to 34 px, dust of many sizes; blurred, JPEG,
 * bilevel) 0.4 takes 41 of 94 specks in text of 16 px and more and no dot, 0.5 takes 51 and one dot.
 */
const SPECK_SHARE = 0.45;
/** Height of the text in image pixels from which its dots can be told from dust: in smaller text they are the same size. */
const SMALLEST_TEXT = 16;
/** Other dots that are needed to know how large they are on this page... */
const ENOUGH_DOTS = 3;
/** ...and how many of them may be smaller than `ALIKE` of their median: otherwise they are broken, and none can be judged. */
const ALIKE = 0.65;
const MOST_UNALIKE = 0.2;
/** The dots of a colon are alike: on the same pages 0.4 mends 6 of 13 dots read as one and breaks one of 813 colons, 0.5 mends 8 and breaks 3. */
const COLON_SHARE = 0.45;

/**
 * Takes what was read in specks out of the lines of a page: dots that are much smaller than the page's others, a second
 * dot without ink of its own, and the upper dot of a colon that is much smaller than the lower one.
 */
export function removeSpecks(lines: readonly ReadLine[]): ReadLine[] {
  const areas = lines.flatMap(({ reading, em }) =>
    em < SMALLEST_TEXT ? [] : reading.characters.flatMap((decoded) => dotArea(decoded) ?? []),
  );
  return lines.map((line) => {
    if (line.em < SMALLEST_TEXT) return line;
    const { characters, width } = line.reading;
    const kept = characters.flatMap((decoded, i): DecodedCharacter[] => {
      if (isDotUnderSpeck(decoded)) return [{ ...decoded, character: '.' }];
      if (!isSpeck(characters, i, areas)) return [decoded];
      return [characters[i - 1], characters[i + 1]].every(isOfWord) ? [{ ...decoded, character: ' ' }] : [];
    });
    const changed = kept.length < characters.length || kept.some((decoded, i) => decoded !== characters[i]);
    return changed ? { ...line, reading: toReading(kept, width) } : line;
  });
}

/** Ink of a single dot; nothing where none was found. */
function dotArea({ character, dots = [] }: DecodedCharacter): number | undefined {
  return isDot(character) && dots.length > 0 ? Math.max(...dots) : undefined;
}

function isSpeck(characters: readonly DecodedCharacter[], i: number, areas: readonly number[]): boolean {
  const decoded = characters[i];
  if (!isDot(decoded.character)) return false;
  const area = dotArea(decoded);
  if (area === undefined) return [characters[i - 1], characters[i + 1]].some(hasDot);
  const others = areas.toSpliced(areas.indexOf(area), 1).sort((a, b) => a - b);
  if (others.length < ENOUGH_DOTS) return false;
  const median = others[others.length >> 1];
  const unalike = others.filter((other) => other < ALIKE * median).length;
  return area < SPECK_SHARE * median && unalike <= MOST_UNALIKE * others.length;
}

const hasDot = (decoded: DecodedCharacter | undefined): boolean =>
  decoded !== undefined && dotArea(decoded) !== undefined;

/** A speck between two of these lay in the gap between two words: a dot is read where there is room for one. */
const isOfWord = (decoded: DecodedCharacter | undefined): boolean =>
  decoded !== undefined && /^[\p{Script=Latin}\p{N}]$/u.test(decoded.character);

function isDotUnderSpeck({ character, dots = [] }: DecodedCharacter): boolean {
  return isColon(character) && dots.length === 2 && dots[1] < COLON_SHARE * dots[0];
}
