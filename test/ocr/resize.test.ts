import t from 'tap';
import { cropImage, resizeImage } from '../../src/ocr/resize.ts';
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
