import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import t from 'tap';
import { toDocument } from '../../src/formats/document.ts';
import { toPdf } from '../../src/formats/pdf.ts';
import { decodeFile } from '../../src/ocr/decode-file.ts';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { makePage } from '../formats/make-document.ts';

const sample = await readFile(new URL('../../docs/images/sample.png', import.meta.url));
const truth = await decodeImage(sample, { maxSide: 4096 });
const raw = { raw: { width: truth.width, height: truth.height, channels: 3 } } as const;
const encoder = () => sharp(truth.data, raw);

/** Mean difference of two pictures of the same size, in grey levels. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}

/** A TIFF of uncompressed grey pages, each `[width, height, level]`. */
function makeTiff(pages: readonly [width: number, height: number, level: number][]): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0\0\0\0\0', 'latin1')];
  let length = 8;
  const link = { buffer: parts[0] as Buffer, at: 4 };
  for (const [width, height, level] of pages) {
    const pixels = Buffer.alloc(width * height + ((width * height) % 2), level);
    const tags: [tag: number, type: number, value: number][] = [
      [256, 4, width],
      [257, 4, height],
      [258, 3, 8],
      [259, 3, 1],
      [262, 3, 1],
      [273, 4, length],
      [277, 3, 1],
      [278, 4, height],
      [279, 4, width * height],
    ];
    const directory = Buffer.alloc(2 + 12 * tags.length + 4);
    directory.writeUInt16LE(tags.length, 0);
    tags.forEach(([tag, type, value], i) => {
      directory.writeUInt16LE(tag, 2 + 12 * i);
      directory.writeUInt16LE(type, 4 + 12 * i);
      directory.writeUInt32LE(1, 6 + 12 * i);
      directory.writeUInt32LE(value, 10 + 12 * i);
    });
    link.buffer.writeUInt32LE(length + pixels.length, link.at);
    link.buffer = directory;
    link.at = directory.length - 4;
    parts.push(pixels, directory);
    length += pixels.length + directory.length;
  }
  return Buffer.concat(parts);
}

/** The sample on the first of two PDF pages, a brown picture on the second. */
async function makePdf(): Promise<Buffer> {
  const brown = sharp({ create: { width: 300, height: 600, channels: 3, background: '#c08040' } });
  const pictures = [
    { jpeg: await encoder().jpeg({ quality: 95 }).toBuffer(), width: truth.width, height: truth.height },
    { jpeg: await brown.jpeg().toBuffer(), width: 300, height: 600 },
  ];
  const pages = pictures.map((picture) => makePage([], { width: picture.width, height: picture.height, picture }));
  return toPdf(toDocument(pages, { minScore: 0 }));
}

const read = (file: Uint8Array, page = 1, maxSide = 4096) => decodeFile(file, { maxSide, page });

t.test('WebP, TIFF, GIF and AVIF give the picture', async (t) => {
  const files = {
    webp: await encoder().webp({ lossless: true }).toBuffer(),
    tiff: await encoder().tiff({ compression: 'lzw' }).toBuffer(),
    gif: await encoder().gif().toBuffer(),
    avif: await encoder().avif({ quality: 90 }).toBuffer(),
  };
  for (const [name, file] of Object.entries(files)) {
    const { image, pageCount } = await read(file);
    t.strictSame([image.width, image.height, pageCount], [truth.width, truth.height, 1], name);
    t.ok(difference(image.data, truth.data) < 3, `${name}: ${difference(image.data, truth.data)}`);
    await t.rejects(read(file, 2), { code: 'INVALID_REQUEST', message: /one page.*page 2/ }, name);
    await t.rejects(read(file, 1, 700), { code: 'IMAGE_TOO_LARGE' }, name);
    await t.rejects(
      decodeImage(file, { maxSide: 4096 }),
      { code: 'UNSUPPORTED_FORMAT' },
      `${name}: not for the contract`,
    );
    await t.rejects(read(file.subarray(0, 40)), { code: 'INVALID_IMAGE', message: /damaged/ }, name);
  }
});

