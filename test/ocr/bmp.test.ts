import t from 'tap';
import { readBmpHeader } from '../../src/ocr/bmp-header.ts';
import { decodeBmp } from '../../src/ocr/bmp.ts';

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];
const PALETTE: readonly Rgb[] = [BLACK, WHITE, RED, BLUE];

/** No row or column equals another one, so that every mix-up of directions shows. */
const TWO_COLOURS = [
  [0, 0, 0, 0, 1],
  [0, 1, 1, 0, 0],
  [1, 0, 1, 1, 1],
];
const FOUR_COLOURS = [
  [0, 1, 2, 3, 3],
  [2, 2, 0, 1, 3],
  [1, 3, 3, 0, 2],
];
const WIDTH = 5;
const HEIGHT = 3;

const colours = (picture: readonly (readonly number[])[]): Rgb[] => picture.flat().map((index) => PALETTE[index]);

interface BmpParts {
  width?: number;
  /** As stored: negative for rows from top to bottom. */
  height?: number;
  bits: number;
  compression?: number;
  headerBytes?: number;
  coloursUsed?: number;
  palette?: readonly Rgb[];
  masks?: readonly number[];
  pixels: Uint8Array;
  /** Instead of the true one. */
  pixelOffset?: number;
}

function bmp(parts: BmpParts): Buffer {
  const { width = WIDTH, height = HEIGHT, bits, compression = 0, headerBytes = 40, palette = [], masks = [] } = parts;
  const core = headerBytes === 12;
  const masksInHeader = headerBytes >= 52 && headerBytes !== 64;
  const info = Buffer.alloc(Math.max(40, headerBytes));
  info.writeUInt32LE(headerBytes, 0);
  if (core) {
    info.writeUInt16LE(width, 4);
    info.writeUInt16LE(height, 6);
    info.writeUInt16LE(1, 8);
    info.writeUInt16LE(bits, 10);
  } else {
    info.writeInt32LE(width, 4);
    info.writeInt32LE(height, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    info.writeUInt32LE(compression, 16);
    info.writeUInt32LE(parts.coloursUsed ?? palette.length, 32);
    if (masksInHeader) masks.forEach((mask, i) => info.writeUInt32LE(mask, 40 + 4 * i));
  }
  const after = masksInHeader ? [] : masks;
  const table = palette.flatMap(([r, g, b]) => (core ? [b, g, r] : [b, g, r, 0]));
  const maskBytes = Buffer.alloc(4 * after.length);
  after.forEach((mask, i) => maskBytes.writeUInt32LE(mask, 4 * i));
  const rest = Buffer.concat([info.subarray(0, headerBytes), maskBytes, Buffer.from(table)]);
  const file = Buffer.alloc(14);
  file.write('BM');
  file.writeUInt32LE(parts.pixelOffset ?? 14 + rest.length, 10);
  return Buffer.concat([file, rest, parts.pixels]);
}

/** Rows from the bottom, as most files have them; `pack` gives the bytes of one row without padding. */
function rows<T>(picture: readonly T[], pack: (row: T) => readonly number[], order: 'up' | 'down' = 'up'): Buffer {
  const packed = picture.map((row) => {
    const bytes = pack(row);
    return [...bytes, ...new Array<number>((4 - (bytes.length % 4)) % 4).fill(0xee)];
  });
  return Buffer.from((order === 'up' ? packed.reverse() : packed).flat());
}

const packed =
  (bits: number) =>
  (row: readonly number[]): number[] => {
    const perByte = 8 / bits;
    return Array.from({ length: Math.ceil(row.length / perByte) }, (_, i) =>
      row.slice(i * perByte, (i + 1) * perByte).reduce((byte, v, k) => byte | (v << (8 - bits * (k + 1))), 0),
    );
  };
const words =
  (bytes: 2 | 4, pixel: (colour: Rgb) => number) =>
  (row: readonly number[]): number[] =>
    row.flatMap((index) => {
      const value = pixel(PALETTE[index]);
      return Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);
    });
