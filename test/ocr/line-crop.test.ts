import t from 'tap';
import { cropLine, LINE_HEIGHT } from '../../src/ocr/line-crop.ts';
import type { QuarterTurns } from '../../src/ocr/page.ts';
import { resizeImage } from '../../src/ocr/resize.ts';
import { sampleQuad } from '../../src/ocr/sample-quad.ts';
import { drawText, paper } from './fake-session.ts';
import { picture, toQuad } from './opencv/reference.ts';

const sizeOf = (quad: number[], turns: QuarterTurns = 0): [number, number] => {
  const { width, height } = cropLine(paper(400, 400), toQuad(quad), turns);
  return [width, height];
};

t.test('48 px high, as wide as its shape says', async (t) => {
  t.strictSame(sizeOf([10, 10, 110, 10, 110, 34, 10, 34]), [200, 48]);
  t.strictSame(sizeOf([10, 10, 310, 10, 310, 106, 10, 106]), [150, 48], 'reduced');
  t.strictSame(sizeOf([10, 10, 34, 10, 34, 110, 10, 110], 1), [200, 48], 'reads downwards');
  t.strictSame(sizeOf([10, 10, 34, 10, 34, 110, 10, 110], 3), [200, 48], 'reads upwards');
  t.strictSame(sizeOf([10, 10, 111, 10, 111, 58, 10, 58]), [101, 48]);
  t.strictSame(sizeOf([10, 10, 110.2, 10, 110.2, 58, 10, 58]), [101, 48], 'no column is cut off');
});

t.test('widths are bounded at both ends', async (t) => {
  t.equal(sizeOf([10, 10, 11, 10, 11, 100, 10, 100])[0], 8);
  t.equal(sizeOf([0, 10, 400, 10, 400, 11, 0, 11])[0], 4800);
  t.equal(sizeOf([0, 10, 90, 10, 90, 10.1, 0, 10.1])[0], 90 * 48, 'flat quads count as one pixel high');
});

t.test('text comes out upright from all four directions', async (t) => {
  const upright = paper(300, 300);
  const ink = drawText(upright, 'ABBA', { left: 30, top: 30, em: 40 });
  const expected = cropLine(
    upright,
    toQuad([ink.left, ink.top, ink.right, ink.top, ink.right, ink.bottom, ink.left, ink.bottom]),
    0,
  );
  for (const turns of [1, 2, 3] as const) {
    const image = paper(300, 300);
    const { left, top, right, bottom } = drawText(image, 'ABBA', { left: 50, top: 40, em: 40, turns });
    const line = cropLine(image, toQuad([left, top, right, top, right, bottom, left, bottom]), turns);
    t.strictSame([line.width, line.height], [expected.width, LINE_HEIGHT]);
    // Cubic weights are mirrored exactly only up to the rounding of positions.
    const largest = Math.max(...line.data.map((value, i) => Math.abs(value - (expected.data[i] as number))));
    t.ok(largest <= 2, `${turns} quarter turns: ${largest} levels`);
  }
});

t.test('how pixels are found depends on the scale', async (t) => {
  const image = picture({ seed: 71, radius: 0, width: 200, height: 120 });
  const quad = (height: number) => toQuad([10.3, 10.4, 110.3, 10.4, 110.3, 10.4 + height, 10.3, 10.4 + height]);
  t.strictSame(cropLine(image, quad(24), 0), sampleQuad(image, quad(24), 200, 48, 'cubic'), 'enlarged: cubic at once');
  t.strictSame(
    cropLine(image, quad(60), 0),
    resizeImage(sampleQuad(image, quad(60), 100, 60, 'cubic'), 80, 48),
    'a little reduced: sharp, then averaged',
  );
  t.strictSame(
    cropLine(image, quad(96), 0),
    resizeImage(sampleQuad(image, quad(96), 100, 96, 'linear'), 50, 48),
    'much reduced: averaging hides what linear loses',
  );
});
