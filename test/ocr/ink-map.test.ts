import t from 'tap';
import { inkContrast, measureInk } from '../../src/ocr/ink-map.ts';
import { fillBox, paper } from './fake-session.ts';

t.test('ink is the largest channel difference from the background', async (t) => {
  const image = paper(20, 10);
  for (let i = 0; i < 200; i++) image.data.set([210, 200, 170], 3 * i);
  // Brighter in red, darker in blue, the same in green.
  image.data.set([240, 200, 90], (5 * 20 + 7) * 3);
  fillBox(image, { left: 2, top: 2, right: 3, bottom: 3 }, 20);
  const ink = measureInk(image);
  t.equal(ink.data[5 * 20 + 7], 80);
  t.equal(ink.data[2 * 20 + 2], 190);
  t.equal(ink.data.filter((value) => value > 0).length, 2, 'nothing else differs');
});

t.test('every stretch of a line has its own background', async (t) => {
  // Three times as wide as high is one stretch; the left one is white, the right one dark.
  const image = paper(60, 10, 255);
  fillBox(image, { left: 30, top: 0, right: 60, bottom: 10 }, 40);
  fillBox(image, { left: 40, top: 4, right: 50, bottom: 6 }, 240);
  const ink = measureInk(image);
  t.equal(ink.data[0], 0);
  t.equal(ink.data[59], 0);
  t.equal(ink.data[5 * 60 + 45], 200);
});

t.test('contrast is the 97th percentile inside the box', async (t) => {
  const ink = { data: Uint8Array.from({ length: 100 }, (_, i) => i), width: 10, height: 10 };
  t.equal(inkContrast(ink, 0, 10, 0, 10), 96);
  t.equal(inkContrast(ink, 0, 10, 0, 1), 9);
  t.equal(inkContrast(ink, -5, 3, -5, 1), 2, 'the part inside the map');
  t.equal(inkContrast(ink, 20, 30, 0, 10), 0, 'nothing inside');
});
