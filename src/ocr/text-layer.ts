import { boundingBox, overlapOfSmaller, turnQuad, type Box } from './geometry.ts';
import type { Character, Line, Quad, QuarterTurns, Region } from './page.ts';
import type { PdfCharacter, PdfText } from './pdf-text.ts';

/** A character that stands on the page if the file is right, in pixels of the image that is read. */
export interface LayerCharacter {
  /** One character, or a ligature's. */
  readonly text: string;
  readonly box: Box;
  /** Size of the type in pixels. */
  readonly em: number;
  readonly font: number;
  /** Whether a space stands before it in its line. */
  readonly spaceBefore: boolean;
}

/** Characters that follow each other. */
export interface LayerLine {
  readonly turns: QuarterTurns;
  readonly characters: readonly LayerCharacter[];
}

/** What is no character: no meaning (U+FFFD), private use, halves of pairs, control characters, unassigned. */
const NO_CHARACTER = /[\ufffd\p{Co}\p{Cs}\p{Cc}\p{Cn}]/u;
/** Scripts that run to the left: PDFium sorts them, and the recognizer cannot tell whether it did so rightly. */
const LEFTWARDS = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** Smaller type than this many pixels (1.4 points at 200 dpi) nobody can see. */
const SMALLEST_EM = 4;
/**
 * Ligatures, and the radicals and compatibility ideographs that fonts share with the common characters of the same shape:
 * files written by browsers often name the rare one (⽂ U+2F42 for 文).
 */
const SAME_SHAPE = /[\ufb00-\ufb06\u2e80-\u2fdf\uf900-\ufaff]/u;

/**
 * The lines of a text layer if nothing in the file speaks against it: every character has a meaning and is drawn filled,
 * level or upright, at a size that can be seen, and none lies under, over or in a picture. Whether it is what the page
 * shows is for others to find out (`text-layer-proof.ts`).
 *
 * @param region the part of the page that is read: characters with their middle outside are left out
 * @returns undefined for a layer that is not used
 */
export function layerLines(text: PdfText, region: Region): LayerLine[] | undefined {
  const inside = text.characters.filter(({ box }) => holdsMiddle(region, box));
  if (inside.length === 0 || !inside.every(isPlain)) return undefined;
  if (inside.some(({ box }) => text.pictures.some((picture) => overlapOfSmaller(picture, box) > 0))) return undefined;
  return joinRuns(splitRuns(inside, region));
}

function holdsMiddle({ left, top, width, height }: Region, box: Box): boolean {
  const x = (box.left + box.right) / 2 - left;
  const y = (box.top + box.bottom) / 2 - top;
  return x >= 0 && y >= 0 && x < width && y < height;
}

const isPlain = ({ text, mapped, filled, turns, em }: PdfCharacter): boolean =>
  mapped && filled && turns !== undefined && em >= SMALLEST_EM && !NO_CHARACTER.test(text) && !LEFTWARDS.test(text);

/** Edges in the frame of the text: of the glyphs along the line, of the type across it, downwards. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly top: number;
  readonly bottom: number;
}

/** A part of a line that grows as its characters come. */
interface Run {
  readonly turns: QuarterTurns;
  readonly characters: LayerCharacter[];
  extent: Extent;
  em: number;
}

/** Ems from the end of a character to the next of the same line; more is another column. */
const WIDEST_GAP = 1.2;
/** Where nobody wrote a space, only so much. */
const WIDEST_UNWRITTEN_GAP = 0.7;
/** Ems that a character may reach back over the last: kerning, slanted type, marks above letters. */
const MOST_OVERLAP = 0.5;
/** Share of the smaller type that must stand beside the other: raised and lowered figures do. */
const BESIDE = 0.4;
/** A gap beside an unspaced script that is no wider than this many ems is letter-spacing, if nobody wrote a space. */
const LETTER_SPACING = 0.15;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]$/u;

/** Characters that follow each other in the file and on the page. */
function splitRuns(characters: readonly PdfCharacter[], region: Region): Run[] {
  const runs: Run[] = [];
  for (const { turns, text, box, origin, em, font, space } of characters) {
    if (turns === undefined) continue;
    const moved = translateBox(box, -region.left, -region.top);
    const placed = { text, em, box: moved, origin: { x: origin.x - region.left, y: origin.y - region.top } };
    const extent = extentOf(placed, turns);
    const run = runs.at(-1);
    const widest = space === 'written' ? WIDEST_GAP : WIDEST_UNWRITTEN_GAP;
    const follows = run?.turns === turns && continues(run, extent, em, widest);
    const last = run?.characters.at(-1);
    if (run !== undefined && follows && last !== undefined) {
      const gap = extent.start - run.extent.end;
      const spaceBefore = space === 'written' || (space === 'gap' && !isLetterSpacing(last.text, text, gap, em));
      run.characters.push({ text: plainForm(text), box: moved, em, font, spaceBefore });
      run.extent = unite(run.extent, extent);
      run.em = Math.max(run.em, em);
    } else {
      runs.push({
        turns,
        characters: [{ text: plainForm(text), box: moved, em, font, spaceBefore: false }],
        extent,
        em,
      });
    }
  }
  return runs;
}

const isLetterSpacing = (before: string, after: string, gap: number, em: number): boolean =>
  gap <= LETTER_SPACING * em && (UNSPACED.test(before) || UNSPACED.test(after));

const plainForm = (text: string): string => (SAME_SHAPE.test(text) ? text.normalize('NFKC') : text);

