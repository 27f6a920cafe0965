import zlib from 'node:zlib';
import { giveBack } from '../give-back.ts';
import { damaged, type PngChunk, type PngHeader } from './image-header.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Adam7 (PNG specification, 8.2): first column, first row, column step and row step of the seven passes. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Output chunks of zlib in bytes; larger ones are no faster. */
const LARGEST_CHUNK = 262_144;

/** Pixel data up to this is copied for a repair, which keeps every row: some milliseconds. */
const SMALL_BYTES = 4_194_304;

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function chunk(type: string, ...data: Uint8Array[]): Uint8Array[] {
  const body = [Buffer.from(type, 'latin1'), ...data];
  const head = Buffer.alloc(4);
  head.writeUInt32BE(data.reduce((sum, part) => sum + part.length, 0));
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(body.reduce((crc, part) => zlib.crc32(part, crc), 0));
  return [head, ...body, tail];
}

/**
 * The same picture as a PNG of nothing but what its pixels need: IHDR, eXIf, PLTE, tRNS, one IDAT, IEND, with new
 * checksums. Text, colour profiles and animation frames stay behind, and with them every bomb in a compressed chunk
 * (1,000 zTXt of 7 MB each fit into 7 MB); so do wrong checksums outside of the pixel data, which viewers ignore.
 */
export function rebuildPng(file: Uint8Array, header: PngHeader): Buffer {
  return assemble(file, header, pixelParts(file, header));
}

function assemble(file: Uint8Array, { chunks }: PngHeader, pixels: Uint8Array[], size = file.subarray(16, 29)): Buffer {
  const first = (type: string) => {
    const found: PngChunk | undefined = chunks.find((each) => each.type === type);
    return found ? chunk(type, file.subarray(found.start, found.end)) : [];
  };
  return Buffer.concat([
    SIGNATURE,
    ...chunk('IHDR', size),
    // Before the pixels, because libvips reads no metadata behind them.
    ...first('eXIf'),
    ...first('PLTE'),
    ...first('tRNS'),
    ...chunk('IDAT', ...pixels),
    ...chunk('IEND'),
  ]);
}

/** A PNG that can be decoded, and how many rows of the picture it has from the top. */
export interface RepairedPng {
  readonly file: Buffer;
  readonly rows: number;
}

/**
 * A PNG whose pixel data breaks off or turns to garbage, with the rows before that point kept. libvips has a mode for
 * such files (`failOn: 'none'`), but that leaves the missing rows to chance.
 *
 * @param minShare share of the rows, 0..1, that must be there. Interlaced pictures must be complete: what a half one
 *   lacks is every second row.
 * @throws {OcrError} INVALID_IMAGE with fewer rows
 */
export async function repairPng(file: Uint8Array, header: PngHeader, minShare: number): Promise<RepairedPng> {
  const turned = header.chunks.some(({ type }) => type === 'eXIf');
  const large = rowLengths(header).reduce((sum, length) => sum + length, 0) > SMALL_BYTES;
  const shortened = large && !header.interlaced && !turned ? await shortenPng(file, header, minShare) : undefined;
  return shortened ?? { file: await refillPng(file, header, minShare), rows: header.height };
}

/**
 * The same pixel data under a header that promises only the rows that are there, without the last of them: the decoder
 * stops before it comes upon the damage. Nothing is held, where a copy with white rows took 134 MB three times over for
 * 16-bit RGBA of 4096 x 4096.
 *
 * @returns undefined if all rows are there, so that only what comes behind them is damaged
 */
async function shortenPng(file: Uint8Array, header: PngHeader, minShare: number): Promise<RepairedPng | undefined> {
  const parts = pixelParts(file, header);
  const [rowLength] = rowLengths(header);
  let length = 0;
  let broken = Infinity;
  const look = (data: Buffer): boolean => {
    // The first byte of a row names its filter, 0 to 4; another value means that what follows is not image data.
    for (let row = Math.ceil(length / rowLength); row * rowLength < length + data.length; row += 1) {
      if (data[row * rowLength - length] > 4) broken = Math.min(broken, row);
    }
    length += data.length;
    return broken === Infinity && length < header.height * rowLength;
  };
  await inflate(parts, chunkSizeFor(header.height * rowLength), look);
  const whole = Math.min(broken, Math.floor(length / rowLength), header.height);
  if (whole < header.height * minShare) throw damaged('png', `${whole} of ${header.height} rows are there`);
  const rows = whole - 1;
  if (whole === header.height || rows === 0) return undefined;
  const size = Buffer.from(file.subarray(16, 29));
  size.writeUInt32BE(rows, 4);
  return { file: assemble(file, header, parts, size), rows };
}

