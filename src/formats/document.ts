import type {
  Character,
  Line,
  ModelIdentity,
  Page,
  Picture,
  Quad,
  QuarterTurns,
  StageTimings,
  TextFrom,
} from '../ocr/page.ts';
import { pageAngle } from '../ocr/reading-order.ts';
import { findParagraphs, type Place } from './paragraphs.ts';
import { pixelBox, type PixelBox } from './pixel-box.ts';
import { splitWords, type Word } from './words.ts';

/** What was read from one file: what every format is made from. Plain values, coordinates in upright pixels. */
export interface OcrDocument {
  /** At least one, in the order of the file. */
  readonly pages: readonly DocumentPage[];
  /** Pages of the file, read or not. */
  readonly pageCount: number;
  readonly model?: ModelIdentity;
}

export interface DocumentPage {
  /** Of the page in its file, from 1. */
  readonly number: number;
  readonly width: number;
  readonly height: number;
  /** Direction of the page's lines, degrees clockwise from the image's x axis, over -180 to 180: 90 reads downwards. */
  readonly angle: number;
  /** In reading order. */
  readonly lines: readonly DocumentLine[];
  readonly textFrom: TextFrom;
  readonly timings: StageTimings;
  /** For formats that hold the picture itself. */
  readonly picture?: Picture;
}

export interface DocumentLine extends Place {
  readonly text: string;
  readonly confidence: number;
  /** Clockwise from the top-left corner of the text in its reading orientation. */
  readonly quad: Quad;
  readonly box: PixelBox;
  /** Degrees clockwise that the text is turned by, to the next quarter. */
  readonly orientation: 0 | 90 | 180 | 270;
  /** In reading direction. Without character places the line is one word: there is no telling where it could be cut. */
  readonly words: readonly DocumentWord[];
}

export interface DocumentWord extends Word {
  readonly box: PixelBox;
}

export interface DocumentOptions {
  /** Lines with a lower confidence are left out, 0..1. */
  readonly minScore: number;
  /** Number of the first of the pages in its file; 1 if absent. */
  readonly firstPage?: number;
}

/** What was read, one `Page` for each page of the file, as a document. */
export function toDocument(pages: readonly Page[], options: DocumentOptions): OcrDocument {
  const model = pages[0]?.model;
  return {
    pages: pages.map((page, i) => toDocumentPage(page, (options.firstPage ?? 1) + i, options)),
    pageCount: pages[0]?.pageCount ?? pages.length,
    ...(model === undefined ? {} : { model }),
  };
}

function toDocumentPage(page: Page, number: number, { minScore }: DocumentOptions): DocumentPage {
  const lines = page.lines.filter(({ confidence }) => confidence >= minScore);
  const angle = pageAngle(
    lines.map(({ quad, text, confidence }) => ({ quad, turns: turnsOf(quad), weight: [...text].length * confidence })),
  );
  const places = findParagraphs(lines, angle);
  const { width, height, timings, textFrom, picture } = page;
  return {
    number,
    width,
    height,
    angle: toDegrees(angle),
    lines: lines.map((line, i) => toDocumentLine(line, places[i], page)),
    textFrom,
    timings,
    ...(picture === undefined ? {} : { picture }),
  };
}

function toDocumentLine(line: Line, place: Place, page: Page): DocumentLine {
  const { text, quad } = line;
  const confidence = Math.min(Math.max(line.confidence, 0), 1);
  const whole: Character = { text, confidence, quad };
  const words: Word[] =
    line.characters === undefined
      ? [{ ...whole, characters: [whole], spaceAfter: false }]
      : splitWords(line.characters);
  return {
    ...place,
    text,
    confidence,
    quad,
    box: pixelBox(quad, page),
    orientation: ([0, 90, 180, 270] as const)[turnsOf(quad)],
    words: words.map((word) => ({ ...word, box: pixelBox(word.quad, page) })),
  };
}

/** Quarter turns of a line, told by the direction of its first side. */
function turnsOf([a, b]: Quad): QuarterTurns {
  const quarter = Math.round(Math.atan2(b.y - a.y, b.x - a.x) / (Math.PI / 2));
  return ([0, 1, 2, 3] as const)[(quarter + 4) % 4];
}

/** Radians to degrees over -180 to 180, to a hundredth. */
function toDegrees(radians: number): number {
  const degrees = Math.round((Math.atan2(Math.sin(radians), Math.cos(radians)) * 18_000) / Math.PI) / 100;
  return degrees === -180 ? 180 : degrees + 0;
}
