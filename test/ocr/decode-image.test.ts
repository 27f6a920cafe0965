import zlib from 'node:zlib';
import sharp from 'sharp';
import t from 'tap';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { readPngHeader } from '../../src/ocr/image-header.ts';
import { rebuildPng } from '../../src/ocr/png-rebuild.ts';

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];

/** 64 x 32 with another colour in each quarter, so that every mix-up of directions and channels shows. */
const WIDTH = 64;
const HEIGHT = 32;
const QUARTERS = [RED, WHITE, BLUE, BLACK];
const PICTURE = Buffer.from(
  Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const right = i % WIDTH >= WIDTH / 2 ? 1 : 0;
    const below = i >= (WIDTH * HEIGHT) / 2 ? 2 : 0;
    return [...QUARTERS[right + below]];
  }).flat(),
);
const picture = () => sharp(PICTURE, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

const decode = (file: Uint8Array, maxSide = 256) => decodeImage(file, { maxSide });

/** The centres of the four quarters, left to right and top to bottom. */
async function quarters(file: Uint8Array): Promise<Rgb[]> {
  const { data, width, height } = await decode(file);
  return [1, 3].flatMap((y) =>
    [1, 3].map((x): Rgb => {
      const at = (Math.floor((y * height) / 4) * width + Math.floor((x * width) / 4)) * 3;
      return [data[at], data[at + 1], data[at + 2]];
    }),
  );
}

async function pixels(file: Uint8Array): Promise<Rgb[]> {
  const { data, width, height } = await decode(file);
  return Array.from({ length: width * height }, (_, i) => [data[3 * i], data[3 * i + 1], data[3 * i + 2]]);
}

/** JPEG keeps flat colours within a few levels. */
const near = (found: readonly Rgb[], wanted: readonly Rgb[], tolerance: number): boolean =>
  found.every((colour, i) => colour.every((value, c) => Math.abs(value - wanted[i][c]) <= tolerance));

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const file = Buffer.alloc(body.length + 8);
  file.writeUInt32BE(data.length);
  body.copy(file, 4);
  file.writeUInt32BE(zlib.crc32(body), body.length + 4);
  return file;
}

interface PngParts {
  width?: number;
  bits: number;
  type: number;
  /** Rows without their filter byte. */
  rows: readonly (readonly number[])[];
  before?: readonly Buffer[];
  idat?: Buffer;
}