const bgr = (row: readonly number[]) => row.flatMap((index) => [...PALETTE[index]].reverse());
const xrgb = words(4, ([r, g, b]) => (0x77 << 24) | (r << 16) | (g << 8) | b);
const abgr =
  (alpha: number) =>
  (row: readonly number[]): number[] =>
    words(4, ([r, g, b]) => (alpha << 24) | (b << 16) | (g << 8) | r)(row);
const rgb555 = words(2, ([r, g, b]) => ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3));
const rgb565 = words(2, ([r, g, b]) => ((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3));

function decode(file: Uint8Array): Rgb[] {
  const { data, width, height } = decodeBmp(file, readBmpHeader(file, 64), 0.5);
  return Array.from({ length: width * height }, (_, i) => [data[3 * i], data[3 * i + 1], data[3 * i + 2]]);
}

const RLE_PALETTE = { palette: PALETTE, coloursUsed: 4 };
const ABGR_MASKS = [0xff, 0xff00, 0xff0000, 0xff000000];

const GOOD: readonly (readonly [string, BmpParts, readonly (readonly number[])[]])[] = [
  ['1 bit', { bits: 1, palette: [BLACK, WHITE], pixels: rows(TWO_COLOURS, packed(1)) }, TWO_COLOURS],
  ['2 bit', { bits: 2, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(2)) }, FOUR_COLOURS],
  ['4 bit', { bits: 4, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(4)) }, FOUR_COLOURS],
  ['8 bit', { bits: 8, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8)) }, FOUR_COLOURS],
  [
    'top-down',
    { bits: 8, height: -HEIGHT, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8), 'down') },
    FOUR_COLOURS,
  ],
  ['OS/2 1.x', { bits: 8, headerBytes: 12, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8)) }, FOUR_COLOURS],
  ['OS/2 2.x', { bits: 8, headerBytes: 64, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8)) }, FOUR_COLOURS],
  ['OS/2 2.x of 16 bytes', { bits: 24, headerBytes: 16, pixels: rows(FOUR_COLOURS, bgr) }, FOUR_COLOURS],
  ['OS/2 1.x, 24 bit', { bits: 24, headerBytes: 12, pixels: rows(FOUR_COLOURS, bgr) }, FOUR_COLOURS],
  ['16 bit', { bits: 16, pixels: rows(FOUR_COLOURS, rgb555) }, FOUR_COLOURS],
  [
    '16 bit, masks',
    { bits: 16, compression: 3, masks: [0xf800, 0x07e0, 0x001f], pixels: rows(FOUR_COLOURS, rgb565) },
    FOUR_COLOURS,
  ],
  ['24 bit', { bits: 24, pixels: rows(FOUR_COLOURS, bgr) }, FOUR_COLOURS],
  ['24 bit, V4', { bits: 24, headerBytes: 108, pixels: rows(FOUR_COLOURS, bgr) }, FOUR_COLOURS],
  ['24 bit, V5', { bits: 24, headerBytes: 124, pixels: rows(FOUR_COLOURS, bgr) }, FOUR_COLOURS],
  ['32 bit, fourth byte unused', { bits: 32, pixels: rows(FOUR_COLOURS, xrgb) }, FOUR_COLOURS],
  [
    '32 bit, masks behind the header',
    { bits: 32, compression: 3, masks: ABGR_MASKS.slice(0, 3), pixels: rows(FOUR_COLOURS, abgr(0x77)) },
    FOUR_COLOURS,
  ],
  [
    '32 bit, four masks behind the header',
    { bits: 32, compression: 6, masks: ABGR_MASKS, pixels: rows(FOUR_COLOURS, abgr(255)) },
    FOUR_COLOURS,
  ],
  [
    '32 bit, V5 masks',
    { bits: 32, compression: 3, headerBytes: 124, masks: ABGR_MASKS, pixels: rows(FOUR_COLOURS, abgr(255)) },
    FOUR_COLOURS,
  ],
  [
    '32 bit, alpha declared and 0 everywhere',
    { bits: 32, compression: 3, headerBytes: 56, masks: ABGR_MASKS, pixels: rows(FOUR_COLOURS, abgr(0)) },
    FOUR_COLOURS,
  ],
  [
    'more colours declared than there can be',
    { bits: 8, coloursUsed: 0xffffffff, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8)) },
    FOUR_COLOURS,
  ],
  [
    'fewer colours than declared',
    { bits: 8, coloursUsed: 200, palette: PALETTE, pixels: rows(FOUR_COLOURS, packed(8)) },
    FOUR_COLOURS,
  ],
  ['padding of the last row left out', { bits: 24, pixels: rows(FOUR_COLOURS, bgr).subarray(0, -1) }, FOUR_COLOURS],
  [
    'no offset of the pixels',
    { bits: 8, palette: PALETTE, pixelOffset: 0, pixels: rows(FOUR_COLOURS, packed(8)) },
    FOUR_COLOURS,
  ],
  [
    'RLE8: run, literal, odd literal padded, end of line, end',
    {
      ...RLE_PALETTE,
      bits: 8,
      compression: 1,
      // Bottom row first: 1 3 3 0 2 | 2 2 0 1 3 | 0 1 2 3 3
      pixels: Buffer.from([0, 5, 1, 3, 3, 0, 2, 0, 0, 0, 2, 2, 0, 3, 0, 1, 3, 0, 0, 0, 1, 0, 1, 1, 1, 2, 2, 3, 0, 1]),
    },
    FOUR_COLOURS,
  ],
  [
    'RLE4: runs alternate two colours, literals are nibbles',
    {
      ...RLE_PALETTE,
      bits: 4,
      compression: 2,
      pixels: Buffer.from([0, 5, 0x13, 0x30, 0x20, 0, 0, 0, 2, 0x22, 3, 0x01, 0, 0, 0, 3, 0x01, 0x20, 2, 0x33, 0, 1]),
    },
    [FOUR_COLOURS[0], [2, 2, 0, 1, 0], FOUR_COLOURS[2]],
  ],
  [
    'RLE8 from the top',
    {
      ...RLE_PALETTE,
      bits: 8,
      height: -HEIGHT,
      compression: 1,
      pixels: Buffer.from([5, 0, 0, 0, 5, 2, 0, 0, 5, 3, 0, 1]),
    },
    [
      [0, 0, 0, 0, 0],
      [2, 2, 2, 2, 2],
      [3, 3, 3, 3, 3],
    ],
  ],
  [
    'RLE8: skipped pixels are white, runs stop at the edge, codes after the end are not read',
    {
      ...RLE_PALETTE,
      bits: 8,
      compression: 1,
      pixels: Buffer.from([1, 2, 0, 2, 2, 1, 255, 3, 0, 1, 5, 0]),
    },
    [
      [1, 1, 1, 1, 1],
      [1, 1, 1, 3, 3],
      [2, 1, 1, 1, 1],
    ],
  ],
  [
    'RLE8 without an end code',
    { ...RLE_PALETTE, bits: 8, height: 1, compression: 1, pixels: Buffer.from([5, 2]) },
    [[2, 2, 2, 2, 2]],
  ],
];

