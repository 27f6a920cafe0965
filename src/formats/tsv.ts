import type { DocumentPage, OcrDocument } from './document.ts';
import { unionBox, type PixelBox } from './pixel-box.ts';
import { groupBy } from './text.ts';

/** The columns of Tesseract's TSV, so that what reads that reads this. */
const HEADER = [
  'level',
  'page_num',
  'block_num',
  'par_num',
  'line_num',
  'word_num',
  'left',
  'top',
  'width',
  'height',
  'conf',
  'text',
];

/** Tesseract's confidence of what is not a word. */
const NO_CONFIDENCE = '-1';

/**
 * Tesseract's TSV: a row for each page (level 1), block (2), paragraph (3), line (4) and word (5). Paragraphs count
 * within their block, lines within their paragraph, words within their line; `conf` is 0 to 100.
 */
export function toTsv(document: OcrDocument): string {
  return [HEADER.join('\t'), ...document.pages.flatMap(pageRows), ''].join('\n');
}

type Numbers = readonly [block: number, paragraph: number, line: number, word: number];

function pageRows(page: DocumentPage): string[] {
  const row = (level: number, numbers: Numbers, box: PixelBox, conf = NO_CONFIDENCE, text = ''): string =>
    [level, page.number, ...numbers, box.left, box.top, box.width, box.height, conf, text].join('\t');
  const rows = [row(1, [0, 0, 0, 0], { left: 0, top: 0, width: page.width, height: page.height })];
  groupBy(page.lines, ({ block }) => block).forEach((blockLines, b) => {
    rows.push(row(2, [b + 1, 0, 0, 0], unionBox(blockLines.map(({ box }) => box))));
    groupBy(blockLines, ({ paragraph }) => paragraph).forEach((lines, p) => {
      rows.push(row(3, [b + 1, p + 1, 0, 0], unionBox(lines.map(({ box }) => box))));
      lines.forEach((line, l) => {
        rows.push(row(4, [b + 1, p + 1, l + 1, 0], line.box));
        line.words.forEach(({ box, confidence, text }, w) => {
          const conf = (100 * confidence).toFixed(2);
          rows.push(row(5, [b + 1, p + 1, l + 1, w + 1], box, conf, text.replace(/\s+/gu, ' ')));
        });
      });
    });
  });
  return rows;
}
