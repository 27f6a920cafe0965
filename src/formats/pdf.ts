import { readJpegHeader } from '../ocr/image-header.ts';
import type { Picture } from '../ocr/page.ts';
import type { DocumentLine, DocumentPage, OcrDocument } from './document.ts';
import { CHARACTER_WIDTH, InvisibleFont } from './invisible-font.ts';
import { PdfFile, type Reference } from './pdf-file.ts';
import { SOFTWARE } from './software.ts';

/**
 * The longer side of every page in points: that of A4. Pictures seldom say truly how large they were on paper, and this
 * one can be printed.
 */
const LONGER_SIDE = 842;

/** Text that is neither filled nor stroked, but found, selected and copied (ISO 32000-1, table 106). */
const INVISIBLE = 3;

/**
 * A searchable PDF: each page is the picture with its text, invisible, where it stands. Words keep their places and
 * orientation; the order is the reading order.
 *
 * @throws {Error} if a page has no picture: a bug of the caller
 */
export function toPdf(document: OcrDocument): Buffer {
  const file = new PdfFile();
  const font = new InvisibleFont();
  const fontReference = file.reserve();
  const tree = file.reserve();
  const pages = document.pages.map((page) => addPage(file, page, font, fontReference, tree));
  font.addTo(file, fontReference);
  file.add(`<< /Type /Pages /Kids [${pages.join(' ')}] /Count ${pages.length} >>`, tree);
  const root = file.add(`<< /Type /Catalog /Pages ${tree} >>`);
  const info = file.add(`<< /Producer (${SOFTWARE.name} ${SOFTWARE.version}) >>`);
  return file.finish(root, info);
}

function addPage(
  file: PdfFile,
  page: DocumentPage,
  font: InvisibleFont,
  fontReference: Reference,
  parent: Reference,
): Reference {
  if (page.picture === undefined) throw new Error(`page ${page.number} was read without its picture`);
  const scale = LONGER_SIDE / Math.max(page.width, page.height);
  const width = number(page.width * scale);
  const height = number(page.height * scale);
  const image = addImage(file, page.picture);
  const text = page.lines.map((line) => lineContent(line, page.height, scale, font)).join('');
  const content = file.addFlateStream(`q ${width} 0 0 ${height} 0 0 cm /Picture Do Q\n${text}`);
  return file.add(
    `<< /Type /Page /Parent ${parent} /MediaBox [0 0 ${width} ${height}] /Contents ${content} ` +
      `/Resources << /XObject << /Picture ${image} >> /Font << /Text ${fontReference} >> >> >>`,
  );
}

function addImage(file: PdfFile, { jpeg, width, height }: Picture): Reference {
  const colours = readJpegHeader(jpeg).components === 1 ? 'Gray' : 'RGB';
  return file.addStream(
    jpeg,
    `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent 8 /ColorSpace /Device${colours} /Filter /DCTDecode`,
  );
}

/**
 * One text object for a line. The words follow each other without a gap, stretched to where the next one begins, or
 * readers would take the white between two ideographs for a space; real spaces are characters.
 */
function lineContent(line: DocumentLine, pageHeight: number, scale: number, font: InvisibleFont): string {
  const [a, b, , d] = line.quad;
  const size = Math.max(Math.hypot(d.x - a.x, d.y - a.y) * scale, 0.1);
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  // Direction of the text; the y axis of PDF points up.
  const cos = (b.x - a.x) / length;
  const sin = -(b.y - a.y) / length;
  const along = ({ x, y }: { x: number; y: number }): number => (x - d.x) * cos - (y - d.y) * sin;
  const words = line.words.map((word, i) => {
    const next = line.words[i + 1];
    const characters = [...word.characters.map(({ text }) => text), ...(word.spaceAfter && next ? [' '] : [])];
    const start = along(word.quad[3]);
    const end = next === undefined ? along(word.quad[2]) : along(next.quad[3]);
    const room = Math.max((end - start) * scale, 0.01);
    const stretch = (100 * room) / (characters.length * CHARACTER_WIDTH * size);
    const x = (d.x + start * cos) * scale;
    const y = (pageHeight - d.y + start * sin) * scale;
    const matrix = [cos, sin, -sin, cos, x, y].map(number).join(' ');
    return `${number(stretch)} Tz ${matrix} Tm ${font.encode(characters)} Tj\n`;
  });
  return `BT ${INVISIBLE} Tr /Text ${number(size)} Tf\n${words.join('')}ET\n`;
}

/** PDF knows no exponents (7.3.3). */
const number = (value: number): string => (Math.round(value * 10_000) / 10_000 + 0).toFixed(4).replace(/\.?0+$/, '');
