import t from 'tap';
import { measureDots } from '../../src/ocr/dot-ink.ts';
import { fillBox, paper } from './fake-session.ts';

/** A line image with two stems, so that there is contrast to measure. */
function lineImage() {
  const image = paper(160, 48);
  fillBox(image, { left: 20, top: 10, right: 26, bottom: 40 });
  fillBox(image, { left: 130, top: 10, right: 136, bottom: 40 });
  return image;
}

/** The dot's time step has its middle at 74.5 px. */
const at = (character: string, step = 9) => ({ character, probability: 1, step });
const dotsOf = (image: ReturnType<typeof lineImage>, ...characters: ReturnType<typeof at>[]) =>
  measureDots([at('l', 2), ...characters, at('l', 16)], image)
    .slice(1, -1)
    .map(({ dots }) => dots?.map(Math.round));

t.test('a dot has the area of its ink, a colon that of both dots, the lower one first', async (t) => {
  const image = lineImage();
  fillBox(image, { left: 72, top: 36, right: 76, bottom: 40 });
  t.strictSame(dotsOf(image, at('.')), [[16]]);
  fillBox(image, { left: 72, top: 20, right: 75, bottom: 22 });
  t.strictSame(dotsOf(image, at('：')), [[16, 6]]);
});

t.test('ink belongs to the nearest dot; what is too far or too large belongs to none', async (t) => {
  const image = lineImage();
  fillBox(image, { left: 72, top: 36, right: 76, bottom: 40 });
  t.strictSame(dotsOf(image, at('.'), at('.', 11)), [[16], []]);
  t.strictSame(dotsOf(image, at('.', 11)), [[]]);
  fillBox(image, { left: 72, top: 20, right: 76, bottom: 40 });
  t.strictSame(dotsOf(image, at('.')), [[]]);
});

t.test('other characters, and lines without contrast, are left as they are', async (t) => {
  t.strictSame(dotsOf(lineImage(), at('-')), [undefined]);
  const characters = [at('.')];
  t.equal(measureDots(characters, paper(160, 48)), characters);
});
