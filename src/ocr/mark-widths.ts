import { probabilityOf } from './class-probability.ts';
import { characterMiddle, STEP_WIDTH, type DecodedCharacter } from './ctc.ts';
import { ideographDistances, ideographPitch } from './ctc-marks.ts';
import { inkContrast, LOWEST_CONTRAST, measureInk } from './ink-map.ts';
import type { RgbImage } from './rgb-image.ts';
import type { ModelOutput } from './session.ts';

/** Marks that have a half-width and a full-width form of about the same ink. */
const HALF = ':,;!?()';
const FULL = '：，；！？（）';

/**
 * Room between the ink of a mark's neighbours, in distances of two ideographs. Of 2,515 marks on the development set and on 24
 * rendered pages in seven fonts a full-width one had 0.93 to 1.35 where specks did not narrow it, a half-width one 0.25 to 0.8, the
 * space behind it included; more than `MOST_ROOM` is a gap of the layout. With these thresholds 124 were mended and none broken;
 * of 288 lines of 16 pages kept apart 157 are exact, 129 without.
 */
const FULL_ROOM = 0.95;
const MOST_ROOM = 1.35;
const HALF_ROOM = 0.75;
/** Specks narrow the room. The neighbours of a full-width mark were read 1.65 distances apart and more even then. */
const HALF_DISTANCE = 1.6;

/** What the recognizer is surer of stays: in line ends that were squeezed, in fonts whose comma and space are as wide as a full-width comma. */
const SURE = { full: 0.9, half: 0.97, halfAndSpace: 0.8 };

/** From this share of the contrast a column is ink: thin strokes of small text have less than half. */
const INK_SHARE = 0.35;
/** Rows of the line image without ink of a neighbouring line. */
const TOP = 6;
const BOTTOM = 42;
/** A mark is narrower, in distances of two ideographs. */
const WIDEST_MARK = 0.5;
/** An ideograph next to another stands at this many median distances; without marks or gaps between them. */
const REGULAR = [0.6, 1.4] as const;

/**
 * Decides between the half-width and the full-width form of a mark by the room that it has, where the recognizer is not
 * sure: it looks at the ink of the mark, which is the same. Only between two characters that are not marks themselves.
 * A space behind a mark that turns out to be full-width goes with it, and a bracket without room to go by follows its partner.
 *
 * @param output probabilities of shape [1, steps, classes]
 * @param line the line image that `output` was read in
 */
export function settleMarkWidths(
  characters: readonly DecodedCharacter[],
  output: ModelOutput,
  charset: readonly string[],
  line: RgbImage,
): readonly DecodedCharacter[] {
  const doubtful = characters.flatMap((_, index) => doubtAt(characters, index) ?? []);
  const pitch = doubtful.length === 0 ? undefined : meanPitch(characters);
  if (pitch === undefined) return characters;
  const inked = inkedColumns(line);
  if (inked === undefined) return characters;
  const settled: (DecodedCharacter | undefined)[] = [...characters];
  const take = (index: number, form: string): void => {
    const { step } = characters[index];
    settled[index] = { ...characters[index], character: form, probability: probabilityOf(form, step, output, charset) };
  };
  const open = new Set<number>();
  for (const { index, neighbours } of doubtful) {
    const mark = characters[index];
    const form = neighbours && formByRoom(mark, neighbours, inked, pitch);
    if (form === undefined) open.add(index);
    else if (form !== mark.character) {
      take(index, form);
      if (neighbours?.hasSpace && FULL.includes(form)) settled[index + 1] = undefined;
    }
  }
  for (const [opening, closing] of bracketPairs(characters)) {
    const [from, to] = open.has(opening) ? [closing, opening] : [opening, closing];
    const isFull = FULL.includes(settled[from]?.character ?? '');
    if (open.has(from) || !open.has(to) || isFull === FULL.includes(characters[to].character)) continue;
    take(to, twinOf(characters[to].character));
  }
  return settled.filter((character) => character !== undefined);
}

/** Indexes of opening and closing round brackets of either width that belong together. */
function bracketPairs(characters: readonly DecodedCharacter[]): (readonly [opening: number, closing: number])[] {
  const openings: number[] = [];
  return characters.flatMap(({ character }, index) => {
    if ('(（'.includes(character)) openings.push(index);
    const opening = ')）'.includes(character) ? openings.pop() : undefined;
    return opening === undefined ? [] : [[opening, index] as const];
  });
}

