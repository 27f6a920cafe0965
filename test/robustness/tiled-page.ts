import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { bodyOf } from './client.ts';

/**
 * A request with a page of the sample, tiled, as a 24-bit BMP file. Sizes in pixels.
 *
 * @param textHeight rows with text; below them the page is white, so that a large page need not take long
 */
export async function tiledPage(width: number, height: number, textHeight = height): Promise<string> {
  const tile = await decodeImage(Buffer.from(SAMPLE_IMAGE_BASE64, 'base64'), { maxSide: 4096 });
  const stride = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + stride * height, 0xff);
  file.fill(0, 0, 54);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(-height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < Math.min(height, textHeight); y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = ((y % tile.height) * tile.width + (x % tile.width)) * 3;
      const to = 54 + y * stride + 3 * x;
      for (let channel = 0; channel < 3; channel += 1) file[to + channel] = tile.data[from + 2 - channel];
    }
  }
  return bodyOf(file);
}