function png({ width = 4, bits, type, rows, before = [], idat }: PngParts): Buffer {
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(rows.length, 4);
  ihdr.set([bits, type], 8);
  const raw = Buffer.from(rows.flatMap((row) => [0, ...row]));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', ihdr),
    ...before,
    chunk('IDAT', idat ?? zlib.deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const plte = (...colours: Rgb[]) => chunk('PLTE', Buffer.from(colours.flat()));
const trns = (...bytes: number[]) => chunk('tRNS', Buffer.from(bytes));
const gray = (...levels: number[]): Rgb[] => levels.map((v) => [v, v, v]);
const palette = plte(RED, WHITE, BLUE, BLACK);
const PALETTE_PICTURE = [RED, WHITE, BLUE, BLACK];

const EXACT: readonly (readonly [string, PngParts, readonly Rgb[]])[] = [
  ['1-bit gray', { bits: 1, type: 0, rows: [[0b0110_0000]] }, gray(0, 255, 255, 0)],
  ['2-bit gray', { bits: 2, type: 0, rows: [[0b0001_1011]] }, gray(0, 85, 170, 255)],
  ['4-bit gray', { bits: 4, type: 0, rows: [[0x05, 0xaf]] }, gray(0, 85, 170, 255)],
  ['8-bit gray', { bits: 8, type: 0, rows: [[1, 2, 3, 254]] }, gray(1, 2, 3, 254)],
  ['16-bit gray', { bits: 16, type: 0, rows: [[0, 0, 0x12, 0x34, 0x80, 0, 255, 255]] }, gray(0, 0x12, 0x80, 255)],
  ['8-bit RGB', { bits: 8, type: 2, rows: [[...RED, ...WHITE, ...BLUE, ...BLACK]] }, PALETTE_PICTURE],
  ['16-bit RGB', { width: 1, bits: 16, type: 2, rows: [[0x12, 0x34, 0x80, 0, 255, 255]] }, [[0x12, 0x80, 255]]],
  ['1-bit palette', { bits: 1, type: 3, before: [plte(BLUE, RED)], rows: [[0b0110_0000]] }, [BLUE, RED, RED, BLUE]],
  ['2-bit palette', { bits: 2, type: 3, before: [palette], rows: [[0b0001_1011]] }, PALETTE_PICTURE],
  ['4-bit palette', { bits: 4, type: 3, before: [palette], rows: [[0x01, 0x23]] }, PALETTE_PICTURE],
  ['8-bit palette', { bits: 8, type: 3, before: [palette], rows: [[0, 1, 2, 3]] }, PALETTE_PICTURE],
  ['gray and alpha', { width: 3, bits: 8, type: 4, rows: [[9, 0, 9, 255, 0, 127]] }, gray(255, 9, 128)],
  ['16-bit gray and alpha', { width: 2, bits: 16, type: 4, rows: [[0, 0, 0, 0, 0x34, 0, 255, 255]] }, gray(255, 0x34)],
  ['RGBA', { width: 2, bits: 8, type: 6, rows: [[...BLUE, 0, ...BLUE, 255]] }, [WHITE, BLUE]],
  ['transparent gray level', { bits: 8, type: 0, before: [trns(0, 7)], rows: [[7, 8, 9, 7]] }, gray(255, 8, 9, 255)],
  [
    'transparent colour',
    { width: 2, bits: 8, type: 2, before: [trns(0, 255, 0, 0, 0, 0)], rows: [[...RED, ...BLUE]] },
    [WHITE, BLUE],
  ],
  [
    'transparent palette entries',
    { bits: 2, type: 3, before: [palette, trns(255, 255, 0, 0)], rows: [[0b0001_1011]] },
    [RED, WHITE, WHITE, WHITE],
  ],
];

t.test('every kind of png gives the exact picture', async (t) => {
  for (const [name, parts, wanted] of EXACT) t.strictSame(await pixels(png(parts)), wanted, name);
});

t.test('encoders: interlaced, 1-bit palette, gray, progressive', async (t) => {
  t.strictSame(await quarters(await picture().png({ progressive: true }).toBuffer()), QUARTERS, 'interlaced png');
  const oneBit = await picture().grayscale().threshold(128).png({ palette: true, colours: 2 }).toBuffer();
  t.equal(oneBit[24], 1, 'one bit a pixel');
  t.strictSame(await quarters(oneBit), [BLACK, WHITE, BLACK, BLACK]);
  t.ok(near(await quarters(await picture().jpeg().toBuffer()), QUARTERS, 6), 'jpg');
  t.ok(near(await quarters(await picture().jpeg({ progressive: true }).toBuffer()), QUARTERS, 6), 'progressive jpg');
  const grayJpeg = await picture().grayscale().toColourspace('b-w').jpeg().toBuffer();
  const levels = await quarters(grayJpeg);
  t.ok(
    levels.every(([r, g, b]) => r === g && g === b),
    'gray stays gray',
  );
  t.ok(levels[1][0] > 250 && levels[3][0] < 5, 'light and dark');
});

t.test('CMYK jpg has the right light, dark and hue', async (t) => {
  const [red, white, blue, black] = await quarters(await picture().toColourspace('cmyk').jpeg().toBuffer());
  t.ok(Math.min(...white) > 245, `white ${white}`);
  t.ok(Math.max(...black) < 60, `black ${black}`);
  t.ok(red[0] > 180 && red[1] < 90 && red[2] < 90, `red ${red}`);
  t.ok(blue[2] > blue[0] + 40 && blue[2] > blue[1] + 40, `blue ${blue}`);
});

t.test('all EXIF orientations are applied', async (t) => {
  const [a, b, c, d] = QUARTERS;
  // EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored picture belong.
  const upright: Readonly<Record<number, readonly Rgb[]>> = {
    1: [a, b, c, d],
    2: [b, a, d, c],
    3: [d, c, b, a],
    4: [c, d, a, b],
    5: [a, c, b, d],
    6: [c, a, d, b],
    7: [d, b, c, a],
    8: [b, d, a, c],
  };
  for (const [orientation, wanted] of Object.entries(upright)) {
    const turned = picture().withMetadata({ orientation: Number(orientation) });
    const jpeg = await turned.clone().jpeg().toBuffer();
    const { width, height } = await decode(jpeg);
    t.strictSame([width, height], Number(orientation) > 4 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]);
    t.ok(near(await quarters(jpeg), wanted, 6), `jpg ${orientation}`);
    t.strictSame(await quarters(await turned.clone().png().toBuffer()), wanted, `png ${orientation}`);
  }
});

t.test('metadata that is broken, odd or a bomb does not matter', async (t) => {
  const jpeg = await picture().jpeg().toBuffer();
  const app = (marker: number, payload: Buffer) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(payload.length + 2, 2);
    return Buffer.concat([jpeg.subarray(0, 2), head, payload, jpeg.subarray(2)]);
  };
  const icc = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), Buffer.alloc(200, 0xee)]);
  t.ok(near(await quarters(app(0xe2, icc)), QUARTERS, 6), 'broken profile in a jpg');
  const exif = Buffer.concat([Buffer.from('Exif\0\0MM\0*', 'latin1'), Buffer.alloc(200, 0xee)]);
  t.ok(near(await quarters(app(0xe1, exif)), QUARTERS, 6), 'broken EXIF in a jpg');

  const base: PngParts = { bits: 8, type: 0, rows: [[1, 2, 3, 4]] };
  const withChunks = (...before: Buffer[]) => pixels(png({ ...base, before }));
  const wanted = gray(1, 2, 3, 4);
  t.strictSame(await withChunks(chunk('iCCP', Buffer.alloc(50, 0xee))), wanted, 'broken profile in a png');
  t.strictSame(await withChunks(chunk('eXIf', Buffer.alloc(50, 0xee))), wanted, 'broken EXIF in a png');
  t.strictSame(await withChunks(chunk('sBIT', Buffer.alloc(9))), wanted, 'a chunk of the wrong length');
  t.strictSame(await withChunks(chunk('acTL', Buffer.alloc(8)), chunk('fcTL', Buffer.alloc(26))), wanted, 'APNG');

  const text = chunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), zlib.deflateSync(Buffer.alloc(7_000_000))]));
  const bomb = png({ ...base, before: new Array<Buffer>(500).fill(text) });
  t.strictSame(await pixels(bomb), wanted, '500 texts of 7 MB');
  t.strictSame(rebuildPng(bomb, readPngHeader(bomb)), png(base), 'the decoder never sees them');
});

