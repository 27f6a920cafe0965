import type { DocumentLine, DocumentPage, DocumentWord, OcrDocument } from './document.ts';
import { unionBox, type PixelBox } from './pixel-box.ts';
import { SOFTWARE } from './software.ts';
import { groupBy } from './text.ts';
import { escapeXml } from './xml.ts';

export interface HocrOptions {
  /** Whether every character gets an element (`ocrx_cinfo`) of its own. */
  readonly characters: boolean;
}

const CAPABILITIES = 'ocr_page ocr_carea ocr_par ocr_line ocrx_word';

/** hOCR 1.2 as XHTML: pages, areas (blocks), paragraphs, lines and words. Confidences (`x_wconf`) are 0 to 100. */
export function toHocr(document: OcrDocument, { characters }: HocrOptions): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh" lang="zh">
 <head>
  <title></title>
  <meta http-equiv="Content-Type" content="text/html;charset=utf-8" />
  <meta name="ocr-system" content="${escapeXml(`${SOFTWARE.name} ${SOFTWARE.version}`)}" />
  <meta name="ocr-capabilities" content="${characters ? `${CAPABILITIES} ocrx_cinfo` : CAPABILITIES}" />
 </head>
 <body>
${document.pages.map((page) => pageHocr(page, characters)).join('')} </body>
</html>
`;
}

const bbox = ({ left, top, width, height }: PixelBox): string => `bbox ${left} ${top} ${left + width} ${top + height}`;

function pageHocr(page: DocumentPage, characters: boolean): string {
  const { number, width, height } = page;
  const areas = groupBy(page.lines, ({ block }) => block).map((lines) => areaHocr(lines, number, characters));
  const title = `bbox 0 0 ${width} ${height}; ppageno ${number - 1}`;
  return `  <div class="ocr_page" id="page_${number}" title="${title}">\n${areas.join('')}  </div>\n`;
}

function areaHocr(lines: readonly DocumentLine[], page: number, characters: boolean): string {
  const id = `${page}_${lines[0].block}`;
  const paragraphs = groupBy(lines, ({ paragraph }) => paragraph).map((inside) => {
    const box = bbox(unionBox(inside.map((line) => line.box)));
    const content = inside.map((line, i) => lineHocr(line, `${page}_${line.paragraph}_${i + 1}`, characters)).join('');
    return `    <p class="ocr_par" id="par_${page}_${inside[0].paragraph}" title="${box}">\n${content}    </p>\n`;
  });
  const box = bbox(unionBox(lines.map((line) => line.box)));
  return `   <div class="ocr_carea" id="block_${id}" title="${box}">\n${paragraphs.join('')}   </div>\n`;
}

function lineHocr(line: DocumentLine, id: string, characters: boolean): string {
  const words = line.words.map((word, i) => wordHocr(word, `${id}_${i + 1}`, characters));
  const title = [bbox(line.box), ...geometryOf(line), `x_size ${sizeOf(line)}`].join('; ');
  return `     <span class="ocr_line" id="line_${id}" title="${title}">${words.join('')}</span>\n`;
}

/** `textangle` counts counter-clockwise; `baseline` is a line relative to the lower left corner of the box, y downwards. */
function geometryOf({ quad, box, orientation }: DocumentLine): string[] {
  if (orientation !== 0) return [`textangle ${360 - orientation}`];
  const [, , bottomRight, bottomLeft] = quad;
  const slope = (bottomRight.y - bottomLeft.y) / Math.max(bottomRight.x - bottomLeft.x, 1e-6);
  const offset = bottomLeft.y - slope * (bottomLeft.x - box.left) - (box.top + box.height);
  return [`baseline ${rounded(slope, 1000)} ${rounded(offset, 10)}`];
}

/** Height of the line across its text. */
function sizeOf({ quad: [a, , , d] }: DocumentLine): number {
  return rounded(Math.hypot(d.x - a.x, d.y - a.y), 10);
}

const rounded = (value: number, parts: number): number => Math.round(value * parts) / parts + 0;

function wordHocr(word: DocumentWord, id: string, characters: boolean): string {
  const title = `${bbox(word.box)}; x_wconf ${Math.floor(100 * word.confidence)}`;
  const content = characters ? word.characters.map(characterHocr).join('') : escapeXml(word.text);
  return `<span class="ocrx_word" id="word_${id}" title="${title}">${content}</span>${word.spaceAfter ? ' ' : ''}`;
}

/** As Tesseract writes characters; a quad's bounds in fractions of pixels would not be read by what reads those. */
function characterHocr({ text, confidence, quad }: DocumentWord['characters'][number]): string {
  const xs = quad.map(({ x }) => x);
  const ys = quad.map(({ y }) => y);
  const bounds = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)].map(Math.round).join(' ');
  const title = `x_bboxes ${bounds}; x_conf ${(100 * confidence).toFixed(2)}`;
  return `<span class="ocrx_cinfo" title="${title}">${escapeXml(text)}</span>`;
}
