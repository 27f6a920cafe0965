import { OcrError } from '../errors.ts';
import type { Region } from './page.ts';
import { cropImage } from './resize.ts';
import type { RgbImage } from './rgb-image.ts';

/** A part of an image and where it lies in it. */
export interface CroppedImage {
  readonly image: RgbImage;
  readonly left: number;
  readonly top: number;
}

/**
 * The part of an image that is to be read; what of the region lies outside the image is cut off.
 *
 * @throws {OcrError} INVALID_REQUEST when nothing of the region lies inside
 */
export function cropRegion(image: RgbImage, region: Region | undefined): CroppedImage {
  if (region === undefined) return { image, left: 0, top: 0 };
  const left = Math.max(region.left, 0);
  const top = Math.max(region.top, 0);
  const width = Math.min(region.left + region.width, image.width) - left;
  const height = Math.min(region.top + region.height, image.height) - top;
  if (width <= 0 || height <= 0) {
    throw new OcrError(
      'INVALID_REQUEST',
      `Nothing of \`region\` lies inside the image, which is ${image.width} x ${image.height} pixels once it is upright. ` +
        'Give it as left, top, width and height in pixels of the image as a viewer shows it.',
    );
  }
  return { image: cropImage(image, left, top, width, height), left, top };
}