/** What stands around a mark; spaces do not count. */
interface Neighbours {
  readonly before: DecodedCharacter;
  readonly after: DecodedCharacter;
  /** Between the mark and what stands behind it. */
  readonly hasSpace: boolean;
}

interface Doubt {
  readonly index: number;
  /** Nothing where the mark stands at an end of the line or next to another mark. */
  readonly neighbours?: Neighbours;
}

const isMarkOrSpace = ({ character }: DecodedCharacter): boolean => /^[\p{P}\s]$/u.test(character);

function doubtAt(characters: readonly DecodedCharacter[], index: number): Doubt | undefined {
  const { character, probability } = characters[index];
  const isHalf = HALF.includes(character);
  if (!isHalf && !FULL.includes(character)) return undefined;
  const hasSpace = characters[index + 1]?.character === ' ';
  const sure = isHalf ? (hasSpace ? SURE.halfAndSpace : SURE.half) : SURE.full;
  if (probability > sure) return undefined;
  const before = characters[index - 1];
  const after = characters[index + (hasSpace ? 2 : 1)];
  if (before === undefined || after === undefined || isMarkOrSpace(before) || isMarkOrSpace(after)) return { index };
  return { index, neighbours: { before, after, hasSpace } };
}

const twinOf = (mark: string): string => {
  const half = HALF.indexOf(mark);
  return half >= 0 ? FULL[half] : HALF[FULL.indexOf(mark)];
};

/** The form that a mark has the room for; nothing if it has that of neither. */
function formByRoom(
  mark: DecodedCharacter,
  { before, after }: Neighbours,
  inked: readonly boolean[],
  pitch: number,
): string | undefined {
  const room = roomOf(mark, before, after, inked, pitch);
  if (room === undefined) return undefined;
  const half = HALF.includes(mark.character) ? mark.character : twinOf(mark.character);
  if (room >= FULL_ROOM && room <= MOST_ROOM) return twinOf(half);
  return room <= HALF_ROOM && (after.step - before.step) * STEP_WIDTH <= HALF_DISTANCE * pitch ? half : undefined;
}

/** Mean distance of neighbouring ideographs in px; nothing to go by with fewer than two such pairs. */
function meanPitch(characters: readonly DecodedCharacter[]): number | undefined {
  const median = ideographPitch(characters);
  if (median === undefined) return undefined;
  const regular = ideographDistances(characters).filter(
    (steps) => steps >= REGULAR[0] * median && steps <= REGULAR[1] * median,
  );
  return (regular.reduce((sum, steps) => sum + steps, 0) / regular.length) * STEP_WIDTH;
}

/** For each column of the line image whether it holds ink; nothing where the line has no contrast. */
function inkedColumns(line: RgbImage): boolean[] | undefined {
  const ink = measureInk(line);
  const contrast = inkContrast(ink, 0, line.width, 0, line.height);
  if (contrast < LOWEST_CONTRAST) return undefined;
  return Array.from({ length: ink.width }, (_, x) => {
    for (let y = TOP; y < BOTTOM; y++) if (ink.data[y * ink.width + x] > INK_SHARE * contrast) return true;
    return false;
  });
}

/** From the end of the ink before a mark to the beginning of the ink behind it, in pitches; nothing where its own ink is not told apart. */
function roomOf(
  mark: DecodedCharacter,
  before: DecodedCharacter,
  after: DecodedCharacter,
  inked: readonly boolean[],
  pitch: number,
): number | undefined {
  const middle = characterMiddle(mark.step);
  const to = Math.min(inked.length, characterMiddle(after.step));
  let nearest: readonly [number, number] | undefined;
  let distance = Infinity;
  for (let x = Math.max(0, Math.round(characterMiddle(before.step))); x < to; x++) {
    if (!inked[x]) continue;
    const [start, end] = runAt(inked, x);
    const apart = Math.abs((start + end) / 2 - middle);
    if (end - start <= WIDEST_MARK * pitch && apart < distance) [nearest, distance] = [[start, end], apart];
    x = end;
  }
  if (nearest === undefined) return undefined;
  return (runAt(inked, nearest[1])[1] - runAt(inked, nearest[0] - 1)[0]) / pitch;
}

/** The columns [start, end) around `x` that are all inked, or all not. */
export function runAt(inked: readonly boolean[], x: number): [number, number] {
  let [start, end] = [x, x + 1];
  while (start > 0 && inked[start - 1] === inked[x]) start -= 1;
  while (end < inked.length && inked[end] === inked[x]) end += 1;
  return [start, end];
}
