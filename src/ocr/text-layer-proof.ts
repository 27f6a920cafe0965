import { boundingBox, type Box } from './geometry.ts';
import { inkOfLayer } from './layer-ink.ts';
import { cropLine, lineWidth } from './line-crop.ts';
import { withMargin } from './line-reading.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Session } from './session.ts';
import type { TextRegion } from './text-detection.ts';
import { boxOf, boxQuad, type LayerCharacter, type LayerLine } from './text-layer.ts';
import { missedLetters } from './text-agreement.ts';
import { recognizeText } from './text-recognition.ts';

/** What looking at the page said of a layer. */
export interface LayerProof {
  /** Whether the page shows what the layer says. */
  readonly agrees: boolean;
  /** Whether it may show more text than that. */
  readonly moreInk: boolean;
  /** As `ReadCost.recognizerWidth`. */
  readonly recognizerWidth: number;
}

/**
 * Compares a layer with the drawn page: every character has ink, no two stand on one place, and a sample of all fonts
 * reads as it says.
 *
 * @param image the drawn page
 */
export async function proveLayer(
  image: RgbImage,
  lines: readonly LayerLine[],
  recognizer: Session,
  charset: readonly string[],
): Promise<LayerProof> {
  const boxes = lines.flatMap(({ characters }) => characters.map(({ box }) => box));
  const { clear, moreInk } = inkOfLayer(image, boxes);
  if (!clear) return { agrees: false, moreInk, recognizerWidth: 0 };
  const kindOf = createKinds(lines);
  const sample = chooseSample(lines.flatMap(toPieces), kindOf);
  if (sample === undefined) return { agrees: false, moreInk, recognizerWidth: 0 };
  const tallies = new Map<string, Tally>();
  let recognizerWidth = 0;
  for (const piece of sample) {
    const reading = await recognizeText(cropLine(image, pieceQuad(piece), piece.turns), recognizer, charset);
    recognizerWidth += reading.width;
    const { missed, extra } = missedLetters(
      piece.characters.map(({ text }) => text),
      reading.text,
    );
    piece.characters.forEach((character, i) => {
      for (const kind of kindOf(character)) count(tallies, kind, missed[i] ?? 0);
    });
    if (extra > ALLOWED_SLIPS + ALLOWED_SHARE * piece.characters.length)
      return { agrees: false, moreInk, recognizerWidth };
  }
  return { agrees: [...tallies.values()].every(isTrue), moreInk, recognizerWidth };
}

/** Letters and digits of one kind that were read, and how many of them otherwise than the layer says. */
interface Tally {
  letters: number;
  missed: number;
}

function count(tallies: Map<string, Tally>, kind: string, missed: number): void {
  const tally = tallies.get(kind) ?? { letters: 0, missed: 0 };
  tally.letters += 1;
  tally.missed += missed;
  tallies.set(kind, tally);
}

/**
 * Reading slips, too: on two pages typeset by a browser it gives 34 of 35 lines exactly. A false map is wrong about most of
 * what it says; one that is wrong about a few letters among many passes.
 */
const ALLOWED_SLIPS = 1;
const ALLOWED_SHARE = 0.1;

const isTrue = ({ letters, missed }: Tally): boolean =>
  missed < letters && missed <= ALLOWED_SLIPS + ALLOWED_SHARE * letters;

/** A font with fewer letters on the page is proven together with others such: browsers cut one font into dozens. */
const FEW_LETTERS = 8;

/**
 * What has to be proven by itself: digits, ideographs and letters of each font. Marks are not compared.
 *
 * @returns for a character its kind, or nothing
 */
function createKinds(lines: readonly LayerLine[]): (character: LayerCharacter) => string[] {
  const letters = new Map<number, number>();
  for (const { font, text } of lines.flatMap(({ characters }) => characters)) {
    if (scriptOf(text) !== undefined) letters.set(font, (letters.get(font) ?? 0) + 1);
  }
  return ({ font, text }) => {
    const script = scriptOf(text);
    if (script === undefined) return [];
    return [`${script} ${(letters.get(font) ?? 0) < FEW_LETTERS ? 'rare' : font}`];
  };
}

function scriptOf(text: string): 'digit' | 'ideograph' | 'letter' | undefined {
  if (/\p{N}/u.test(text)) return 'digit';
  if (/\p{Script=Han}/u.test(text)) return 'ideograph';
  return /\p{L}/u.test(text) ? 'letter' : undefined;
}

/** A part of a line, short enough that a few show every font of a page. */
type Piece = LayerLine;

/** Ems: some 16 ideographs or 30 letters. */
const PIECE_LENGTH = 16;

/** Cuts a line at spaces, and between ideographs. */
function toPieces({ turns, characters }: LayerLine): Piece[] {
  const pieces: LayerCharacter[][] = [];
  let piece: LayerCharacter[] = [];
  let length = 0;
  for (const character of characters) {
    const maybeCut = character.spaceBefore || /\p{Script=Han}/u.test(character.text);
    if (piece.length > 0 && maybeCut && length > PIECE_LENGTH) {
      pieces.push(piece);
      piece = [];
      length = 0;
    }
    piece.push(character);
    length +=
      Math.max(character.box.right - character.box.left, character.box.bottom - character.box.top) / character.em;
  }
  return [...pieces, piece].map((part) => ({ turns, characters: part }));
}