t.test('pixel data that inflates to more than the picture is not inflated', async (t) => {
  const rows = new Array<number[]>(8).fill([1, 2, 3, 4]);
  const bomb = (raw: Buffer) => zlib.deflateSync(Buffer.concat([raw, Buffer.alloc(300_000_000)]), { level: 1 });
  const good = Buffer.from(rows.flatMap((row) => [0, ...row]));
  const half = Buffer.from(good);
  half[5 * 5] = 99;
  const [strict, repaired] = [bomb(good), bomb(half)];
  const start = process.cpuUsage();
  t.strictSame(
    await pixels(png({ bits: 8, type: 0, rows, idat: strict })),
    rows.flatMap((row) => gray(...row)),
  );
  t.strictSame(
    await pixels(png({ bits: 8, type: 0, rows, idat: repaired })),
    rows.flatMap((row, y) => gray(...(y < 5 ? row : [255, 255, 255, 255]))),
    'not in a repair either',
  );
  t.ok(process.cpuUsage(start).user < 500_000);
});

t.test('a png with damaged checksums is read, one with missing rows gets white ones', async (t) => {
  const rows = [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10, 11, 12],
    [13, 14, 15, 16],
  ];
  const raw = Buffer.from(rows.flatMap((row) => [0, ...row]));
  const all = rows.flatMap((row) => gray(...row));
  const damagedEnd = zlib.deflateSync(raw);
  damagedEnd[damagedEnd.length - 1] ^= 0xff;
  const base: PngParts = { bits: 8, type: 0, rows };
  t.strictSame(await pixels(png({ ...base, idat: damagedEnd })), all, 'Adler-32');
  const wrongCrc = png(base);
  wrongCrc[29] ^= 0xff;
  t.strictSame(await pixels(wrongCrc), all, 'CRC of IHDR');
  const stored = zlib.deflateSync(raw, { level: 0 });
  // 7 bytes of zlib and block header, 5 bytes a row.
  const cut = (complete: number) => png({ ...base, idat: stored.subarray(0, 7 + 5 * complete + 2) });
  const white = gray(255, 255, 255, 255);
  t.strictSame(await pixels(cut(2)), [...all.slice(0, 8), ...white, ...white], 'half is there');
  await t.rejects(pixels(cut(1)), { code: 'INVALID_IMAGE', detail: '1 of 4 rows are there' });

  const indexed = { bits: 2, type: 3, before: [plte(RED, BLACK, WHITE, BLUE)], rows: [[0], [0x55]] };
  const storedIndexed = zlib.deflateSync(Buffer.from([0, 0, 0, 0x55]), { level: 0 }).subarray(0, 9);
  t.strictSame(
    await pixels(png({ ...indexed, idat: storedIndexed })),
    [RED, RED, RED, RED, WHITE, WHITE, WHITE, WHITE],
    'the lightest colour of a palette',
  );
  const interlaced = await picture().png({ progressive: true }).toBuffer();
  await t.rejects(decode(interlaced.subarray(0, interlaced.length - 60)), { code: 'INVALID_IMAGE' });
});

