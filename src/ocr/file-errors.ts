import { OcrError } from '../errors.ts';

/** What is read beyond the formats of the contract. */
export type OtherFormat = 'webp' | 'tiff' | 'gif' | 'heif' | 'pdf';

/** @throws {OcrError} INVALID_REQUEST when a file of `pageCount` pages has no page of this number */
export function checkPage(page: number, pageCount: number): void {
  if (page <= pageCount) return;
  const has = pageCount === 1 ? 'has one page' : `has ${pageCount} pages`;
  throw new OcrError('INVALID_REQUEST', `The file ${has}, and \`pages\` asks for page ${page}.`);
}

const NAMES: Readonly<Record<OtherFormat, string>> = {
  webp: 'WebP',
  tiff: 'TIFF',
  gif: 'GIF',
  heif: 'AVIF or HEIC',
  pdf: 'PDF',
};

/** The one INVALID_IMAGE of a format; `detail` is only logged. */
export function damagedFile(format: OtherFormat, detail: string): OcrError {
  return new OcrError(
    'INVALID_IMAGE',
    `The ${NAMES[format]} file is damaged, incomplete or of a kind that is not read. Open it in a viewer, save it again, or as png, and send the new file.`,
    { detail },
  );
}

/** No free decoder of HEVC may be shipped with this project: its patents are licensed for money. */
export function hevcError(): OcrError {
  return new OcrError(
    'UNSUPPORTED_FORMAT',
    'The file is a HEIC image with HEVC compression, which this server cannot decode. Save it as jpg, png or AVIF (on an iPhone: Settings, Camera, Formats, Most Compatible).',
  );
}