/** Width of line images, in pixels, that is read to prove a page: some two lines of running text. */
const SAMPLE_WIDTH = 1600;
/** As much as this, or this share of the page, if its fonts need it; a page that needs more is read as a picture. */
const MAX_SAMPLE_WIDTH = 6400;
const MAX_SAMPLE_SHARE = 0.5;
/** Of every kind so many letters are read, or all there are: a false map is wrong about at least two of three. */
const ENOUGH_LETTERS = 3;
/** How much more a letter counts that a kind still needs. */
const NEEDED_WEIGHT = 8;

/**
 * Pieces that between them show enough of every kind, and as many different characters as fit.
 *
 * @returns undefined if there is nothing to compare, or too much of it
 */
function chooseSample(pieces: readonly Piece[], kindOf: (character: LayerCharacter) => string[]): Piece[] | undefined {
  const wanted = new Map<string, number>();
  for (const kind of pieces.flatMap(({ characters }) => characters.flatMap(kindOf))) {
    wanted.set(kind, Math.min((wanted.get(kind) ?? 0) + 1, ENOUGH_LETTERS));
  }
  if (wanted.size === 0) return undefined;
  const seen = new Set<string>();
  const worthOf = ({ characters }: Piece): number => {
    const fresh = new Set<string>();
    let worth = 0;
    for (const character of characters) {
      for (const kind of kindOf(character)) {
        if ((wanted.get(kind) ?? 0) > 0) worth += NEEDED_WEIGHT;
        const name = nameOf(character);
        if (!seen.has(name) && !fresh.has(name)) worth += 1;
        fresh.add(name);
      }
    }
    return worth;
  };
  const all = pieces.reduce((sum, piece) => sum + widthOf(piece), 0);
  const most = Math.max(MAX_SAMPLE_WIDTH, MAX_SAMPLE_SHARE * all);
  const left = new Set(pieces);
  const chosen: Piece[] = [];
  let width = 0;
  while (left.size > 0) {
    const best = maximum([...left], (piece) => worthOf(piece) / widthOf(piece));
    const limit = [...wanted.values()].some((number) => number > 0) ? most : SAMPLE_WIDTH;
    if (best === undefined || worthOf(best) === 0 || width + widthOf(best) > limit) break;
    left.delete(best);
    chosen.push(best);
    width += widthOf(best);
    for (const character of best.characters) {
      seen.add(nameOf(character));
      for (const kind of kindOf(character)) wanted.set(kind, (wanted.get(kind) ?? 0) - 1);
    }
  }
  return [...wanted.values()].every((number) => number <= 0) ? chosen : undefined;
}

const nameOf = ({ font, text }: LayerCharacter): string => `${font} ${text}`;

function maximum<T>(values: readonly T[], of: (value: T) => number): T | undefined {
  let best: T | undefined;
  let most = -Infinity;
  for (const value of values) {
    const worth = of(value);
    if (worth <= most) continue;
    most = worth;
    best = value;
  }
  return best;
}

/** What the recognizer gets: the ink with the margin of all lines, before the turns. */
function pieceQuad({ turns, characters }: Piece) {
  const box = boxOf(characters);
  const tall = turns % 2 === 1;
  const em = tall ? box.right - box.left : box.bottom - box.top;
  return withMargin({ tight: boxQuad(box), tall, ambiguous: false, em });
}

const widthOf = (piece: Piece): number => lineWidth({ quad: pieceQuad(piece), turns: piece.turns });

/** Share of a region that has to lie in lines of the layer to be known. */
const KNOWN_SHARE = 0.9;
/** Text heights that a region may reach over the glyphs of its line. */
const REGION_MARGIN = 0.3;

/** Regions in which the detector sees text that the layer does not have. */
export function unknownRegions(regions: readonly TextRegion[], lines: readonly LayerLine[]): TextRegion[] {
  const boxes = lines.map(({ characters }): Box => {
    const { left, top, right, bottom } = boxOf(characters);
    const margin = REGION_MARGIN * Math.max(...characters.map(({ em }) => em));
    return { left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin };
  });
  return regions.filter(({ tight }) => {
    const region = boundingBox(tight);
    const known = boxes.reduce((sum, box) => sum + areaOf(intersection(region, box)), 0);
    return known < KNOWN_SHARE * areaOf(region);
  });
}

const intersection = (a: Box, b: Box): Box => ({
  left: Math.max(a.left, b.left),
  top: Math.max(a.top, b.top),
  right: Math.min(a.right, b.right),
  bottom: Math.min(a.bottom, b.bottom),
});

const areaOf = ({ left, top, right, bottom }: Box): number => Math.max(right - left, 0) * Math.max(bottom - top, 0);
