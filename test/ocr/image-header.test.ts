import t from 'tap';
import { OcrError } from '../../src/errors.ts';
import { checkSize, damaged, readJpegHeader, readPngHeader, recognizeFormat } from '../../src/ocr/image-header.ts';

const bytes = (...parts: (string | number[] | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

t.test('recognizeFormat goes by content', (t) => {
  t.equal(recognizeFormat(bytes([0xff, 0xd8, 0xff, 0xe0])), 'jpg');
  t.equal(recognizeFormat(bytes('\x89PNG\r\n\x1a\n')), 'png');
  t.equal(recognizeFormat(bytes('\x89PNG\n\x1a\n')), 'png', 'damaged by a transfer in text mode');
  t.equal(recognizeFormat(bytes('BM')), 'bmp');
  t.end();
});

const OTHERS: readonly (readonly [string, Buffer])[] = [
  ['GIF', bytes('GIF89a')],
  ['WebP', bytes('RIFF\x10\0\0\0WEBPVP8 ')],
  ['TIFF', bytes('II*\0')],
  ['TIFF', bytes('MM\0*')],
  ['TIFF', bytes('MM\0+')],
  ['HEIC', bytes('\0\0\0\x18ftypheic')],
  ['HEIC', bytes('\0\0\0\x18ftypmif1')],
  ['AVIF', bytes('\0\0\0\x18ftypavif')],
  ['JPEG 2000', bytes('\0\0\0\x0cjP  \r\n\x87\n')],
  ['JPEG XL', bytes([0xff, 0x0a])],
  ['Photoshop', bytes('8BPS')],
  ['PDF', bytes('\n\n%PDF-1.7')],
  ['SVG', bytes('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">')],
  ['HTML', bytes('<!DOCTYPE html><html>')],
];

t.test('recognizeFormat names what it knows and always says what is read', (t) => {
  for (const [name, file] of OTHERS) {
    const message = new RegExp(`is an? ${name} file, not a jpg, png or bmp`);
    t.throws(() => recognizeFormat(file), { code: 'UNSUPPORTED_FORMAT', message }, name);
  }
  for (const file of [bytes('plain text'), bytes([0xff]), bytes('B')]) {
    t.throws(() => recognizeFormat(file), { code: 'UNSUPPORTED_FORMAT', message: /not a jpg, png or bmp image/ });
  }
  t.throws(() => recognizeFormat(bytes()), { code: 'UNSUPPORTED_FORMAT', message: /empty.*jpg, png or bmp/ });
  t.end();
});

t.test('checkSize gives both numbers', (t) => {
  checkSize(4096, 4096, 4096);
  t.throws(() => checkSize(12, 4097, 4096), { code: 'IMAGE_TOO_LARGE', message: /12 x 4097 .* 4096.*OCR_MAX_SIDE/ });
  t.throws(() => checkSize(4097, 12, 4096), { code: 'IMAGE_TOO_LARGE', message: /4097 x 12/ });
  t.end();
});

t.test('what was wrong stays out of the public message', (t) => {
  const error = damaged('jpg', 'inner words');
  t.type(error, OcrError);
  t.equal(error.code, 'INVALID_IMAGE');
  t.equal(error.detail, 'inner words');
  t.notMatch(error.message, 'inner words');
  t.end();
});

const segment = (marker: number, payload: number[]): number[] => [
  0xff,
  marker,
  (payload.length + 2) >> 8,
  (payload.length + 2) & 0xff,
  ...payload,
];
const frame = (width: number, height: number, { marker = 0xc0, bits = 8, components = 3 } = {}): number[] =>
  segment(marker, [bits, height >> 8, height & 0xff, width >> 8, width & 0xff, components]);
const SOI = [0xff, 0xd8];
const EOI = [0xff, 0xd9];
const SCAN = [...segment(0xda, [0, 0, 0]), 0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];

t.test('readJpegHeader reads the frame', (t) => {
  const plain = { width: 300, height: 200, components: 3, ordinary: true };
  t.strictSame(readJpegHeader(bytes(SOI, frame(300, 200), SCAN, EOI)), plain);
  const thumbnail = segment(0xe1, [...SOI, ...frame(9999, 9999), ...SCAN, ...EOI]);
  t.strictSame(readJpegHeader(bytes(SOI, thumbnail, frame(300, 200), SCAN, EOI)), plain, 'not that of a thumbnail');
  t.strictSame(readJpegHeader(bytes(SOI, frame(300, 200), frame(9, 9), SCAN, EOI)), plain, 'the first of two');
  t.strictSame(readJpegHeader(bytes(SOI, frame(300, 200), SCAN, EOI, SOI, frame(9, 9))), plain, 'nothing behind EOI');
  t.strictSame(readJpegHeader(bytes(SOI, [7, 7, 0xff, 0xff], frame(300, 200), SCAN)), plain, 'junk and fill bytes');
  t.match(readJpegHeader(bytes(SOI, frame(3, 2, { marker: 0xc2 }), SCAN)), { ordinary: true }, 'progressive');
  t.match(readJpegHeader(bytes(SOI, frame(3, 2, { bits: 12 }), SCAN)), { ordinary: false });
  t.match(readJpegHeader(bytes(SOI, frame(3, 2, { marker: 0xc3 }), SCAN)), { ordinary: false }, 'lossless');
  t.match(readJpegHeader(bytes(SOI, frame(3, 2, { components: 4 }), SCAN)), { components: 4 });
  t.end();
});

t.test('readJpegHeader refuses what cannot be decoded or was built to exhaust', (t) => {
  const refused: readonly (readonly [string, Buffer])[] = [
    ['nothing', bytes(SOI)],
    ['no frame', bytes(SOI, SCAN, EOI)],
    ['a Huffman table is no frame', bytes(SOI, frame(3, 2, { marker: 0xc4 }), SCAN)],
    ['no scan', bytes(SOI, frame(3, 2), EOI)],
    ['a scan inside of a comment', bytes(SOI, frame(3, 2), segment(0xfe, SCAN), EOI)],
    ['frame cut off', bytes(SOI, frame(3, 2).slice(0, 8))],
    ['width 0', bytes(SOI, frame(0, 2), SCAN)],
    ['height from a DNL marker', bytes(SOI, frame(3, 0), SCAN, segment(0xdc, [0, 2]), EOI)],
    ['101 scans', bytes(SOI, frame(3, 2), ...new Array<number[]>(101).fill(SCAN), EOI)],
  ];
  for (const [name, file] of refused) t.throws(() => readJpegHeader(file), { code: 'INVALID_IMAGE' }, name);
  t.match(readJpegHeader(bytes(SOI, frame(3, 2), ...new Array<number[]>(100).fill(SCAN), EOI)), { width: 3 });
  t.end();
});

const PNG = '\x89PNG\r\n\x1a\n';
const uint32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
/** With a checksum of zeros: the header reader leaves checksums to the decoder. */
const chunk = (type: string, data: number[]): Buffer => bytes(uint32(data.length), type, data, [0, 0, 0, 0]);
const ihdr = (width: number, height: number, rest = [8, 2, 0, 0, 0]): Buffer =>
  chunk('IHDR', [...uint32(width), ...uint32(height), ...rest]);

t.test('readPngHeader keeps the chunks that the pixels need', (t) => {
  const file = bytes(
    PNG,
    ihdr(300, 200, [4, 3, 0, 0, 1]),
    chunk('iCCP', [1]),
    chunk('PLTE', [1, 2, 3]),
    chunk('zTXt', [1]),
    chunk('IDAT', [5]),
    chunk('IDAT', [6, 7]),
    chunk('eXIf', [8]),
    chunk('IEND', []),
    chunk('IDAT', [9]),
  );
  const { chunks, ...header } = readPngHeader(file);
  t.strictSame(header, { width: 300, height: 200, bitDepth: 4, colourType: 3, interlaced: true });
  t.strictSame(
    chunks.map(({ type, start, end }) => [type, [...file.subarray(start, end)]]),
    [
      ['PLTE', [1, 2, 3]],
      ['IDAT', [5]],
      ['IDAT', [6, 7]],
      ['eXIf', [8]],
    ],
  );
  t.end();
});

t.test('readPngHeader gives what is there of a file that ends early, and drops an EXIF beyond 64 KB', (t) => {
  const cut = bytes(
    PNG,
    ihdr(3, 2),
    chunk('eXIf', new Array<number>(65_537).fill(0)),
    uint32(0xffffffff),
    'IDAT',
    [1, 2],
  );
  const { chunks } = readPngHeader(cut);
  t.strictSame(chunks, [{ type: 'IDAT', start: cut.length - 2, end: cut.length }]);
  t.end();
});

t.test('readPngHeader refuses impossible headers and bombs of chunks', (t) => {
  const idat = chunk('IDAT', [1]);
  const refused: readonly (readonly [string, Buffer])[] = [
    ['text mode', bytes('\x89PNG\n\x1a\n', ihdr(3, 2), idat)],
    ['cut off', bytes(PNG, ihdr(3, 2)).subarray(0, 32)],
    ['another first chunk', bytes(PNG, chunk('IDAT', new Array<number>(13).fill(1)), ihdr(3, 2), idat)],
    ['width 0', bytes(PNG, ihdr(0, 2), idat)],
    ['height 0', bytes(PNG, ihdr(3, 0), idat)],
    ['colour type 1', bytes(PNG, ihdr(3, 2, [8, 1, 0, 0, 0]), idat)],
    ['4-bit RGB', bytes(PNG, ihdr(3, 2, [4, 2, 0, 0, 0]), idat)],
    ['16-bit palette', bytes(PNG, ihdr(3, 2, [16, 3, 0, 0, 0]), idat)],
    ['99 bits', bytes(PNG, ihdr(3, 2, [99, 0, 0, 0, 0]), idat)],
    ['compression 1', bytes(PNG, ihdr(3, 2, [8, 2, 1, 0, 0]), idat)],
    ['filter 1', bytes(PNG, ihdr(3, 2, [8, 2, 0, 1, 0]), idat)],
    ['interlace 2', bytes(PNG, ihdr(3, 2, [8, 2, 0, 0, 2]), idat)],
    ['no IDAT', bytes(PNG, ihdr(3, 2), chunk('IEND', []))],
    ['250,001 chunks', bytes(PNG, ihdr(3, 2), Buffer.alloc(250_001 * 12, chunk('IDAT', [])))],
  ];
  for (const [name, file] of refused) t.throws(() => readPngHeader(file), { code: 'INVALID_IMAGE' }, name);
  t.equal(readPngHeader(bytes(PNG, ihdr(3, 2), Buffer.alloc(250_000 * 12, chunk('IDAT', [])))).width, 3);
  t.end();
});

t.test('headers of 20 MB of junk are read in a moment', (t) => {
  const files = [
    () => readJpegHeader(bytes(SOI, frame(3, 2), SCAN, Buffer.alloc(20_000_000, 0xff))),
    () => readJpegHeader(bytes(SOI, frame(3, 2), SCAN, Buffer.alloc(20_000_000, Buffer.from([0xff, 0])))),
    () => readJpegHeader(bytes(SOI, frame(3, 2), SCAN, Buffer.alloc(20_000_000, 0x11))),
    () => readJpegHeader(bytes(SOI, frame(3, 2), SCAN, Buffer.alloc(20_000_000, Buffer.from([0xff, 0xe0, 0, 2])))),
  ];
  const start = process.cpuUsage();
  for (const read of files) t.equal(read().width, 3);
  // About 0.2 s for the four; a walk that is not linear would take minutes.
  t.ok(process.cpuUsage(start).user < 3_000_000);
  t.end();
});
