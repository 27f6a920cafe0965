import { OcrError } from '../errors.ts';
import { checkSize, damaged } from './image-header.ts';

/** How the pixels of a BMP are stored; each needs its own reader. */
export type BmpEncoding = 'palette' | 'rle' | 'masks' | 'bgr24' | 'embedded';

/** Bit masks of the channels in a 16 or 32-bit pixel, unsigned; 0: the channel is absent. */
export interface BmpMasks {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly alpha: number;
}

/** A BMP header that was checked: every number may be used as it stands. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** Rows are stored from the top; the other order is the usual one. */
  readonly topDown: boolean;
  readonly bitsPerPixel: number;
  readonly encoding: BmpEncoding;
  /** 256 RGB triples; what the file does not define is black. */
  readonly palette: Uint8Array;
  readonly masks: BmpMasks;
  /** Byte offset of the first stored row, inside the file. */
  readonly pixelOffset: number;
}

/** Compression numbers of [MS-WMF] 2.1.1.7; in an OS/2 header 3 is Huffman 1D and 4 is RLE24. */
const BI_RGB = 0;
const BI_RLE8 = 1;
const BI_RLE4 = 2;
const BI_BITFIELDS = 3;
const BI_JPEG = 4;
const BI_PNG = 5;
const BI_ALPHABITFIELDS = 6;

const FILE_HEADER_BYTES = 14;
const CORE_HEADER_BYTES = 12;
const INFO_HEADER_BYTES = 40;
/** OS/2 2.x headers may be cut after any field (16 bytes at least); 52 and 56 are Microsoft's with masks. */
const OS2_HEADER_BYTES = [16, 64] as const;
/** BITMAPV5HEADER has 124; what is longer has been made up. */
const LONGEST_HEADER_BYTES = 124;

/** The layouts of 16 and 32 bits without masks: 5 bits each, 8 bits each; the remaining bits are unused. */
const MASKS_555: BmpMasks = { red: 0x7c00, green: 0x03e0, blue: 0x001f, alpha: 0 };
const MASKS_888: BmpMasks = { red: 0xff0000, green: 0x00ff00, blue: 0x0000ff, alpha: 0 };

interface InfoHeader {
  readonly headerBytes: number;
  readonly width: number;
  /** Negative: rows from top to bottom. */
  readonly height: number;
  readonly bitsPerPixel: number;
  readonly compression: number;
  readonly coloursUsed: number;
}

/**
 * Reads and checks a BMP header: OS/2 1.x and 2.x, Windows 3 to V5 (https://entropymine.com/jason/bmpsuite/ has them all).
 * Fields that real writers get wrong and viewers ignore (file size, image size, planes, resolution) are ignored.
 *
 * @param maxSide longest side in pixels
 * @throws {OcrError} INVALID_IMAGE, IMAGE_TOO_LARGE, or UNSUPPORTED_FORMAT for Huffman, RLE24 and CMYK
 */
export function readBmpHeader(file: Uint8Array, maxSide: number): BmpHeader {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < FILE_HEADER_BYTES + CORE_HEADER_BYTES) throw damaged('bmp', 'header cut off');
  const info = readInfoHeader(view);
  const { headerBytes, width, height, bitsPerPixel, compression } = info;
  if (width <= 0 || height === 0) throw damaged('bmp', `header of ${width} x ${height}`);
  checkSize(width, Math.abs(height), maxSide);
  const encoding = encodingOf(info);
  const masksBytes = headerBytes === INFO_HEADER_BYTES ? masksAfterInfoHeader(compression) : 0;
  const headerEnd = FILE_HEADER_BYTES + headerBytes + masksBytes;
  if (headerEnd > file.length) throw damaged('bmp', 'header cut off');
  const masks = encoding === 'masks' ? readMasks(view, info, masksBytes) : MASKS_888;
  const declared = view.getUint32(10, true);
  const entryBytes = headerBytes === CORE_HEADER_BYTES ? 3 : 4;
  // A wrong number of colours is common, and so are tables that end where the pixels begin, before the declared number.
  const colours = encoding === 'palette' || encoding === 'rle' ? paletteSize(info) : 0;
  const paletteEnd = headerEnd + colours * entryBytes;
  const pixelOffset = declared < headerEnd ? paletteEnd : declared;
  if (pixelOffset >= file.length) throw damaged('bmp', `pixels at ${pixelOffset} of ${file.length} bytes`);
  const palette = readPalette(file.subarray(headerEnd, Math.min(paletteEnd, pixelOffset)), entryBytes, bitsPerPixel);
  return { width, height: Math.abs(height), topDown: height < 0, bitsPerPixel, encoding, palette, masks, pixelOffset };
}

