import { OcrError } from '../errors.ts';

/** The formats that are read, by content and never by name. */
export type ImageFormat = 'jpg' | 'png' | 'bmp';

/** What a JPEG says about itself before any pixel is decoded. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 3 colour, 4 CMYK or YCCK. */
  readonly components: number;
  /** False for lossless files and for more than 8 bits a channel: browsers show none of them, libvips some. */
  readonly ordinary: boolean;
}

/** What a PNG says about itself, and where the parts lie that its pixels need. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA. */
  readonly colourType: number;
  readonly interlaced: boolean;
  /** In file order, IHDR and IEND left out. */
  readonly chunks: readonly PngChunk[];
}

/** A chunk that the pixels need; `start` and `end` are byte offsets of its data in the file, cut at the end of the file. */
export interface PngChunk {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Progressive files of real encoders have about 10 scans (libjpeg: 10, jpegrescan: up to 14). A valid 188 KB file with
 * 2,646 of them took 8.9 s and could not be interrupted (measured, sharp 0.35).
 */
const MAX_JPEG_SCANS = 100;

/** A 50 MB file in IDAT chunks of 512 bytes has 100,000; encoders write 8 KB or more. Only a bomb has more than this. */
const MAX_PNG_CHUNKS = 250_000;

/** Larger EXIF does not fit into a JPEG either; what the orientation needs is in the first bytes. */
const MAX_EXIF_BYTES = 65_536;

/** PNG specification, table 11.1: the bit depths that each colour type may have. */
const PNG_BIT_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Everything else (text, colour profiles, animation frames) is dropped unread: it cannot hurt what never sees it. */
const PNG_PIXEL_CHUNKS = new Set(['PLTE', 'tRNS', 'IDAT', 'eXIf']);

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Formats that are not read but recognised, so that the message can name them: first bytes (latin1) and name. */
const OTHER_FORMATS: readonly (readonly [RegExp, string])[] = [
  [/^GIF8[79]a/, 'a GIF'],
  [/^RIFF[^]{4}WEBP/, 'a WebP'],
  [/^(II[*+]\0|MM\0[*+])/, 'a TIFF'],
  [/^[^]{4}ftypavi[fs]/, 'an AVIF'],
  [/^[^]{4}ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/, 'a HEIC'],
  [/^([^]{4}jP {2}|\xffO\xffQ)/, 'a JPEG 2000'],
  [/^([^]{4}JXL |\xff\n)/, 'a JPEG XL'],
  [/^8BPS/, 'a Photoshop'],
  [/%PDF-/, 'a PDF'],
  [/<svg[\s>]/i, 'an SVG'],
  [/<(!doctype html|html)/i, 'an HTML'],
];

/** The PDF header may stand anywhere in the first kilobyte (ISO 32000-1, annex H.3.4.1); SVG follows an XML prolog. */
const SNIFFED_BYTES = 1024;

/**
 * Tells the format by the first bytes.
 *
 * @throws {OcrError} UNSUPPORTED_FORMAT, naming the format where it is known
 */
export function recognizeFormat(file: Uint8Array): ImageFormat {
  if (file[0] === 0xff && file[1] === 0xd8) return 'jpg';
  // Only the first half of the signature: the second half shows transfers in text mode, and those are damaged PNGs.
  if (PNG_SIGNATURE.slice(0, 4).every((byte, i) => file[i] === byte)) return 'png';
  if (file[0] === 0x42 && file[1] === 0x4d) return 'bmp';
  if (file.length === 0) throw new OcrError('UNSUPPORTED_FORMAT', 'The file is empty. Send a jpg, png or bmp image.');
  const start = Buffer.from(file.subarray(0, SNIFFED_BYTES)).toString('latin1');
  const known = OTHER_FORMATS.find(([pattern]) => pattern.test(start));
  const what = known ? `The file is ${known[1]} file, not` : 'The file is not';
  throw new OcrError('UNSUPPORTED_FORMAT', `${what} a jpg, png or bmp image. Send one of these formats.`);
}

/** @throws {OcrError} IMAGE_TOO_LARGE when the longest side is over `maxSide` pixels */
export function checkSize(width: number, height: number, maxSide: number): void {
  if (Math.max(width, height) <= maxSide) return;
  throw new OcrError(
    'IMAGE_TOO_LARGE',
    `The image is ${width} x ${height} pixels and the longest side may be ${maxSide}. Scale it down, or raise OCR_MAX_SIDE on the server.`,
  );
}

/** The one INVALID_IMAGE of a format; `detail` says what was wrong and is only logged. */
export function damaged(format: ImageFormat, detail: string): OcrError {
  return new OcrError(
    'INVALID_IMAGE',
    `The ${format} image is damaged or incomplete and cannot be decoded. Open it in an image viewer, save it again and send the new file.`,
    { detail },
  );
}

const isStartOfFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/**
 * Walks the markers as libjpeg does (ITU-T T.81, annex B; garbage between segments is skipped, the first EOI ends the
 * image), so that nothing is taken for a header here that the decoder would not take for one. Linear in the file.
 *
 * @throws {OcrError} INVALID_IMAGE without a frame header or with more than 100 scans
 */
export function readJpegHeader(file: Uint8Array): JpegHeader {
  let header: JpegHeader | undefined;
  let scans = 0;
  let at = 2;
  while (at + 1 < file.length) {
    if (file[at] !== 0xff) {
      const next = file.indexOf(0xff, at);
      if (next < 0) break;
      at = next;
      continue;
    }
    const marker = file[at + 1];
    // A fill byte may precede a marker; 00, TEM and RST0..7 stand alone, mostly inside the pixel data that is skipped here.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    at += 2;
    if (marker === 0xd9) break;
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (isStartOfFrame(marker)) header ??= readFrameHeader(file, at, marker);
    if (marker === 0xda) {
      scans += 1;
      if (scans > MAX_JPEG_SCANS) throw damaged('jpg', `more than ${MAX_JPEG_SCANS} scans`);
    }
    at += Math.max(2, (file[at] << 8) | file[at + 1]);
  }
  if (!header) throw damaged('jpg', 'no frame header');
  if (scans === 0) throw damaged('jpg', 'no scan');
  return header;
}

function readFrameHeader(file: Uint8Array, at: number, marker: number): JpegHeader {
  if (at + 8 > file.length) throw damaged('jpg', 'frame header cut off');
  const height = (file[at + 3] << 8) | file[at + 4];
  const width = (file[at + 5] << 8) | file[at + 6];
  // Height 0 means "see the DNL marker after the first scan"; libjpeg, and so every browser, refuses such files.
  if (width === 0 || height === 0) throw damaged('jpg', `frame of ${width} x ${height}`);
  const lossless = marker === 0xc3 || marker === 0xc7 || marker === 0xcb || marker === 0xcf;
  return { width, height, components: file[at + 7], ordinary: file[at + 2] === 8 && !lossless };
}

/**
 * Reads IHDR and lists the chunks that the pixels need. Checksums are not looked at, and a file that ends early gives
 * what is there: the decoder decides what it can use. Linear in the number of chunks.
 *
 * @throws {OcrError} INVALID_IMAGE without a sound IHDR, without IDAT, or with more than 250,000 chunks
 */
export function readPngHeader(file: Uint8Array): PngHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const typeAt = (at: number) => String.fromCharCode(file[at], file[at + 1], file[at + 2], file[at + 3]);
  if (file.length < 33 || PNG_SIGNATURE.some((byte, i) => file[i] !== byte)) throw damaged('png', 'signature');
  if (view.getUint32(8) !== 13 || typeAt(12) !== 'IHDR') throw damaged('png', 'no IHDR');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [bitDepth, colourType, compression, filter, interlace] = file.subarray(24, 29);
  if (width === 0 || height === 0) throw damaged('png', `IHDR of ${width} x ${height}`);
  if (!PNG_BIT_DEPTHS[colourType]?.includes(bitDepth) || compression !== 0 || filter !== 0 || interlace > 1) {
    throw damaged('png', `IHDR: ${[bitDepth, colourType, compression, filter, interlace].join(' ')}`);
  }
  const chunks: PngChunk[] = [];
  let count = 0;
  for (let at = 33; at + 8 <= file.length;) {
    count += 1;
    if (count > MAX_PNG_CHUNKS) throw damaged('png', `more than ${MAX_PNG_CHUNKS} chunks`);
    const length = view.getUint32(at);
    const type = typeAt(at + 4);
    const start = at + 8;
    if (type === 'IEND') break;
    if (PNG_PIXEL_CHUNKS.has(type) && (type !== 'eXIf' || length <= MAX_EXIF_BYTES)) {
      chunks.push({ type, start, end: Math.min(start + length, file.length) });
    }
    at = start + length + 4;
  }
  if (!chunks.some((chunk) => chunk.type === 'IDAT')) throw damaged('png', 'no IDAT');
  return { width, height, bitDepth, colourType, interlaced: interlace === 1, chunks };
}
