import sharp, { type FailOnOptions } from 'sharp';
import { OcrError } from '../errors.ts';
import { giveBack } from '../give-back.ts';
import { readBmpHeader } from './bmp-header.ts';
import { decodeBmp } from './bmp.ts';
import { checkSize, damaged, readJpegHeader, readPngHeader, recognizeFormat } from './image-header.ts';
import { rebuildPng, repairPng } from './png-rebuild.ts';
import type { RgbImage } from './rgb-image.ts';

// One page at a time in a process that lives long: a cache would only grow, and threads would take the other processes' cores.
sharp.cache(false);
sharp.concurrency(1);
// libvips has some 30 loaders, among them ImageMagick's; only these two are reached, whatever the bytes look like.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng'] });

/**
 * A damaged picture is read when at least this share of it is there, as viewers show it, with the rest blank. With less
 * than half, an answer would look like a reading of the page and miss most of it: that is an error.
 */
const MIN_SHARE = 0.5;

export interface DecodeOptions {
  /** Longest side in pixels; larger pictures are refused from their header. */
  readonly maxSide: number;
}

/**
 * Decodes a jpg, png or bmp file to what a viewer shows: upright (EXIF orientation applied), 8-bit RGB, transparency
 * over white, the first frame of an animation. Embedded colour profiles are ignored: they move colours by less than
 * what matters for reading, and broken ones are common; CMYK goes through a general press profile.
 *
 * @throws {OcrError} UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE, or INVALID_IMAGE (damaged beyond half of the picture, or built
 *   to exhaust the decoder)
 */
export async function decodeImage(file: Uint8Array, options: DecodeOptions): Promise<RgbImage> {
  const format = recognizeFormat(file);
  if (format === 'jpg') return decodeJpeg(file, options);
  if (format === 'png') return decodePng(file, options);
  const header = readBmpHeader(file, options.maxSide);
  if (header.encoding !== 'embedded') return decodeBmp(file, header, MIN_SHARE);
  const embedded = file.subarray(header.pixelOffset);
  const inner = recognizeFormat(embedded);
  if (inner === 'bmp') throw damaged('bmp', 'a bmp in a bmp');
  return inner === 'jpg' ? decodeJpeg(embedded, options) : decodePng(embedded, options);
}

async function decodeJpeg(file: Uint8Array, { maxSide }: DecodeOptions): Promise<RgbImage> {
  const header = readJpegHeader(file);
  checkSize(header.width, header.height, maxSide);
  const strict = await tryDecode(file, 'error', maxSide);
  if (strict.ok) return strict.image;
  // In CMYK what is missing cannot be told from what is there, see `grayShare`.
  const tolerant = header.components === 4 ? strict : await tryDecode(file, 'none', maxSide);
  if (!tolerant.ok && !header.ordinary) {
    throw new OcrError(
      'UNSUPPORTED_FORMAT',
      'The jpg image is of a kind that is not read (more than 8 bits a channel, or lossless). Save it as an ordinary jpg or as png.',
      { detail: tolerant.reason },
    );
  }
  if (!tolerant.ok) throw damaged('jpg', tolerant.reason);
  const missing = grayShare(tolerant.image);
  if (missing > 1 - MIN_SHARE) throw damaged('jpg', `${strict.reason}; ${missing} of the pixels are missing`);
  return tolerant.image;
}

async function decodePng(file: Uint8Array, { maxSide }: DecodeOptions): Promise<RgbImage> {
  const header = readPngHeader(file);
  checkSize(header.width, header.height, maxSide);
  const rebuilt = rebuildPng(file, header);
  const strict = await tryDecode(rebuilt, 'error', maxSide);
  giveBack(rebuilt);
  if (strict.ok) return strict.image;
  const { file: repaired, rows } = await repairPng(file, header, MIN_SHARE);
  // The rows have been counted; what breaks off behind the last of them does not matter.
  const there = await tryDecode(repaired, 'none', maxSide);
  giveBack(repaired);
  if (!there.ok) throw damaged('png', there.reason);
  return rows < header.height ? withWhiteBelow(there.image, header.height) : there.image;
}

function withWhiteBelow({ data, width }: RgbImage, height: number): RgbImage {
  const page = Buffer.alloc(width * height * 3, 0xff);
  page.set(data);
  giveBack(data);
  return { data: page, width, height };
}

type Attempt = { readonly ok: true; readonly image: RgbImage } | { readonly ok: false; readonly reason: string };

/**
 * libvips, with its words for a failure ("Unknown error" for many files) as a value.
 *
 * @param failOn 'error' reads 249 of 252 camera files, sharp's default ('warning') refuses 5 (measured); 'none' goes on
 *   where the data breaks off
 * @param page of a file that can have several, from 0
 */
export async function tryDecode(file: Uint8Array, failOn: FailOnOptions, maxSide: number, page = 0): Promise<Attempt> {
  try {
    const { data, info } = await sharp(file, {
      failOn,
      limitInputPixels: maxSide * maxSide,
      ignoreIcc: true,
      autoOrient: true,
      ...(page === 0 ? {} : { page }),
    })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return { ok: false, reason: `${info.channels} channels` };
    checkSize(info.width, info.height, maxSide);
    return { ok: true, image: { data, width: info.width, height: info.height } };
  } catch (error) {
    if (error instanceof OcrError) throw error;
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Share of pixels that are exactly middle gray: libjpeg fills blocks that it has no data for with zero coefficients. */
function grayShare({ data }: RgbImage): number {
  let gray = 0;
  for (let at = 0; at < data.length; at += 3) {
    if (data[at] === 128 && data[at + 1] === 128 && data[at + 2] === 128) gray += 1;
  }
  return gray / (data.length / 3);
}