/** Whether what has this extent goes on where the run ends. */
function continues(run: Run, extent: Extent, em: number, widest: number): boolean {
  const gap = extent.start - run.extent.end;
  const size = Math.max(em, run.em);
  const overlap = Math.min(run.extent.bottom, extent.bottom) - Math.max(run.extent.top, extent.top);
  return gap <= widest * size && gap >= -MOST_OVERLAP * size && overlap >= BESIDE * Math.min(em, run.em);
}

/** More runs than this on a page are no lines but letters thrown about. */
const MOST_RUNS = 3000;
/** Ems between runs that another hand wrote in another order: more cannot be told from a column. */
const WIDEST_JOINT = 0.6;
/** A joint from this many ems on is a space. */
const SPACE = 0.15;

/** Runs that lie end to end but follow each other nowhere in the file: some programs write a page by its fonts. */
function joinRuns(runs: readonly Run[]): LayerLine[] | undefined {
  if (runs.length > MOST_RUNS) return undefined;
  const joined: Run[] = [];
  for (const run of runs.toSorted((a, b) => a.extent.start - b.extent.start)) {
    const line = joined.find(
      (other) => other.turns === run.turns && continues(other, run.extent, run.em, WIDEST_JOINT),
    );
    const last = line?.characters.at(-1);
    const [first, ...others] = run.characters;
    if (line === undefined || last === undefined || first === undefined) {
      joined.push(run);
      continue;
    }
    const gap = run.extent.start - line.extent.end;
    const spaceBefore = gap > SPACE * run.em && !isLetterSpacing(last.text, first.text, gap, run.em);
    line.characters.push({ ...first, spaceBefore }, ...others);
    line.extent = unite(line.extent, run.extent);
    line.em = Math.max(line.em, run.em);
  }
  return joined;
}

const unite = (a: Extent, b: Extent): Extent => ({
  start: Math.min(a.start, b.start),
  end: Math.max(a.end, b.end),
  top: Math.min(a.top, b.top),
  bottom: Math.max(a.bottom, b.bottom),
});

const translateBox = ({ left, top, right, bottom }: Box, dx: number, dy: number): Box => ({
  left: left + dx,
  top: top + dy,
  right: right + dx,
  bottom: bottom + dy,
});

/** Ems that type reaches above and below its base line, as in most fonts. */
const ASCENT = 0.8;
const DESCENT = 0.2;

/** A character of an unspaced script fills its cell, an em wide, whatever its glyph leaves of it. */
function extentOf(
  { text, box, origin, em }: Pick<PdfCharacter, 'text' | 'box' | 'origin' | 'em'>,
  turns: QuarterTurns,
): Extent {
  const { x, y } = origin;
  const [start, end, from, base] = (
    [
      [box.left, box.right, x, y],
      [box.top, box.bottom, y, -x],
      [-box.right, -box.left, -x, -y],
      [-box.bottom, -box.top, -y, x],
    ] as const
  )[turns];
  const across = { top: base - ASCENT * em, bottom: base + DESCENT * em };
  if (!UNSPACED.test(text)) return { start, end, ...across };
  return { start: Math.min(start, from), end: Math.max(end, from + em), ...across };
}

/** Corners of a box from its top left one. */
export const boxQuad = ({ left, top, right, bottom }: Box): Quad => [
  { x: left, y: top },
  { x: right, y: top },
  { x: right, y: bottom },
  { x: left, y: bottom },
];

/** Around the glyphs. */
export const boxOf = (characters: readonly LayerCharacter[]): Box =>
  boundingBox(characters.flatMap(({ box }) => [...boxQuad(box)]));

/**
 * The line as reading would give it. Its confidence is 1: it was not guessed.
 *
 * @param withCharacters as `ReadOptions.characters`: each as wide as its glyph and as high as its line
 */
export function toPageLine({ turns, characters }: LayerLine, withCharacters: boolean): Line {
  const whole = boxOf(characters);
  const text = characters.map((one) => (one.spaceBefore ? ` ${one.text}` : one.text)).join('');
  const line = { text, confidence: 1, quad: turnQuad(boxQuad(whole), turns) };
  if (!withCharacters) return line;
  return { ...line, characters: characters.flatMap((one, i) => placed(one, characters[i - 1], whole, turns)) };
}

/** A character with the space before it, which fills the gap. */
function placed(
  { text, box, spaceBefore }: LayerCharacter,
  before: LayerCharacter | undefined,
  line: Box,
  turns: QuarterTurns,
): Character[] {
  const upright = turns % 2 === 0;
  const across = upright ? { top: line.top, bottom: line.bottom } : { left: line.left, right: line.right };
  const quadOf = (part: Box): Quad => turnQuad(boxQuad({ ...part, ...across }), turns);
  const character: Character = { text, confidence: 1, quad: quadOf(box) };
  if (!spaceBefore || before === undefined) return [character];
  return [{ text: ' ', confidence: 1, quad: quadOf(gapBetween(before.box, box, turns)) }, character];
}

function gapBetween(before: Box, after: Box, turns: QuarterTurns): Box {
  const [first, second] = turns === 0 || turns === 1 ? [before, after] : [after, before];
  const ordered = (a: number, b: number) => [Math.min(a, b), Math.max(a, b)] as const;
  const [left, right] = ordered(first.right, second.left);
  const [top, bottom] = ordered(first.bottom, second.top);
  return { left, top, right, bottom };
}
