import t from 'tap';
import { turnChevron } from '../../src/ocr/chevrons.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { paper } from './fake-session.ts';

const read = (text: string) => [...text].map((character, step) => ({ character, probability: 0.9, step }));
const textOf = (image: RgbImage, text: string) =>
  turnChevron(read(text), image)
    .map(({ character }) => character)
    .join('');

/** Two strokes that meet: `x` and `y` say where they are at 0..1 of the way from their ends to the point. */
function chevron(x: (way: number, side: 1 | -1) => number, y: (way: number, side: 1 | -1) => number): RgbImage {
  const image = paper(48, 48);
  for (let way = 0; way <= 1; way += 0.01) {
    for (const side of [1, -1] as const) {
      const [left, top] = [Math.round(x(way, side)), Math.round(y(way, side))];
      for (let i = 0; i < 3; i++) {
        image.data.fill(0, 3 * ((top + i) * 48 + left), 3 * ((top + i) * 48 + left + 3));
      }
    }
  }
  return image;
}

const across = (way: number, side: 1 | -1) => 23 + side * 10 * (1 - way);
const pointsRight = chevron((way) => 14 + 18 * way, across);
const pointsLeft = chevron((way) => 32 - 18 * way, across);
const pointsDown = chevron(across, (way) => 14 + 18 * way);

t.test('a lone chevron is read as it points', (t) => {
  t.equal(textOf(pointsRight, 'V'), '>');
  t.equal(textOf(pointsRight, '<'), '>');
  t.equal(textOf(pointsLeft, 'v'), '<');
  t.end();
});

t.test('what points as it was read, in whatever form, stays', (t) => {
  t.equal(textOf(pointsDown, 'V'), 'V');
  t.equal(textOf(pointsRight, '›'), '›');
  t.equal(textOf(pointsLeft, '〈'), '〈');
  t.end();
});

t.test('other glyphs, texts of several and empty images are left alone', (t) => {
  t.equal(textOf(pointsRight, 'K'), 'K');
  t.equal(textOf(pointsRight, 'V1'), 'V1');
  t.equal(textOf(pointsRight, ''), '');
  t.equal(textOf(paper(48, 48), 'V'), 'V');
  t.end();
});