t.test('every kind of bmp gives the exact picture', (t) => {
  for (const [name, parts, picture] of GOOD) t.strictSame(decode(bmp(parts)), colours(picture), name);
  t.end();
});

t.test('alpha is composed over white', (t) => {
  const pixels = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0xff, 0xff]);
  const file = bmp({ bits: 32, width: 3, height: 1, compression: 6, masks: ABGR_MASKS, pixels });
  t.strictSame(decode(file), [WHITE, [127, 127, 127], BLUE]);
  const sixteen = Buffer.from([0x00, 0x00, 0x00, 0x80, 0x1f, 0x80, 0, 0]);
  const masks = [0x7c00, 0x03e0, 0x001f, 0x8000];
  const file16 = bmp({ bits: 16, width: 3, height: 1, compression: 6, masks, pixels: sixteen });
  t.strictSame(decode(file16), [WHITE, BLACK, BLUE]);
  t.end();
});

t.test('channels of any width are scaled to the full range', (t) => {
  const pixels = Buffer.alloc(8);
  pixels.writeUInt32LE(0xffe00000, 0);
  pixels.writeUInt32LE(0x3ff, 4);
  const masks = [0xffe00000, 0x001ffc00, 0x000003ff];
  t.strictSame(decode(bmp({ bits: 32, width: 2, height: 1, compression: 3, masks, pixels })), [RED, BLUE]);
  const absent = bmp({
    bits: 16,
    width: 1,
    height: 1,
    compression: 3,
    masks: [0xff00, 0xff, 0],
    pixels: Buffer.alloc(4, 255),
  });
  t.strictSame(decode(absent), [[255, 255, 0]], 'a channel without a mask is 0');
  t.end();
});

