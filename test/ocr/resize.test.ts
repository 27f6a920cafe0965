import t from 'tap';
import { cropImage, resizeImage } from '../../src/ocr/resize.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { difference, picture, REFERENCE } from './opencv/reference.ts';

t.test('the same pixels as cv2.resize', async (t) => {
  const image = picture({ seed: 51, radius: 0, width: 41, height: 29 });
  t.strictSame(new Set(REFERENCE.resize.map(({ method }) => method)), new Set(['area', 'linear']));
  for (const { width, height, method, pixels } of REFERENCE.resize) {
    const out = resizeImage(image, width, height);
    const { largest, mean } = difference(out.data, pixels);
    // OpenCV's linear filter works with weights of 11 bits.
    t.ok(largest <= 1 && mean < 0.2, `${method} to ${width} x ${height}: largest ${largest}, mean ${mean}`);
  }
});

t.test('nothing to do gives the same image', async (t) => {
  const image = picture({ seed: 1, radius: 0, width: 5, height: 4 });
  t.equal(resizeImage(image, 5, 4), image);
});

t.test('a single pixel and a large reduction keep their level', async (t) => {
  const one = { data: new Uint8Array([10, 128, 255]), width: 1, height: 1 };
  t.strictSame([...resizeImage(one, 3, 2).data], Array.from({ length: 6 }, () => [10, 128, 255]).flat());
  const white = { data: new Uint8Array(701 * 3 * 3).fill(255), width: 701, height: 3 };
  t.ok(
    resizeImage(white, 96, 3).data.every((v) => v === 255),
    'weights sum to 1 at sides that do not divide',
  );
});

t.test('cropImage takes whole pixels', async (t) => {
  const image = picture({ seed: 2, radius: 0, width: 6, height: 5 });
  const part = cropImage(image, 2, 1, 3, 2);
  t.strictSame([part.width, part.height], [3, 2]);
  t.strictSame(part.data, new Uint8Array([...image.data.subarray(24, 33), ...image.data.subarray(42, 51)]));
});

t.test('every size of reduction averages the pixels that it covers', async (t) => {
  const image = picture({ seed: 3, radius: 0, width: 60, height: 60 });
  // 60 / 8 needs nine taps and 60 / 59 two: all the ways that rows are filtered and blended.
  for (const side of [1, 8, 13, 17, 25, 40, 59]) {
    const out = resizeImage(image, side, side);
    let largest = 0;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (let c = 0; c < 3; c++) {
          const expected = areaMean(image, (60 / side) * x, (60 / side) * y, 60 / side, c);
          largest = Math.max(largest, Math.abs((out.data[(y * side + x) * 3 + c] as number) - expected));
        }
      }
    }
    t.ok(largest <= 0.51, `to ${side}: ${largest} from the mean`);
  }
});

/** Mean of a channel over a square of the image, pixels at its edges by their covered area. */
function areaMean(image: RgbImage, left: number, top: number, side: number, channel: number): number {
  const covered = (from: number, i: number): number => Math.max(0, Math.min(from + side, i + 1) - Math.max(from, i));
  let sum = 0;
  for (let y = Math.floor(top); y < Math.min(image.height, top + side); y++) {
    for (let x = Math.floor(left); x < Math.min(image.width, left + side); x++) {
      sum += covered(left, x) * covered(top, y) * (image.data[(y * image.width + x) * 3 + channel] as number);
    }
  }
  return sum / side ** 2;
}