const pixelParts = (file: Uint8Array, { chunks }: PngHeader): Uint8Array[] =>
  chunks.filter(({ type }) => type === 'IDAT').map(({ start, end }) => file.subarray(start, end));

/** All rows, with white ones in place of those that are missing: for pictures that are turned or woven after decoding. */
async function refillPng(file: Uint8Array, header: PngHeader, minShare: number): Promise<Buffer> {
  const rows = rowLengths(header);
  const total = rows.reduce((sum, length) => sum + length, 0);
  const raw = Buffer.allocUnsafeSlow(total);
  let inflated = 0;
  await inflate(pixelParts(file, header), chunkSizeFor(total), (data) => {
    inflated += data.copy(raw, inflated);
    return inflated < total;
  });
  let end = 0;
  let good = 0;
  // The first byte of a row names its filter, 0 to 4; another value means that what follows is not image data.
  while (good < rows.length && end + rows[good] <= inflated && raw[end] <= 4) {
    end += rows[good];
    good += 1;
  }
  if (good < rows.length * (header.interlaced ? 1 : minShare)) {
    throw damaged('png', `${good} of ${rows.length} rows are there`);
  }
  raw.fill(whiteByte(file, header), end);
  for (; good < rows.length; good += 1) {
    raw[end] = 0;
    end += rows[good];
  }
  const refilled = assemble(file, header, storedZlib(raw));
  giveBack(raw);
  return refilled;
}

/** Most bytes of a stored block (RFC 1951, section 3.2.4: its length has 16 bits). */
const STORED_BLOCK = 65_535;

/**
 * A zlib stream (RFC 1950) of stored blocks around `raw`, in parts. `zlib.deflateSync` at level 0 gives the same as a
 * second copy, and a 16-bit RGBA picture of 4096 x 4096 has 134 MB.
 */
function storedZlib(raw: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = [Buffer.from([0x78, 0x01])];
  for (let at = 0; at < raw.length; at += STORED_BLOCK) {
    const block = raw.subarray(at, at + STORED_BLOCK);
    const head = Buffer.alloc(5);
    head[0] = at + STORED_BLOCK >= raw.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(head, block);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(adler32(raw));
  return [...parts, checksum];
}

/** RFC 1950, section 8.2. The sums are reduced every 3,800 bytes: both stay below 2^31 that long. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let at = 0; at < bytes.length;) {
    for (const end = Math.min(at + 3800, bytes.length); at < end; at += 1) {
      a += bytes[at];
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

/** Bytes of each row of the inflated data, its filter byte included; all passes of an interlaced picture, in order. */
function rowLengths({ width, height, bitDepth, colourType, interlaced }: PngHeader): number[] {
  const bits = bitDepth * CHANNELS[colourType];
  const passes = interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const);
  return passes.flatMap(([x, y, dx, dy]) => {
    const columns = Math.ceil((width - x) / dx);
    const lines = columns > 0 ? Math.max(0, Math.ceil((height - y) / dy)) : 0;
    return new Array<number>(lines).fill(1 + Math.ceil((columns * bits) / 8));
  });
}

/** Node drops the output chunk in which an error falls: at most 1 KB or a 256th of the picture are lost that way. */
const chunkSizeFor = (total: number): number => Math.min(LARGEST_CHUNK, Math.max(1024, total >> 8));

/**
 * Inflates what there is before the data ends or breaks. Raw inflate behind the two bytes of the zlib header, so that a
 * wrong Adler-32 at the end does not count.
 *
 * @param onData given what comes, in order; false stops
 */
async function inflate(
  parts: readonly Uint8Array[],
  chunkSize: number,
  onData: (data: Buffer) => boolean,
): Promise<void> {
  const stream = zlib.createInflateRaw({ chunkSize, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  stream.on('data', (data: Buffer) => {
    if (!onData(data)) stream.destroy();
  });
  // The error says only that the data breaks here; what came before it is what is asked for.
  stream.on('error', () => undefined);
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.end(Buffer.concat(parts).subarray(2));
  await closed;
}

/** The byte that makes white pixels; in a palette picture the lightest colour that its depth can name. */
function whiteByte(file: Uint8Array, { colourType, bitDepth, chunks }: PngHeader): number {
  const palette = chunks.find(({ type }) => type === 'PLTE');
  if (colourType !== 3 || !palette) return 0xff;
  const colours = Math.min(2 ** bitDepth, Math.floor((palette.end - palette.start) / 3));
  const light = (index: number) => {
    const at = palette.start + 3 * index;
    return file[at] + file[at + 1] + file[at + 2];
  };
  let best = 0;
  for (let index = 1; index < colours; index += 1) if (light(index) > light(best)) best = index;
  return bitDepth === 8 ? best : best * (0xff / (2 ** bitDepth - 1));
}
