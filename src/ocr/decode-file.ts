import sharp from 'sharp';
import { decodeImage, tryDecode } from './decode-image.ts';
import { checkPage, damagedFile, hevcError, type OtherFormat } from './file-errors.ts';
import { checkSize } from './image-header.ts';
import { readPdfPage } from './pdf-page.ts';
import type { PdfText } from './pdf-text.ts';
import type { RgbImage } from './rgb-image.ts';

/** One page of a file. */
export interface DecodedPage {
  readonly image: RgbImage;
  /** Pages of the file; 1 for animations, of which the first frame is read. */
  readonly pageCount: number;
  /** What a PDF says that stands on the page; absent without `textLayer`, and where there is none. */
  readonly text?: PdfText;
}

export interface DecodeFileOptions {
  /** Longest side in pixels; larger pictures are refused from their header, PDF pages are drawn no larger. */
  readonly maxSide: number;
  /** Of the file, from 1. */
  readonly page: number;
  /** Gives the text that a PDF says it has as well. */
  readonly textLayer?: boolean;
}

/**
 * First bytes (latin1). HEIF holds AVIF and HEIC; a PDF's header may stand anywhere in the first kilobyte (ISO 32000-1,
 * annex H.3.4.1). BigTIFF is a TIFF too.
 */
const SIGNATURES: readonly (readonly [RegExp, OtherFormat])[] = [
  [/^RIFF[^]{4}WEBP/, 'webp'],
  [/^(II[*+]\0|MM\0[*+])/, 'tiff'],
  [/^GIF8[79]a/, 'gif'],
  [/^[^]{4}ftyp(avi[fs]|hei[cmsx]|hev[cmsx]|mif1|msf1)/, 'heif'],
  [/^[^]{0,1019}%PDF-/, 'pdf'],
];
const SNIFFED_BYTES = 1024;

/** The one loader of libvips that each needs; all others stay blocked (decode-image.ts). */
const LOADERS: Readonly<Record<Exclude<OtherFormat, 'pdf'>, string>> = {
  webp: 'VipsForeignLoadWebp',
  tiff: 'VipsForeignLoadTiff',
  gif: 'VipsForeignLoadNsgif',
  heif: 'VipsForeignLoadHeif',
};

/**
 * Decodes a page of a file of any format that is read: what `decodeImage` takes, and WebP, TIFF, GIF, AVIF and PDF.
 *
 * @throws {OcrError} as `decodeImage`; INVALID_REQUEST when the file has no such page
 */
export async function decodeFile(file: Uint8Array, options: DecodeFileOptions): Promise<DecodedPage> {
  const start = Buffer.from(file.subarray(0, SNIFFED_BYTES)).toString('latin1');
  const format = /^(\xff\xd8|\x89PNG|BM)/.test(start)
    ? undefined
    : SIGNATURES.find(([pattern]) => pattern.test(start))?.[1];
  if (format === 'pdf') return readPdfPage(file, options);
  if (format !== undefined) return decodeOther(file, format, options);
  const image = await decodeImage(file, options);
  checkPage(options.page, 1);
  return { image, pageCount: 1 };
}

async function decodeOther(
  file: Uint8Array,
  format: Exclude<OtherFormat, 'pdf'>,
  { maxSide, page }: DecodeFileOptions,
): Promise<DecodedPage> {
  const operation = [LOADERS[format]];
  // One page at a time in an engine process: nothing else runs that could use the loader meanwhile.
  sharp.unblock({ operation });
  try {
    const pageCount = await checkHeader(file, format, maxSide, page);
    const decoded = await tryDecode(file, 'error', maxSide, page - 1);
    if (decoded.ok) return { image: decoded.image, pageCount };
    throw damagedFile(format, decoded.reason);
  } finally {
    sharp.block({ operation });
  }
}

/** Looks at the header alone; gives the number of pages. */
async function checkHeader(file: Uint8Array, format: OtherFormat, maxSide: number, page: number): Promise<number> {
  // Every page of a TIFF has a size of its own; whether there is such a page is known from the first.
  const first = await readHeader(file, format, 0);
  const pageCount = format === 'tiff' ? (first.pages ?? 1) : 1;
  checkPage(page, pageCount);
  const header = page === 1 ? first : await readHeader(file, format, page - 1);
  if (header.compression === 'hevc') throw hevcError();
  checkSize(header.width, header.height, maxSide);
  return pageCount;
}

async function readHeader(file: Uint8Array, format: OtherFormat, page: number) {
  try {
    return await sharp(file, { page, limitInputPixels: false }).metadata();
  } catch (error) {
    const brand = Buffer.from(file.subarray(8, 12)).toString('latin1');
    if (format === 'heif' && /^he/.test(brand)) throw hevcError();
    throw damagedFile(format, error instanceof Error ? error.message : String(error));
  }
}
