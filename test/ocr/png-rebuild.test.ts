import zlib from 'node:zlib';
import sharp from 'sharp';
import t from 'tap';
import { readPngHeader } from '../../src/ocr/image-header.ts';
import { repairPng } from '../../src/ocr/png-rebuild.ts';
import { PNG_SIGNATURE, pngChunk } from '../png-chunk.ts';

/** A picture of noise whose data ends after 70 %, and the rows it had. */
function cutOff(width: number, height: number): { file: Buffer; raw: Buffer; rowBytes: number } {
  const rowBytes = 1 + width * 3;
  const raw = Buffer.alloc(rowBytes * height);
  for (let at = 0; at < raw.length; at += 1) raw[at] = at % rowBytes === 0 ? 0 : (at * 7919) % 251;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  // Stored, so that 70 % of the bytes are 70 % of the rows.
  const packed = zlib.deflateSync(raw, { level: 0 });
  const cut = packed.subarray(0, Math.floor(packed.length * 0.7));
  const file = Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    pngChunk('IDAT', cut),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
  return { file, raw, rowBytes };
}

t.test('the header of a large cut-off picture promises the rows that are there, over the same data', async (t) => {
  const [width, height] = [1300, 1200];
  const { file, raw, rowBytes } = cutOff(width, height);
  const { file: repaired, rows } = await repairPng(file, readPngHeader(file), 0.5);
  t.ok(rows >= 0.65 * height && rows <= 0.7 * height, `${rows} rows`);
  const header = readPngHeader(repaired);
  t.match(header, { width, height: rows });
  const { data, info } = await sharp(repaired, { failOn: 'none' }).raw().toBuffer({ resolveWithObject: true });
  t.match(info, { width, height: rows, channels: 3 });
  const wanted = Buffer.concat(
    Array.from({ length: rows }, (_, row) => raw.subarray(row * rowBytes + 1, (row + 1) * rowBytes)),
  );
  t.ok(data.equals(wanted), 'pixel by pixel');
  await t.rejects(repairPng(file, readPngHeader(file), 0.75), { code: 'INVALID_IMAGE' });
});

t.test('a small one keeps its size: stored blocks, good rows as they were, the others white', async (t) => {
  const height = 300;
  const { file, raw, rowBytes } = cutOff(200, height);
  const { file: repaired, rows } = await repairPng(file, readPngHeader(file), 0.5);
  t.equal(rows, height);
  const data = readPngHeader(repaired).chunks.find(({ type }) => type === 'IDAT');
  t.ok(data && data.end - data.start > 2 * 65_535, 'three blocks');
  // Checks lengths, their complements and the Adler-32.
  const pixels = zlib.inflateSync(repaired.subarray(data?.start, data?.end));
  t.equal(pixels.length, raw.length);
  const good = Math.floor((raw.length * 0.65) / rowBytes) * rowBytes;
  t.ok(pixels.subarray(0, good).equals(raw.subarray(0, good)), 'at least 65 % of the rows as they were');
  const last = pixels.subarray(-rowBytes);
  t.ok(last[0] === 0 && last.subarray(1).every((byte) => byte === 0xff), 'the last one white');
});
