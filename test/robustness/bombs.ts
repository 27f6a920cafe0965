import { randomFillSync } from 'node:crypto';
import zlib from 'node:zlib';
import { PNG_SIGNATURE, pngChunk } from '../png-chunk.ts';

/** A picture that is built to hurt, and the answers that are right for it. */
export interface Bomb {
  readonly name: string;
  readonly file: Buffer;
  readonly codes: readonly string[];
}

interface PngKind {
  readonly bitDepth: number;
  readonly colourType: number;
  readonly interlaced?: boolean;
}

const GRAY8: PngKind = { bitDepth: 8, colourType: 0 };
const RGBA16: PngKind = { bitDepth: 16, colourType: 6 };

function png(width: number, height: number, kind: PngKind, pixels: Buffer, between: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([kind.bitDepth, kind.colourType, 0, 0, kind.interlaced === true ? 1 : 0], 8);
  const body = [pngChunk('IHDR', header), ...between, pngChunk('IDAT', pixels), pngChunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([PNG_SIGNATURE, ...body]);
}

/** `bytes` zeros as a zlib stream: for a PNG black pixels, each row with filter 0. */
const zeros = (bytes: number): Buffer => zlib.deflateSync(Buffer.alloc(bytes), { level: 1 });

/** Side of the largest picture that is accepted by default (OCR_MAX_SIDE). */
const LARGEST = 4096;

/**
 * The dearest picture to repair: 16-bit RGBA at full size, 134 MB of pixels, whose data breaks off after 60 % of the rows. A
 * third is noise, so that it does not compress away, and the file stays below 50 MB.
 */
function cutOffRgba16(): Buffer {
  const raw = Buffer.alloc(LARGEST * (1 + LARGEST * 8));
  randomFillSync(raw, 0, Math.floor(raw.length / 3));
  for (let at = 0; at < raw.length; at += 1 + LARGEST * 8) raw[at] = 0;
  const packed = zlib.deflateSync(raw.subarray(0, Math.floor(raw.length * 0.6)), { level: 1 });
  return png(LARGEST, LARGEST, RGBA16, packed.subarray(0, packed.length - 64));
}

function marker(code: number, ...data: number[]): Buffer {
  const length = data.length + 2;
  return Buffer.from([0xff, code, length >> 8, length & 0xff, ...data]);
}

/** A progressive gray JPEG of 4096 x 4096: one DC scan, then AC scans whose every block is empty. */
function progressiveJpeg(scans: number): Buffer {
  const side = [LARGEST >> 8, LARGEST & 0xff];
  // One code of one bit: DC difference 0 and, for AC, "32,768 empty blocks follow" (EOBn, ITU-T T.81, annex G).
  const oneCode = [1, ...new Array<number>(15).fill(0)];
  const acScan = Buffer.concat([marker(0xda, 1, 1, 0, 1, 63, 0), Buffer.alloc(16)]);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    marker(0xdb, 0, ...new Array<number>(64).fill(1)),
    marker(0xc2, 8, ...side, ...side, 1, 1, 0x11, 0),
    marker(0xc4, 0x00, ...oneCode, 0),
    marker(0xc4, 0x10, ...oneCode, 0xe0),
    marker(0xda, 1, 1, 0, 0, 0, 0),
    Buffer.alloc((LARGEST * LARGEST) / 64 / 8),
    ...new Array<Buffer>(scans - 1).fill(acScan),
    Buffer.from([0xff, 0xd9]),
  ]);
}

interface BmpKind {
  readonly bits: number;
  readonly compression?: number;
  readonly colours?: number;
}

function bmp(width: number, height: number, { bits, compression = 0, colours = 0 }: BmpKind, pixels: Buffer): Buffer {
  const offset = 54 + 4 * colours;
  const header = Buffer.alloc(offset, 0x80);
  header.write('BM', 0, 'latin1');
  header.writeUInt32LE(offset + pixels.length, 2);
  header.writeUInt32LE(0, 6);
  header.writeUInt32LE(offset, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression, 30);
  header.fill(0, 34, 54);
  header.writeUInt32LE(colours, 46);
  return Buffer.concat([header, pixels]);
}

const RLE8 = 1;
const INT_MIN = -2_147_483_648;

/** The bombs of the promise "hostile images", each about as bad as its kind can be. Takes some seconds to make. */
export function makeBombs(): Bomb[] {
  const refused = ['INVALID_IMAGE'];
  const eitherWay = ['OK', ...refused];
  const text = pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), zeros(7_000_000)]));
  const oneRow = LARGEST * 8 + 1;
  return [
    {
      name: 'png 16,000 x 16,000',
      file: png(16_000, 16_000, GRAY8, zeros(16_001 * 16_000)),
      codes: ['IMAGE_TOO_LARGE'],
    },
    { name: 'png 65,535 x 256', file: png(65_535, 256, GRAY8, zeros(65_536 * 256)), codes: ['IMAGE_TOO_LARGE'] },
    { name: 'png 8 x 8 of 500 MB', file: png(8, 8, GRAY8, zeros(500_000_000)), codes: eitherWay },
    {
      name: 'png with 1,000 zTXt of 7 MB',
      file: png(8, 8, GRAY8, zeros(72), new Array<Buffer>(1000).fill(text)),
      codes: eitherWay,
    },
    { name: 'png 16-bit RGBA cut off', file: cutOffRgba16(), codes: eitherWay },
    {
      name: 'png 16-bit RGBA interlaced',
      file: png(LARGEST, LARGEST, { ...RGBA16, interlaced: true }, zeros(LARGEST * oneRow + 4096)),
      codes: eitherWay,
    },
    { name: 'jpg of 2,000 scans', file: progressiveJpeg(2000), codes: refused },
    { name: 'jpg of 100 scans', file: progressiveJpeg(100), codes: eitherWay },
    {
      name: 'bmp of height INT_MIN',
      file: bmp(8, INT_MIN, { bits: 24 }, Buffer.alloc(192)),
      codes: ['IMAGE_TOO_LARGE'],
    },
    { name: 'bmp of width INT_MIN', file: bmp(INT_MIN, 8, { bits: 24 }, Buffer.alloc(192)), codes: refused },
    {
      name: 'bmp RLE that runs past its end',
      file: bmp(
        64,
        64,
        { bits: 8, compression: RLE8, colours: 4 },
        Buffer.alloc(40_000, Buffer.from([255, 1, 0, 200, 7])),
      ),
      codes: eitherWay,
    },
    {
      name: 'bmp RLE with deltas outside',
      file: bmp(64, 64, { bits: 8, compression: RLE8, colours: 4 }, Buffer.alloc(4000, Buffer.from([0, 2, 255, 255]))),
      codes: eitherWay,
    },
    {
      name: 'bmp with palette indexes out of range',
      file: bmp(64, 64, { bits: 8, colours: 2 }, Buffer.alloc(4096, 0xff)),
      codes: ['OK'],
    },
  ];
}
