import { OcrError } from '../errors.ts';
import type { DecodedPage, DecodeFileOptions } from './decode-file.ts';
import { checkPage, damagedFile } from './file-errors.ts';
import { readPdfText } from './pdf-text.ts';
import { forgetPdfium, loadPdfium, withMemory, type Pdfium } from './pdfium.ts';
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

/** FPDF_ERR_PASSWORD (fpdfview.h). */
const PASSWORD_ERROR = 4;

/** FPDFBitmap_BGRA (fpdfview.h): four bytes a pixel. */
const BGRA = 4;
const BYTES_PER_PIXEL = 4;
const WHITE = 0xffffffff;

/** FPDF_ANNOT, FPDF_LCD_TEXT and FPDF_REVERSE_BYTE_ORDER (fpdfview.h): with annotations, text smoothed, red first. */
const RENDER_FLAGS = 0x01 | 0x02 | 0x10;

/**
 * Draws a page of a PDF as a viewer shows it, on white, at 200 dpi or as large as `maxSide` allows.
 *
 * @returns the page, and with `textLayer` the text that the file says it has
 * @throws {OcrError} INVALID_IMAGE (damaged), INVALID_REQUEST (no such page), UNSUPPORTED_FORMAT (behind a password)
 */
export async function readPdfPage(file: Uint8Array, options: DecodeFileOptions): Promise<DecodedPage> {
  const pdfium = await loadPdfium();
  try {
    return withMemory(pdfium, file.length, (pointer) => {
      pdfium.HEAPU8.set(file, pointer);
      return withDocument(pdfium, pointer, file.length, (document) => decodePage(pdfium, document, options));
    });
  } catch (error) {
    if (error instanceof OcrError) throw error;
    // What WebAssembly throws for a trap; its class is not among the types of Node.
    if (error instanceof Error && error.name === 'RuntimeError') forgetPdfium();
    throw damagedFile('pdf', error instanceof Error ? error.message : String(error));
  }
}

function withDocument<T>(pdfium: Pdfium, file: number, bytes: number, use: (document: number) => T): T {
  const document = pdfium._FPDF_LoadMemDocument(file, bytes, 0);
  if (document === 0) throw openError(pdfium._FPDF_GetLastError());
  try {
    return use(document);
  } finally {
    pdfium._FPDF_CloseDocument(document);
  }
}

function openError(code: number): OcrError {
  if (code !== PASSWORD_ERROR) return damagedFile('pdf', `FPDF_GetLastError ${code}`);
  return new OcrError(
    'UNSUPPORTED_FORMAT',
    'The PDF is locked with a password. Open it, save it without one and send the new file.',
  );
}

function decodePage(pdfium: Pdfium, document: number, options: DecodeFileOptions): DecodedPage {
  const pageCount = pdfium._FPDF_GetPageCount(document);
  checkPage(options.page, pageCount);
  const page = pdfium._FPDF_LoadPage(document, options.page - 1);
  if (page === 0) throw damagedFile('pdf', `page ${options.page} cannot be loaded`);
  try {
    const image = draw(pdfium, page, options.maxSide);
    if (options.textLayer !== true) return { image, pageCount };
    const text = readPdfText(pdfium, page, image);
    return text === undefined ? { image, pageCount } : { image, pageCount, text };
  } finally {
    pdfium._FPDF_ClosePage(page);
  }
}

function draw(pdfium: Pdfium, page: number, maxSide: number): RgbImage {
  const pointsWide = pdfium._FPDF_GetPageWidthF(page);
  const pointsHigh = pdfium._FPDF_GetPageHeightF(page);
  const scale = Math.min(RESOLUTION / POINTS, maxSide / Math.max(pointsWide, pointsHigh, 1));
  const width = Math.max(Math.floor(pointsWide * scale), MIN_SIDE);
  const height = Math.max(Math.floor(pointsHigh * scale), MIN_SIDE);
  const bytes = width * height * BYTES_PER_PIXEL;
  return withMemory(pdfium, bytes, (pixels) => {
    const bitmap = pdfium._FPDFBitmap_CreateEx(width, height, BGRA, pixels, width * BYTES_PER_PIXEL);
    try {
      pdfium._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE);
      pdfium._FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, RENDER_FLAGS);
    } finally {
      pdfium._FPDFBitmap_Destroy(bitmap);
    }
    return { data: toRgb(pdfium.HEAPU8.subarray(pixels, pixels + bytes)), width, height };
  });
}

/** Drops the fourth byte of every pixel: the page is opaque. */
function toRgb(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / BYTES_PER_PIXEL) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += BYTES_PER_PIXEL, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