t.test('the loaders are shut again after use, and after a failure', async (t) => {
  const webp = await encoder().webp().toBuffer();
  await t.rejects(read(webp.subarray(0, 40)));
  await t.rejects(sharp(webp).metadata(), /unsupported/);
  await read(webp);
  await t.rejects(sharp(webp).metadata(), /unsupported/);
});

t.test('the pages of a TIFF have sizes of their own', async (t) => {
  const file = makeTiff([
    [40, 30, 10],
    [60, 20, 200],
    [50, 5000, 90],
  ]);
  const first = await read(file);
  t.strictSame([first.image.width, first.image.height, first.pageCount, first.image.data[0]], [40, 30, 3, 10]);
  const second = await read(file, 2);
  t.strictSame([second.image.width, second.image.height, second.pageCount, second.image.data[0]], [60, 20, 3, 200]);
  await t.rejects(read(file, 3), { code: 'IMAGE_TOO_LARGE', message: /50 x 5000/ });
  await t.rejects(read(file, 4), { code: 'INVALID_REQUEST', message: /3 pages.*page 4/ });
});

t.test('an animation gives its first frame', async (t) => {
  const frames = Buffer.concat([Buffer.alloc(20 * 20 * 3, 30), Buffer.alloc(20 * 20 * 3, 220)]);
  const gif = await sharp(frames, { raw: { width: 20, height: 40, channels: 3, pageHeight: 20 } })
    .gif()
    .toBuffer();
  const { image, pageCount } = await read(gif);
  t.strictSame([image.width, image.height, pageCount], [20, 20, 1]);
  t.ok(Math.abs((image.data[0] ?? 0) - 30) < 4);
});

t.test('HEIC with HEVC is refused with what to do', async (t) => {
  const heic = Buffer.alloc(64);
  heic.write('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  await t.rejects(read(heic), { code: 'UNSUPPORTED_FORMAT', message: /HEVC.*AVIF/ });
});

t.test('PDF pages are drawn, on white, at 200 dpi or within the limit', async (t) => {
  const file = await makePdf();
  const first = await read(file);
  // 842 points on the longer side (pdf.ts).
  t.strictSame([first.image.width, first.pageCount], [Math.floor((842 * 200) / 72), 2]);
  const small = await read(file, 1, truth.width);
  t.equal(small.image.width, truth.width);
  const drawn = await sharp(small.image.data, {
    raw: { width: small.image.width, height: small.image.height, channels: 3 },
  })
    .resize(truth.width, truth.height, { fit: 'fill' })
    .raw()
    .toBuffer();
  t.ok(difference(drawn, truth.data) < 10, `${difference(drawn, truth.data)}`);
  const second = await read(file, 2, 600);
  t.strictSame([second.image.width, second.image.height], [300, 600]);
  for (const [i, level] of [0xc0, 0x80, 0x40].entries())
    t.ok(Math.abs((second.image.data[i] ?? 0) - level) < 4, 'red, green, blue');
  await t.rejects(read(file, 3), { code: 'INVALID_REQUEST', message: /2 pages.*page 3/ });
});

t.test('PDF files that are none', async (t) => {
  await t.rejects(read(Buffer.from('%PDF-1.7\nnothing\n%%EOF')), { code: 'INVALID_IMAGE', message: /PDF.*damaged/ });
  const cut = await makePdf();
  await t.rejects(read(cut.subarray(0, 200)), { code: 'INVALID_IMAGE' });
});

t.test('the formats of the contract are read as ever, and nothing else is', async (t) => {
  t.strictSame((await read(sample)).image, truth);
  await t.rejects(read(sample, 2), { code: 'INVALID_REQUEST' });
  for (const other of ['<svg xmlns="http://www.w3.org/2000/svg"/>', '8BPS', 'hello', '']) {
    await t.rejects(read(Buffer.from(other)), { code: 'UNSUPPORTED_FORMAT' }, other);
  }
});
