import { overlapOfSmaller, type Box } from './geometry.ts';
import type { Point, QuarterTurns } from './page.ts';
import { viewOf, withMemory, type Pdfium } from './pdfium.ts';

/** A visible character as a PDF has it, in pixels of the drawn page. */
export interface PdfCharacter {
  /** One code point; 0 and what is no code point are kept as U+FFFD. */
  readonly text: string;
  /** Whether the font says what the glyph means, as far as PDFium can tell. */
  readonly mapped: boolean;
  /** Tight around the glyph. */
  readonly box: Box;
  /** Where it stands on the base line of its text. */
  readonly origin: Point;
  /** Size of the type. */
  readonly em: number;
  /** Undefined for text that is not level or upright. */
  readonly turns: QuarterTurns | undefined;
  /** Identity of its font in the file. */
  readonly font: number;
  /** What the file draws in one go: a piece of a line. */
  readonly object: number;
  /** Whether glyphs are filled; false for outlines, text that only clips, and invisible text (ISO 32000-1, 9.3.6). */
  readonly filled: boolean;
  /** White space between the last character and this one: written in the file, or made up by PDFium from a gap. */
  readonly space: 'written' | 'gap' | undefined;
}

/** The text of a page in the order of the file. */
export interface PdfText {
  readonly characters: readonly PdfCharacter[];
  /** Where pictures are, in pixels of the drawn page. */
  readonly pictures: readonly Box[];
}

/** A dense A4 page of 6 point type has some 15,000; beyond this many a page is read as a picture. */
const MAX_CHARACTERS = 20_000;
/** The same for what is drawn on a page, forms (ISO 32000-1, 8.10) and what is in them counted. */
const MAX_OBJECTS = 20_000;
const MAX_FORM_DEPTH = 8;

/** FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_FORM (fpdf_edit.h). */
const IMAGE_OBJECT = 3;
const FORM_OBJECT = 5;
/** FPDF_TEXTRENDERMODE_FILL and _FILL_STROKE (fpdfview.h); the latter thickens glyphs. */
const FILLED_MODES: readonly number[] = [0, 2];

/** Text is level or upright up to this many radians (half a degree). */
const LEVEL = 0.009;

/** Joiners, marks of direction and the like: nothing is drawn for them. */
const FORMAT_CHARACTER = /^\p{Cf}$/u;

/** Memory for what PDFium writes: four float64 at most. */
const SCRATCH_BYTES = 32;

/** Page coordinates (points, y up) to pixels of the drawn page: x = a x + c y + e, y = b x + d y + f. */
type Transform = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/**
 * What a PDF says that stands on a page, and where.
 *
 * @param page handle of the page
 * @param size of the drawn page in pixels
 * @returns undefined where there is no text, or more on the page than is looked at
 */
export function readPdfText(
  pdfium: Pdfium,
  page: number,
  size: { readonly width: number; readonly height: number },
): PdfText | undefined {
  return withMemory(pdfium, SCRATCH_BYTES, (scratch) => {
    const transform = pageTransform(pdfium, page, size, scratch);
    const text = pdfium._FPDFText_LoadPage(page);
    if (text === 0) return undefined;
    try {
      const count = pdfium._FPDFText_CountChars(text);
      if (count <= 0 || count > MAX_CHARACTERS) return undefined;
      const pictures = findPictures(pdfium, page, transform, scratch);
      if (pictures === undefined) return undefined;
      const everything: Box = { left: 0, top: 0, right: size.width, bottom: size.height };
      const characters = [...readCharacters(pdfium, text, count, transform, scratch)];
      return { characters: characters.filter(({ box }) => overlapOfSmaller(box, everything) > 0), pictures };
    } finally {
      pdfium._FPDFText_ClosePage(text);
    }
  });
}

/** PDFium gives whole pixels: measured over this many times the page's size they are exact enough. */
const FINER = 1024;

function pageTransform(
  pdfium: Pdfium,
  page: number,
  { width, height }: { readonly width: number; readonly height: number },
  scratch: number,
): Transform {
  /** Points; far enough from each other for an exact slope. */
  const far = 1000;
  const place = (x: number, y: number): readonly [number, number] => {
    pdfium._FPDF_PageToDevice(page, 0, 0, width * FINER, height * FINER, 0, x, y, scratch, scratch + 4);
    const view = viewOf(pdfium);
    return [view.getInt32(scratch, true) / FINER, view.getInt32(scratch + 4, true) / FINER];
  };
  const [e, f] = place(0, 0);
  const [ax, ay] = place(far, 0);
  const [bx, by] = place(0, far);
  return [(ax - e) / far, (ay - f) / far, (bx - e) / far, (by - f) / far, e, f];
}

