import { toDocument, type OcrDocument } from '../../src/formats/document.ts';
import type { Character, Line, Page, Quad } from '../../src/ocr/page.ts';

/** A line of upright text at `left`, `top`, `size` pixels high; every character is as wide as half its height, Han as its height. */
export function makeLine(text: string, left: number, top: number, size = 20, confidence = 0.9): Line {
  const characters: Character[] = [];
  let x = left;
  for (const character of text) {
    const width = /\p{Script=Han}|[\u3000-\u303f\uff00-\uffef]/u.test(character) ? size : size / 2;
    characters.push({ text: character, confidence, quad: rectangle(x, top, x + width, top + size) });
    x += width;
  }
  return { text, confidence, quad: rectangle(left, top, x, top + size), characters };
}

export const rectangle = (left: number, top: number, right: number, bottom: number): Quad => [
  { x: left, y: top },
  { x: right, y: top },
  { x: right, y: bottom },
  { x: left, y: bottom },
];

export function makePage(lines: readonly Line[], changes: Partial<Page> = {}): Page {
  return {
    width: 800,
    height: 1000,
    lines,
    timings: { decodeMs: 1, detectMs: 2, recognizeMs: 3, totalMs: 6 },
    cost: { detectorMegapixels: 0.5, recognizerWidth: 100 },
    textFrom: 'picture',
    ...changes,
  };
}

export const makeDocument = (lines: readonly Line[], changes: Partial<Page> = {}): OcrDocument =>
  toDocument([makePage(lines, changes)], { minScore: 0 });