t.test('palette indexes without a colour are black, a missing palette is the gray scale', (t) => {
  const pixels = Buffer.from([200, 1, 0, 0]);
  t.strictSame(decode(bmp({ bits: 8, width: 2, height: 1, palette: PALETTE, pixels })), [BLACK, WHITE]);
  const bare = bmp({ bits: 8, width: 2, height: 1, pixelOffset: 54, pixels });
  t.strictSame(decode(bare), [
    [200, 200, 200],
    [1, 1, 1],
  ]);
  t.end();
});

t.test('a truncated file is read when half of the rows are there, and the others are white', (t) => {
  const whole = rows([[2], [3], [2], [3]], bgr);
  const file = (bytes: number) => bmp({ bits: 24, width: 1, height: 4, pixels: whole.subarray(0, bytes) });
  t.strictSame(decode(file(11)), [WHITE, BLUE, RED, BLUE]);
  t.strictSame(decode(file(7)), [WHITE, WHITE, RED, BLUE]);
  t.throws(() => decode(file(6)), { code: 'INVALID_IMAGE', detail: '1 of 4 rows are there' });
  const rle = (pixels: number[]) =>
    bmp({ ...RLE_PALETTE, bits: 8, width: 1, height: 4, compression: 1, pixels: Buffer.from(pixels) });
  t.strictSame(decode(rle([1, 2, 0, 0, 1, 3])), [WHITE, WHITE, BLUE, RED]);
  t.throws(() => decode(rle([1, 2, 0, 0])), { code: 'INVALID_IMAGE' });
  t.end();
});

const small = { bits: 24, pixels: rows(FOUR_COLOURS, bgr) };
const rle8 = (bytes: number[]): BmpParts => ({ ...RLE_PALETTE, bits: 8, compression: 1, pixels: Buffer.from(bytes) });

