import t from 'tap';
import { doubleLongDashes } from '../../src/ocr/long-dashes.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { fillBox, paper } from './fake-session.ts';

/** A glyph as high as the line, a dash of this length behind it, and another glyph; in the dash's middle is the time step 8. */
function lineWithDash(length: number): RgbImage {
  const image = paper(140, 48);
  fillBox(image, { left: 4, top: 9, right: 30, bottom: 39 });
  fillBox(image, { left: 67 - length / 2, top: 23, right: 67 + length / 2, bottom: 26 });
  fillBox(image, { left: 106, top: 9, right: 136, bottom: 39 });
  return image;
}

const textOf = (text: string, image: RgbImage, steps: readonly number[] = [2, 8, 15]) =>
  doubleLongDashes(
    [...text].map((character, i) => ({ character, probability: 0.9, step: steps[i] ?? 0 })),
    image,
  )
    .map(({ character }) => character)
    .join('');

t.test('a dash as long as two ideographs is two', (t) => {
  t.equal(textOf('天—地', lineWithDash(60)), '天——地');
  t.equal(textOf('天—地', lineWithDash(46)), '天——地');
  t.equal(textOf('天—地', lineWithDash(36)), '天—地');
  t.end();
});

t.test('what is read as two already, or as something else, stays', (t) => {
  t.equal(textOf('天——地', lineWithDash(60), [2, 7, 9, 15]), '天——地');
  t.equal(textOf('天一地', lineWithDash(60)), '天一地');
  t.equal(textOf('天-地', lineWithDash(60)), '天-地');
  t.equal(textOf('天—地', paper(140, 48)), '天—地', 'no ink');
  t.end();
});

t.test('time steps stay in order', (t) => {
  const steps = doubleLongDashes(
    [...'天—地'].map((character, i) => ({ character, probability: 0.9, step: [2, 8, 15][i] ?? 0 })),
    lineWithDash(60),
  ).map(({ step }) => step);
  t.strictSame(steps, [2, 8, 9, 15]);
  t.end();
});
