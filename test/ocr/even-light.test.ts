import t from 'tap';
import { evenLight } from '../../src/ocr/even-light.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';

const WIDTH = 480;
const HEIGHT = 320;

/** Grey values from 0 to 255 by place. */
function picture(value: (x: number, y: number) => number): RgbImage {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++)
    data.fill(Math.round(value(i % WIDTH, Math.floor(i / WIDTH))), 3 * i, 3 * i + 3);
  return { data, width: WIDTH, height: HEIGHT };
}
/** Strokes of 2 px on paper. */
const page = (x: number, y: number): number => (x % 12 < 2 && y % 30 < 18 ? 10 : 245);
const at = ({ data }: RgbImage, x: number, y: number): number => data[3 * (y * WIDTH + x)] ?? 0;

t.test('a page that is lit well is returned as it is', async (t) => {
  const even = picture(page);
  t.equal(evenLight(even), even);
  const blank = picture((x, y) => 230 + ((x * 7 + y * 13) % 8));
  t.equal(evenLight(blank), blank, 'nothing is made of a blank page');
});

t.test('a page with few words is not faded', async (t) => {
  // Six strokes of 30 px with soft edges: ink is a third of a percent, its edges twice as much.
  const stroke = (x: number, y: number): number => {
    if (x % 80 > 6 || y % 320 > 30) return 245;
    return [225, 190, 10, 10, 10, 190, 225][x % 80] ?? 245;
  };
  const sparse = picture(stroke);
  t.ok(evenLight(sparse) === sparse, 'dark on light');
  const faded = picture((x, y) => 128 + (stroke(x, y) - 128) / 5);
  t.equal(at(evenLight(faded), 3, 5), 0, 'unless it is');
  const negative = picture((x, y) => 255 - stroke(x, y));
  t.ok(evenLight(negative) === negative, 'light on dark');
});

t.test('light that falls off smoothly', async (t) => {
  const shaded = picture((x, y) => page(x, y) * (0.3 + (0.7 * x) / WIDTH) * (0.8 + (0.2 * y) / HEIGHT));
  const mended = evenLight(shaded);
  for (const [x, y] of [
    [9, 25],
    [9, 295],
    [249, 145],
    [465, 25],
  ] as const) {
    t.ok(at(mended, x, y) > 215, `paper at ${x},${y}: ${at(mended, x, y)}`);
  }
  t.ok(at(mended, 1, 155) < 40, 'ink stays dark');
});

t.test('a dark panel is not a shadow', async (t) => {
  const panel = picture((x, y) => (x < WIDTH / 2 ? page(x, y) : 40 + page(x, y) / 8));
  t.equal(evenLight(panel), panel);
});

t.test('a faded page gets all levels', async (t) => {
  const faded = picture((x, y) => 128 + (page(x, y) - 128) / 5);
  const mended = evenLight(faded);
  t.equal(at(mended, 1, 5), 0);
  t.equal(at(mended, 9, 25), 255);
});