const HOSTILE: readonly (readonly [string, Uint8Array, string])[] = [
  ['width 0', bmp({ ...small, width: 0 }), 'INVALID_IMAGE'],
  ['negative width', bmp({ ...small, width: -5 }), 'INVALID_IMAGE'],
  ['height 0', bmp({ ...small, height: 0 }), 'INVALID_IMAGE'],
  ['height INT_MIN', bmp({ ...small, height: -2_147_483_648 }), 'IMAGE_TOO_LARGE'],
  ['width INT_MAX', bmp({ ...small, width: 2_147_483_647 }), 'IMAGE_TOO_LARGE'],
  ['one over the limit', bmp({ ...small, height: -65 }), 'IMAGE_TOO_LARGE'],
  ['pixels behind the end', bmp({ ...small, pixelOffset: 0xffffffff }), 'INVALID_IMAGE'],
  ['no pixels', bmp({ ...small, pixels: Buffer.alloc(0) }), 'INVALID_IMAGE'],
  ['header of 0 bytes', bmp({ ...small, headerBytes: 0 }), 'INVALID_IMAGE'],
  ['header of 13 bytes', bmp({ ...small, headerBytes: 13 }), 'INVALID_IMAGE'],
  ['header longer than any', bmp({ ...small, headerBytes: 125 }), 'INVALID_IMAGE'],
  ['header cut off', bmp(small).subarray(0, 50), 'INVALID_IMAGE'],
  ['masks cut off', bmp({ bits: 32, compression: 3, pixels: Buffer.alloc(4) }), 'INVALID_IMAGE'],
  [
    'masks cut off, header of 20 bytes',
    bmp({ bits: 32, headerBytes: 20, compression: 6, pixels: Buffer.alloc(4) }),
    'INVALID_IMAGE',
  ],
  [
    'masks cut off, header of 44 bytes',
    bmp({ bits: 32, headerBytes: 44, compression: 3, pixels: Buffer.alloc(4) }),
    'INVALID_IMAGE',
  ],
  ['two letters', Buffer.from('BM'), 'INVALID_IMAGE'],
  ['bits 0', bmp({ ...small, bits: 0 }), 'INVALID_IMAGE'],
  ['bits 64', bmp({ ...small, bits: 64 }), 'INVALID_IMAGE'],
  ['bits 30000', bmp({ ...small, bits: 30_000 }), 'INVALID_IMAGE'],
  ['RLE8 with 4 bits', bmp({ ...small, bits: 4, compression: 1 }), 'INVALID_IMAGE'],
  ['RLE4 with 8 bits', bmp({ ...small, bits: 8, compression: 2 }), 'INVALID_IMAGE'],
  ['masks with 24 bits', bmp({ ...small, compression: 3 }), 'INVALID_IMAGE'],
  ['unknown compression', bmp({ ...small, compression: 77 }), 'INVALID_IMAGE'],
  ['CMYK', bmp({ ...small, bits: 32, compression: 11 }), 'UNSUPPORTED_FORMAT'],
  ['OS/2 Huffman', bmp({ ...small, headerBytes: 64, bits: 1, compression: 3 }), 'UNSUPPORTED_FORMAT'],
  ['OS/2 RLE24', bmp({ ...small, headerBytes: 64, compression: 4 }), 'UNSUPPORTED_FORMAT'],
  ['RLE8 that ends in a literal', bmp(rle8([0, 200, 1])), 'INVALID_IMAGE'],
  ['RLE8 that ends in a delta', bmp(rle8([0, 2, 1])), 'INVALID_IMAGE'],
];

t.test('hostile headers are refused with a code and a public message', (t) => {
  for (const [name, file, code] of HOSTILE) {
    t.throws(() => decode(file), { name: 'OcrError', code, message: /Scale it down|Open it|Save it/ }, name);
  }
  t.end();
});

t.test('RLE never writes outside of the picture, whatever it says', (t) => {
  const beyond = [0, 2, 255, 0, 255, 2, 0, 20, ...new Array<number>(20).fill(2), 0, 2, 0, 255, 255, 2];
  t.strictSame(decode(bmp(rle8(beyond))), new Array<Rgb>(WIDTH * HEIGHT).fill(WHITE));
  t.end();
});

t.test('time is bounded by the pixels: 20 MB of runs behind the end of a row', (t) => {
  const file = bmp(rle8([]));
  const stream = Buffer.alloc(20_000_000, Buffer.from([255, 3]));
  const start = process.cpuUsage();
  t.throws(() => decode(Buffer.concat([file, stream])), { code: 'INVALID_IMAGE' });
  const spent = process.cpuUsage(start);
  // 2.5 thousand million pixel steps (over 5 s) if every run were followed to its end; about 0.1 s otherwise.
  t.ok(spent.user < 2_000_000, `${spent.user} microseconds of processor time`);
  t.end();
});
