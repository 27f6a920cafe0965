import type { PDFiumDocument, PDFiumLibrary } from '@hyzyla/pdfium';
import { OcrError } from '../errors.ts';
import type { DecodedPage, DecodeFileOptions } from './decode-file.ts';
import { checkPage, damagedFile } from './file-errors.ts';
import type { RgbImage } from './rgb-image.ts';

/** Points of PDF an inch. */
const POINTS = 72;

/**
 * Dots an inch at which pages are drawn: text of 10 points is 28 px high, well inside what is read best; twice as many
 * would cost four times the memory and give nothing (`text-detection.ts` looks at 960 px).
 */
const RESOLUTION = 200;

/** Pages are drawn with at least this many pixels a side, however small or degenerate. */
const MIN_SIDE = 8;

let library: Promise<PDFiumLibrary> | undefined;

/** PDFium as WebAssembly, loaded (4 MB, some 100 ms) when the first PDF comes. */
async function pdfium(): Promise<PDFiumLibrary> {
  library ??= import('@hyzyla/pdfium').then(({ PDFiumLibrary }) => PDFiumLibrary.init());
  return library;
}

/**
 * Draws a page of a PDF as a viewer shows it, on white, at 200 dpi or as large as `maxSide` allows.
 *
 * @throws {OcrError} INVALID_IMAGE (damaged), INVALID_REQUEST (no such page), UNSUPPORTED_FORMAT (behind a password)
 */
export async function renderPdfPage(file: Uint8Array, { maxSide, page }: DecodeFileOptions): Promise<DecodedPage> {
  const document = await open(file);
  try {
    const pageCount = document.getPageCount();
    checkPage(page, pageCount);
    return { image: await draw(document, page, maxSide), pageCount };
  } finally {
    document.destroy();
  }
}

async function open(file: Uint8Array): Promise<PDFiumDocument> {
  const loaded = await pdfium();
  try {
    return await loaded.loadDocument(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/password/i.test(reason)) {
      throw new OcrError(
        'UNSUPPORTED_FORMAT',
        'The PDF is locked with a password. Open it, save it without one and send the new file.',
      );
    }
    throw damagedFile('pdf', reason);
  }
}

async function draw(document: PDFiumDocument, number: number, maxSide: number): Promise<RgbImage> {
  try {
    const page = document.getPage(number - 1);
    const { originalWidth, originalHeight } = page.getOriginalSize();
    const scale = Math.min(RESOLUTION / POINTS, maxSide / Math.max(originalWidth, originalHeight, 1));
    const width = Math.max(Math.floor(originalWidth * scale), MIN_SIDE);
    const height = Math.max(Math.floor(originalHeight * scale), MIN_SIDE);
    const { data } = await page.render({ width, height, render: 'bitmap', colorSpace: 'BGRA' });
    return { data: toRgb(data), width, height };
  } catch (error) {
    throw damagedFile('pdf', error instanceof Error ? error.message : String(error));
  }
}

/** The package's bitmap: opaque, four bytes a pixel, red first, whatever its name (`BGRA` is what PDFium draws into). */
function toRgb(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
