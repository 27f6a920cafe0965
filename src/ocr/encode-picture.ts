import sharp from 'sharp';
import { readJpegHeader } from './image-header.ts';
import type { Picture } from './page.ts';
import type { RgbImage } from './rgb-image.ts';

/** Beyond this, files grow faster than anybody sees a difference in text (libjpeg's documentation: 75 to 95 is useful). */
const QUALITY = 90;

/**
 * The upright picture as a jpg: the file itself where it is an upright jpg already, so that nothing is lost, otherwise
 * the decoded pixels.
 *
 * @param image what was decoded from `file`
 */
export async function encodePicture(image: RgbImage, file: Uint8Array): Promise<Picture> {
  const { data, width, height } = image;
  if (file[0] === 0xff && file[1] === 0xd8 && isPlain(file, width, height)) return { jpeg: file, width, height };
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return { jpeg, width, height };
}

const EXIF = Buffer.from('Exif\0\0', 'latin1');

/**
 * Whether a viewer that knows nothing of EXIF and colour models shows the file as it was decoded. Files with EXIF are
 * encoded again, unless they hold none: most have an orientation in it, or a place and a time that nobody asked for.
 */
function isPlain(file: Uint8Array, width: number, height: number): boolean {
  const header = readJpegHeader(file);
  return (
    header.ordinary &&
    (header.components === 1 || header.components === 3) &&
    header.width === width &&
    header.height === height &&
    Buffer.from(file.buffer, file.byteOffset, file.byteLength).indexOf(EXIF) < 0
  );
}