function readInfoHeader(view: DataView): InfoHeader {
  const headerBytes = view.getUint32(FILE_HEADER_BYTES, true);
  const at = (offset: number) => FILE_HEADER_BYTES + offset;
  if (headerBytes === CORE_HEADER_BYTES) {
    return {
      headerBytes,
      width: view.getUint16(at(4), true),
      height: view.getUint16(at(6), true),
      bitsPerPixel: view.getUint16(at(10), true),
      compression: BI_RGB,
      coloursUsed: 0,
    };
  }
  const known = headerBytes >= OS2_HEADER_BYTES[0] && headerBytes <= LONGEST_HEADER_BYTES;
  if (!known || at(headerBytes) > view.byteLength) throw damaged('bmp', `header of ${headerBytes} bytes`);
  const optional = (offset: number) => (offset + 4 <= headerBytes ? view.getUint32(at(offset), true) : 0);
  return {
    headerBytes,
    width: view.getInt32(at(4), true),
    height: view.getInt32(at(8), true),
    bitsPerPixel: view.getUint16(at(14), true),
    compression: optional(16),
    coloursUsed: optional(32),
  };
}

/** @throws {OcrError} for combinations of bits and compression that do not exist or are not read */
function encodingOf({ headerBytes, bitsPerPixel, compression }: InfoHeader): BmpEncoding {
  const os2 = headerBytes < INFO_HEADER_BYTES || headerBytes === OS2_HEADER_BYTES[1];
  if (compression === BI_RGB) {
    if ([1, 2, 4, 8].includes(bitsPerPixel)) return 'palette';
    if (bitsPerPixel === 24) return 'bgr24';
    if (bitsPerPixel === 16 || bitsPerPixel === 32) return 'masks';
  }
  if (compression === BI_RLE8 && bitsPerPixel === 8) return 'rle';
  if (compression === BI_RLE4 && bitsPerPixel === 4) return 'rle';
  if (os2 ? compression === 3 || compression === 4 : compression >= 11 && compression <= 13) {
    throw new OcrError(
      'UNSUPPORTED_FORMAT',
      'The bmp image is compressed in a way that is not read (Huffman, RLE24 or CMYK). Save it as png, jpg or as a bmp of another kind.',
      { detail: `compression ${compression}, header of ${headerBytes} bytes` },
    );
  }
  const masks = compression === BI_BITFIELDS || compression === BI_ALPHABITFIELDS;
  if (masks && (bitsPerPixel === 16 || bitsPerPixel === 32)) return 'masks';
  if (compression === BI_JPEG || compression === BI_PNG) return 'embedded';
  throw damaged('bmp', `${bitsPerPixel} bits with compression ${compression}`);
}

function masksAfterInfoHeader(compression: number): number {
  if (compression === BI_BITFIELDS) return 12;
  return compression === BI_ALPHABITFIELDS ? 16 : 0;
}

/** Without BITFIELDS the fourth byte of a 32-bit pixel is unused, whatever the header says about alpha (GDI, Pillow). */
function readMasks(view: DataView, info: InfoHeader, masksBytes: number): BmpMasks {
  const { headerBytes, bitsPerPixel, compression } = info;
  if (compression === BI_RGB) return bitsPerPixel === 16 ? MASKS_555 : MASKS_888;
  const first = FILE_HEADER_BYTES + INFO_HEADER_BYTES;
  const hasAlpha = masksBytes === 16 || headerBytes >= INFO_HEADER_BYTES + 16;
  // Headers of sizes that do not exist (20, 44) may end before the place of the masks.
  if (first + (hasAlpha ? 16 : 12) > view.byteLength) throw damaged('bmp', 'masks cut off');
  const mask = (index: number) => view.getUint32(first + 4 * index, true);
  return { red: mask(0), green: mask(1), blue: mask(2), alpha: hasAlpha ? mask(3) : 0 };
}

function paletteSize({ bitsPerPixel, coloursUsed }: InfoHeader): number {
  const most = 2 ** bitsPerPixel;
  return coloursUsed === 0 || coloursUsed > most ? most : coloursUsed;
}

/** Entries are blue, green, red (and a byte that means nothing). A file without any gets the gray scale. */
function readPalette(table: Uint8Array, entryBytes: number, bitsPerPixel: number): Uint8Array {
  const palette = new Uint8Array(256 * 3);
  const colours = Math.floor(table.length / entryBytes);
  for (let i = 0; i < colours; i += 1) {
    palette[3 * i] = table[i * entryBytes + 2];
    palette[3 * i + 1] = table[i * entryBytes + 1];
    palette[3 * i + 2] = table[i * entryBytes];
  }
  if (colours === 0 && bitsPerPixel <= 8) {
    const levels = 2 ** bitsPerPixel;
    for (let i = 0; i < levels; i += 1) palette.fill((255 * i) / (levels - 1), 3 * i, 3 * i + 3);
  }
  return palette;
}
