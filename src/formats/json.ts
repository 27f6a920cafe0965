import type { ModelIdentity, Quad, StageTimings, TextFrom } from '../ocr/page.ts';
import type { DocumentLine, DocumentPage, DocumentWord, OcrDocument } from './document.ts';
import type { PixelBox } from './pixel-box.ts';
import { pageText } from './text.ts';

export interface JsonOptions {
  readonly words: boolean;
  readonly characters: boolean;
}

/** `[x, y]` in pixels of the upright image, to a hundredth. */
export type JsonPoint = [number, number];

export interface JsonCharacter {
  text: string;
  confidence: number;
  polygon: JsonPoint[];
}

export interface JsonWord {
  text: string;
  confidence: number;
  polygon: JsonPoint[];
  box: PixelBox;
}

export interface JsonLine extends JsonWord {
  orientation: 0 | 90 | 180 | 270;
  row: number;
  paragraph: number;
  block: number;
  words?: JsonWord[];
  characters?: JsonCharacter[];
}

export interface JsonPage {
  page: number;
  width: number;
  height: number;
  angle: number;
  text: string;
  lines: JsonLine[];
  textFrom: TextFrom;
  timings: StageTimings;
}

export interface JsonDocument {
  text: string;
  pageCount: number;
  pages: JsonPage[];
  model?: ModelIdentity;
}

/** The document as `POST /v1/ocr` answers it; words and characters only where they are asked for. */
export function toJsonDocument(document: OcrDocument, options: JsonOptions): JsonDocument {
  const pages = document.pages.map((page) => toJsonPage(page, options));
  return {
    text: pages.map(({ text }) => text).join('\n\f'),
    pageCount: document.pageCount,
    pages,
    ...(document.model === undefined ? {} : { model: document.model }),
  };
}

/** The same as a file. */
export const toJson = (document: OcrDocument, options: JsonOptions): string =>
  `${JSON.stringify(toJsonDocument(document, options))}\n`;

function toJsonPage(page: DocumentPage, options: JsonOptions): JsonPage {
  const { number, width, height, angle, lines, textFrom, timings } = page;
  const { decodeMs, detectMs, recognizeMs, totalMs } = timings;
  return {
    page: number,
    width,
    height,
    angle,
    text: pageText(page),
    lines: lines.map((line) => toJsonLine(line, options)),
    textFrom,
    timings: {
      decodeMs: round(decodeMs, 10),
      detectMs: round(detectMs, 10),
      recognizeMs: round(recognizeMs, 10),
      totalMs: round(totalMs, 10),
    },
  };
}

function toJsonLine(line: DocumentLine, { words, characters }: JsonOptions): JsonLine {
  const { orientation, row, paragraph, block } = line;
  return {
    ...toJsonWord(line),
    orientation,
    row,
    paragraph,
    block,
    ...(words ? { words: line.words.map(toJsonWord) } : {}),
    ...(characters ? { characters: line.words.flatMap((word) => word.characters.map(toJsonCharacter)) } : {}),
  };
}

const toJsonCharacter = ({ text, confidence, quad }: DocumentWord['characters'][number]): JsonCharacter => ({
  text,
  confidence: toConfidence(confidence),
  polygon: toPolygon(quad),
});

const toJsonWord = ({
  text,
  confidence,
  quad,
  box,
}: Pick<DocumentWord, 'text' | 'confidence' | 'quad' | 'box'>): JsonWord => ({
  text,
  confidence: toConfidence(confidence),
  polygon: toPolygon(quad),
  box,
});

const toPolygon = (quad: Quad): JsonPoint[] => quad.map(({ x, y }) => [round(x, 100), round(y, 100)]);

/** To four digits, and never up to a certainty that is not there. */
const toConfidence = (confidence: number): number => Math.floor(Math.min(Math.max(confidence, 0), 1) * 10_000) / 10_000;

const round = (value: number, parts: number): number => Math.round(value * parts) / parts + 0;