t.test('a jpg that breaks off is read when half of it is there', async (t) => {
  const noise = Buffer.from(Array.from({ length: 128 * 128 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 24) & 0xff));
  const encoder = sharp(noise, { raw: { width: 128, height: 128, channels: 1 } });
  const jpeg = await encoder.clone().jpeg().toBuffer();
  const whole = await decode(jpeg);
  const part = await decode(jpeg.subarray(0, jpeg.length * 0.8));
  t.strictSame(part.data.subarray(0, 128 * 64 * 3), whole.data.subarray(0, 128 * 64 * 3), 'what is there is right');
  await t.rejects(decode(jpeg.subarray(0, jpeg.length * 0.3)), { code: 'INVALID_IMAGE' });
  const progressive = await encoder.clone().jpeg({ progressive: true }).toBuffer();
  t.equal((await decode(progressive.subarray(0, progressive.length * 0.8))).width, 128, 'progressive');
  const cmyk = await picture().toColourspace('cmyk').jpeg().toBuffer();
  await t.rejects(decode(cmyk.subarray(0, cmyk.length * 0.9)), { code: 'INVALID_IMAGE' }, 'CMYK must be complete');
});

t.test('too large pictures are refused from their header, before any pixel', async (t) => {
  const wide = png({ width: 257, bits: 8, type: 0, rows: [[]], idat: Buffer.alloc(0) });
  const jpeg = await picture().jpeg().toBuffer();
  const bmp = Buffer.alloc(54);
  bmp.write('BM');
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(257, 18);
  bmp.writeInt32LE(1, 22);
  bmp.writeUInt16LE(24, 28);
  await t.rejects(decode(wide), { code: 'IMAGE_TOO_LARGE', message: /257 x 1 .* 256/ });
  await t.rejects(decode(bmp), { code: 'IMAGE_TOO_LARGE', message: /257 x 1 .* 256/ });
  await t.rejects(decode(jpeg, 63), { code: 'IMAGE_TOO_LARGE', message: /64 x 32 .* 63/ });
  t.equal((await decode(jpeg, 64)).width, 64);
});

function bmpAround(file: Uint8Array, compression: number): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(WIDTH, 18);
  head.writeInt32LE(HEIGHT, 22);
  head.writeUInt32LE(compression, 30);
  return Buffer.concat([head, file]);
}

t.test('a bmp may hold a jpg or a png, but not a bmp', async (t) => {
  const jpeg = await picture().jpeg().toBuffer();
  t.ok(near(await quarters(bmpAround(jpeg, 4)), QUARTERS, 6));
  t.strictSame(await quarters(bmpAround(await picture().png().toBuffer(), 5)), QUARTERS);
  await t.rejects(decode(bmpAround(jpeg, 4), 63), { code: 'IMAGE_TOO_LARGE' });
  await t.rejects(decode(bmpAround(bmpAround(jpeg, 4), 4)), { code: 'INVALID_IMAGE' });
  await t.rejects(decode(bmpAround(Buffer.from('GIF89a'), 4)), { code: 'UNSUPPORTED_FORMAT' });
});

t.test('failures have fixed words; those of the library are detail', async (t) => {
  const jpeg = await picture().jpeg({ progressive: false }).toBuffer();
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  const twelveBit = Buffer.from(jpeg);
  twelveBit[frame + 4] = 12;
  const noTables = Buffer.from(jpeg);
  for (let at = 0; (at = noTables.indexOf(Buffer.from([0xff, 0xdb]), at)) >= 0;) noTables[at + 1] = 0xfe;
  const palettePng = png({ bits: 8, type: 3, rows: [[0, 1, 2, 3]] });
  const failures: readonly (readonly [string, Buffer, string])[] = [
    ['12-bit jpg', twelveBit, 'UNSUPPORTED_FORMAT'],
    ['jpg without quantization tables', noTables, 'INVALID_IMAGE'],
    ['png without its palette', palettePng, 'INVALID_IMAGE'],
    ['png of garbage', png({ bits: 8, type: 0, rows: [[0, 0, 0, 0]], idat: Buffer.from('garbage') }), 'INVALID_IMAGE'],
    ['bmp of nothing', Buffer.from('BM'), 'INVALID_IMAGE'],
    ['gif', Buffer.from('GIF89a'), 'UNSUPPORTED_FORMAT'],
  ];
  for (const [name, file, code] of failures) {
    const error: unknown = await decode(file).catch((reason: unknown) => reason);
    t.match(error, { name: 'OcrError', code }, name);
    t.notMatch(error instanceof Error ? error.message : '', /vips|libpng|buffer|quantization|Unknown error/i, name);
  }
});

t.test('nothing but jpg and png reaches a decoder of libvips', async (t) => {
  // Importing the module blocks the other loaders in the whole process.
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
  await t.rejects(sharp(svg).raw().toBuffer());
  const webp = await picture().webp().toBuffer();
  await t.rejects(sharp(webp).raw().toBuffer());
  t.ok(
    await sharp(await picture().png().toBuffer())
      .raw()
      .toBuffer(),
  );
});