function* readCharacters(
  pdfium: Pdfium,
  text: number,
  count: number,
  transform: Transform,
  scratch: number,
): Generator<PdfCharacter> {
  let space: PdfCharacter['space'];
  for (let index = 0; index < count; index++) {
    const character = toText(pdfium, text, index);
    if (FORMAT_CHARACTER.test(character)) continue;
    if (character.trim() === '') {
      if (pdfium._FPDFText_IsGenerated(text, index) !== 1) space = 'written';
      else space ??= 'gap';
      continue;
    }
    const object = pdfium._FPDFText_GetTextObject(text, index);
    const box = characterBox(pdfium, text, index, transform, scratch);
    yield {
      text: character,
      mapped: object !== 0 && pdfium._FPDFText_HasUnicodeMapError(text, index) === 0,
      box,
      origin: originOf(pdfium, text, index, transform, scratch),
      ...sizeAndTurns(pdfium, text, index, transform, scratch),
      font: object === 0 ? 0 : pdfium._FPDFTextObj_GetFont(object),
      object,
      filled: object !== 0 && FILLED_MODES.includes(pdfium._FPDFTextObj_GetTextRenderMode(object)),
      space,
    };
    space = undefined;
  }
}

function toText(pdfium: Pdfium, text: number, index: number): string {
  // A hyphen at the end of a line is given as a control character.
  if (pdfium._FPDFText_IsHyphen(text, index) === 1) return '-';
  const code = pdfium._FPDFText_GetUnicode(text, index);
  return code === 0 || code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
}

function characterBox(pdfium: Pdfium, text: number, index: number, transform: Transform, scratch: number): Box {
  pdfium._FPDFText_GetCharBox(text, index, scratch, scratch + 8, scratch + 16, scratch + 24);
  const view = viewOf(pdfium);
  const [left, right, bottom, top] = [0, 8, 16, 24].map((at) => view.getFloat64(scratch + at, true));
  return toPixels(transform, left, bottom, right, top);
}

function originOf(pdfium: Pdfium, text: number, index: number, [a, b, c, d, e, f]: Transform, scratch: number): Point {
  pdfium._FPDFText_GetCharOrigin(text, index, scratch, scratch + 8);
  const view = viewOf(pdfium);
  const [x, y] = [view.getFloat64(scratch, true), view.getFloat64(scratch + 8, true)];
  return { x: a * x + c * y + e, y: b * x + d * y + f };
}

function sizeAndTurns(
  pdfium: Pdfium,
  text: number,
  index: number,
  [a, b, c, d]: Transform,
  scratch: number,
): Pick<PdfCharacter, 'em' | 'turns'> {
  if (pdfium._FPDFText_GetMatrix(text, index, scratch) === 0) return { em: 0, turns: undefined };
  const [alongX, alongY, acrossX, acrossY] = readFloats(pdfium, scratch, 4);
  const em =
    pdfium._FPDFText_GetFontSize(text, index) * Math.hypot(a * acrossX + c * acrossY, b * acrossX + d * acrossY);
  const quarters = Math.atan2(b * alongX + d * alongY, a * alongX + c * alongY) / (Math.PI / 2);
  const nearest = Math.round(quarters);
  const level = Math.abs(quarters - nearest) <= LEVEL / (Math.PI / 2);
  return { em, turns: level ? ([0, 1, 2, 3] as const)[(nearest + 4) % 4] : undefined };
}

/** Where pictures are; a form with a picture in it counts as one. Undefined for too many objects. */
function findPictures(pdfium: Pdfium, page: number, transform: Transform, scratch: number): Box[] | undefined {
  let left = MAX_OBJECTS;
  const holdsPicture = (object: number, depth: number): boolean => {
    left--;
    const type = pdfium._FPDFPageObj_GetType(object);
    if (type !== FORM_OBJECT) return type === IMAGE_OBJECT;
    if (depth === MAX_FORM_DEPTH) left = -1;
    const count = pdfium._FPDFFormObj_CountObjects(object);
    for (let i = 0; i < count && left >= 0; i++) {
      if (holdsPicture(pdfium._FPDFFormObj_GetObject(object, i), depth + 1)) return true;
    }
    return false;
  };
  const pictures: Box[] = [];
  const count = pdfium._FPDFPage_CountObjects(page);
  for (let i = 0; i < count && left >= 0; i++) {
    const object = pdfium._FPDFPage_GetObject(page, i);
    if (!holdsPicture(object, 0)) continue;
    pdfium._FPDFPageObj_GetBounds(object, scratch, scratch + 4, scratch + 8, scratch + 12);
    const [x0, y0, x1, y1] = readFloats(pdfium, scratch, 4);
    pictures.push(toPixels(transform, x0, y0, x1, y1));
  }
  return left < 0 ? undefined : pictures;
}

function readFloats(pdfium: Pdfium, pointer: number, count: number): number[] {
  const view = viewOf(pdfium);
  return Array.from({ length: count }, (_, i) => view.getFloat32(pointer + 4 * i, true));
}

function toPixels([a, b, c, d, e, f]: Transform, x0: number, y0: number, x1: number, y1: number): Box {
  const xs = [a * x0 + c * y0 + e, a * x1 + c * y1 + e];
  const ys = [b * x0 + d * y0 + f, b * x1 + d * y1 + f];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}
