import t from 'tap';
import type { DecodedCharacter } from '../../src/ocr/ctc.ts';
import { measureInk } from '../../src/ocr/ink-map.ts';
import { CELL_SIZE, markCells } from '../../src/ocr/mark-cells.ts';
import { judgeMarks } from '../../src/ocr/mark-judge.ts';
import { markShape } from '../../src/ocr/mark-shape.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { fillBox, paper } from './fake-session.ts';

const CHARSET = ['', '天', '，', '。', '、', '：', '；', '·', '.', 'A'];
const STEPS = 28;
/** Steps of an ideograph's cell: 32 px. */
const PITCH = 4;

/** A line image of ideographs with a mark in the fourth cell, which `draw` inks. */
function lineImage(draw: (image: RgbImage, left: number) => void): RgbImage {
  const image = paper(8 * STEPS, 48);
  for (const cell of [0, 1, 2, 4, 5]) {
    const left = 12 + 8 * PITCH * cell;
    fillBox(image, { left, top: 10, right: left + 26, bottom: 14 });
    fillBox(image, { left: left + 11, top: 10, right: left + 15, bottom: 38 });
  }
  draw(image, 12 + 8 * PITCH * 3);
  return image;
}

/** Probabilities in which the mark's step has these, and all other steps are sure. */
function read(text: string, mark: Readonly<Record<string, number>>) {
  const data = new Float32Array(STEPS * CHARSET.length);
  const characters: DecodedCharacter[] = [...text].map((character, i) => ({
    character,
    probability: 0.9,
    step: 3 + PITCH * i,
  }));
  for (let step = 0; step < STEPS; step++) data[step * CHARSET.length] = 1;
  for (const { character, step } of characters) {
    data[step * CHARSET.length] = 0.02;
    data[step * CHARSET.length + CHARSET.indexOf(character)] = 0.98;
  }
  const at = (characters[3]?.step ?? 0) * CHARSET.length;
  data.fill(0, at, at + CHARSET.length);
  for (const [character, probability] of Object.entries(mark)) data[at + CHARSET.indexOf(character)] = probability;
  return { characters, output: { data, dims: [1, STEPS, CHARSET.length] } };
}

function judged(text: string, mark: Readonly<Record<string, number>>, image: RgbImage): string {
  const { characters, output } = read(text, mark);
  return judgeMarks(characters, output, CHARSET, image)
    .map(({ character }) => character)
    .join('');
}

const ring = (image: RgbImage, left: number): void => {
  fillBox(image, { left: left + 1, top: 28, right: left + 11, bottom: 38 });
  fillBox(image, { left: left + 4, top: 31, right: left + 8, bottom: 35 }, 255);
};
const comma = (image: RgbImage, left: number): void => {
  fillBox(image, { left: left + 3, top: 31, right: left + 7, bottom: 38 });
  fillBox(image, { left: left + 4, top: 38, right: left + 6, bottom: 40 });
};

t.test('a ring that was read as a comma is a full stop, a comma stays one', async (t) => {
  const doubtful = { '，': 0.6, '。': 0.25, '': 0.1 };
  t.equal(judged('天天天，天天', doubtful, lineImage(ring)), '天天天。天天');
  t.equal(judged('天天天，天天', { '，': 0.95, '。': 0.01 }, lineImage(comma)), '天天天，天天');
  t.equal(judged('天天天。天天', { '。': 0.95 }, lineImage(ring)), '天天天。天天');
});

t.test('only full-width cells behind ideographs are looked at', async (t) => {
  const image = lineImage(ring);
  const cells = ({ characters, output }: ReturnType<typeof read>) =>
    markCells(characters, output, CHARSET, image).map(({ index }) => index);
  t.strictSame(cells(read('天天天，天天', { '，': 0.9 })), [3]);
  t.strictSame(cells(read('天天天天天天', { 天: 0.9 })), [], 'no mark');
  t.strictSame(cells(read('天天天A，天', { A: 0.9 })), [], 'behind a letter');
  t.strictSame(cells(read('天，天', { 天: 0.9 })), [], 'too few ideographs to know their pitch');
  const { characters, output } = read('天天天，天天', { '，': 0.9 });
  const narrow = characters.map((one, i) => (i > 3 ? { ...one, step: one.step - 3 } : one));
  t.strictSame(cells({ characters: narrow, output }), [], 'a half-width mark');
});

t.test('the shape of a mark', async (t) => {
  const shape = (draw: (image: RgbImage, left: number) => void) => {
    const ink = measureInk(lineImage(draw));
    return [...markShape(ink, 255, 104, 144)];
  };
  const [there, , width, height, , , , , , fill, gap, middle] = shape(ring);
  t.strictSame([there, width, height], [1, 1, 1]);
  t.ok(Math.abs((fill ?? 0) - 0.84) < 0.01, 'a hollow square');
  t.equal(gap, 0);
  t.equal(middle, 0, 'empty in the middle');
  const colon = shape((image, left) => {
    fillBox(image, { left: left + 10, top: 15, right: left + 14, bottom: 19 });
    fillBox(image, { left: left + 10, top: 31, right: left + 14, bottom: 35 });
  });
  t.ok(Math.abs((colon[10] ?? 0) - 1.2) < 1e-9, '12 empty rows between the dots');
  t.ok(
    shape(() => undefined).every((value) => value === 0),
    'the neighbours are no mark',
  );
  t.equal(markShape(measureInk(paper(100, 48)), 0, 10, 50).length + 9, CELL_SIZE);
});
