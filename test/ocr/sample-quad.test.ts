import t from 'tap';
import { sampleQuad } from '../../src/ocr/sample-quad.ts';
import { difference, picture, REFERENCE, toQuad } from './opencv/reference.ts';

/**
 * A quad's corners are pixel edges, so pixel i of the output stands for (i + 0.5) / size of the way, and OpenCV's
 * coordinates, in which pixel centres are whole numbers, are 0.5 less; make-reference.py spells it out. Positions are
 * rounded to 1/64 of a pixel here and to 1/32 by OpenCV, which on this picture of steep gradients is worth 2 grey levels
 * for linear and 3 for cubic interpolation; a wrong half pixel would be worth about 50.
 */
const LARGEST = { linear: 2, cubic: 3 };

t.test('the same pixels as cv2.warpAffine', async (t) => {
  const image = picture({ seed: 61, radius: 1, width: 48, height: 40 });
  for (const { corners, width, height, ...expected } of REFERENCE.samples) {
    for (const method of ['linear', 'cubic'] as const) {
      const { data } = sampleQuad(image, toQuad(corners), width, height, method);
      const { largest, mean } = difference(data, expected[method]);
      t.ok(largest <= LARGEST[method] && mean < 0.35, `${method}, ${corners.join(' ')}: ${largest}, mean ${mean}`);
    }
  }
});

t.test('whole pixels are taken unchanged', async (t) => {
  const image = picture({ seed: 7, radius: 0, width: 8, height: 6 });
  const whole = toQuad([0, 0, 8, 0, 8, 6, 0, 6]);
  for (const method of ['linear', 'cubic'] as const) {
    t.strictSame(sampleQuad(image, whole, 8, 6, method).data, image.data, method);
  }
});

t.test('corners say what is up', async (t) => {
  const image = { data: Uint8Array.from([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]), width: 2, height: 2 };
  const values = (corners: number[]): number[] => {
    const { data } = sampleQuad(image, toQuad(corners), 2, 2, 'linear');
    return [data[0], data[3], data[6], data[9]] as number[];
  };
  t.strictSame(values([2, 2, 0, 2, 0, 0, 2, 0]), [4, 3, 2, 1], 'upside down');
  t.strictSame(values([2, 0, 2, 2, 0, 2, 0, 0]), [2, 4, 1, 3], 'reads downwards');
  t.strictSame(values([0, 0, 0, 2, 2, 2, 2, 0]), [1, 3, 2, 4], 'mirrored at the diagonal');
});

t.test('outside the image its border is repeated', async (t) => {
  const image = { data: Uint8Array.from([10, 20, 30, 40, 50, 60]), width: 2, height: 1 };
  const corners = toQuad([-3, -2, 5, -2, 5, 3, -3, 3]);
  for (const method of ['linear', 'cubic'] as const) {
    const { data } = sampleQuad(image, corners, 8, 5, method);
    t.strictSame([...data.subarray(0, 3)], [10, 20, 30], `${method}: far to the left above`);
    t.strictSame([...data.subarray(-3)], [40, 50, 60], `${method}: far to the right below`);
  }
});

t.test('cubic overshoot is clipped, not wrapped', async (t) => {
  const edge = { data: new Uint8Array(8 * 3).fill(255, 12), width: 8, height: 1 };
  const { data } = sampleQuad(edge, toQuad([0, 0, 8, 0, 8, 1, 0, 1]), 32, 1, 'cubic');
  const step = [...data].filter((_, i) => i % 3 === 0);
  t.ok(
    step.every((value, i) => i === 0 || value >= (step[i - 1] as number)),
    `rises only: ${step.join(' ')}`,
  );
});

t.test('upright, tilted and border pixels are computed in three ways and come out the same', async (t) => {
  const image = picture({ seed: 62, radius: 1, width: 40, height: 30 });
  // Corners at odd fractions of a pixel, so that no position lies half-way between two sixty-fourths.
  const box = [-3.13, -2.41, 44.37, -2.41, 44.37, 33.29, -3.13, 33.29];
  const tiltedBox = box.map((value, i) => (i === 3 || i === 5 ? value + 1e-7 : value));
  for (const method of ['linear', 'cubic'] as const) {
    const upright = sampleQuad(image, toQuad(box), 61, 47, method);
    const tilted = sampleQuad(image, toQuad(tiltedBox), 61, 47, method);
    t.strictSame(tilted.data, upright.data, `${method}: rows and columns apart, or pixel by pixel`);
    // With its border repeated 10 times on every side, the picture has all taps inside.
    const padded = sampleQuad(image, toQuad([-10, -10, 50, -10, 50, 40, -10, 40]), 60, 50, 'linear');
    const moved = toQuad(tiltedBox.map((value) => value + 10));
    t.strictSame(sampleQuad(padded, moved, 61, 47, method).data, tilted.data, `${method}: inside, or at the border`);
  }
});

t.test('a picture that begins inside of a larger buffer', async (t) => {
  const { data, width, height } = picture({ seed: 63, radius: 1, width: 20, height: 20 });
  const larger = new Uint8Array(data.length + 5);
  larger.set(data, 5);
  const quad = toQuad([6, 4, 15, 5, 14, 14, 5, 13]);
  for (const method of ['linear', 'cubic'] as const) {
    const expected = sampleQuad({ data, width, height }, quad, 18, 18, method);
    t.strictSame(sampleQuad({ data: larger.subarray(5), width, height }, quad, 18, 18, method), expected, method);
  }
});
