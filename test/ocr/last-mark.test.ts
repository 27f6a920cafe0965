import t from 'tap';
import { boundingBox, turnQuad } from '../../src/ocr/geometry.ts';
import { extendToMark, keepMark } from '../../src/ocr/last-mark.ts';
import type { Quad } from '../../src/ocr/page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { toReading } from '../../src/ocr/text-recognition.ts';
import { paper } from './fake-session.ts';
import { toQuad } from './opencv/reference.ts';

const box = (left: number, top: number, right: number, bottom: number): Quad =>
  toQuad([left, top, right, top, right, bottom, left, bottom]);

function ink(image: RgbImage, left: number, top: number, right: number, bottom: number, level = 0): void {
  for (let y = top; y < bottom; y++)
    image.data.fill(level, 3 * (y * image.width + left), 3 * (y * image.width + right));
}

/** Five glyphs of two strokes, 20 px high, from (40, 40) to (138, 60). */
function lineOfGlyphs(width = 300): { image: RgbImage; tight: Quad } {
  const image = paper(width, 100);
  for (let x = 40; x < 140; x += 20) {
    ink(image, x, 40, x + 18, 43);
    ink(image, x + 7, 40, x + 11, 60);
  }
  return { image, tight: box(40, 40, 138, 60) };
}

const rounded = (quad: Quad | undefined) => {
  if (quad === undefined) return undefined;
  const { left, top, right, bottom } = boundingBox(quad);
  return [left, top, right, bottom].map(Math.round);
};

t.test('a mark most of a cell behind the last glyph belongs to the line, a faint one too', (t) => {
  for (const level of [0, 150]) {
    const { image, tight } = lineOfGlyphs();
    ink(image, 152, 54, 156, 60, level);
    t.strictSame(rounded(extendToMark(image, tight, 0, [tight])), [40, 40, 156, 60]);
  }
  t.end();
});

t.test('two marks stand there where one of them closes a bracket or a quotation', (t) => {
  const { image, tight } = lineOfGlyphs();
  ink(image, 142, 40, 146, 60);
  ink(image, 160, 46, 163, 49);
  ink(image, 160, 55, 163, 58);
  t.strictSame(rounded(extendToMark(image, tight, 0, [tight])), [40, 40, 163, 60]);
  t.end();
});

t.test('on a page that stands on its head it is before the first', (t) => {
  const { image, tight } = lineOfGlyphs();
  ink(image, 24, 40, 28, 46);
  const extended = extendToMark(image, tight, 2, [tight]);
  t.strictSame(rounded(extended), [24, 40, 138, 60]);
  t.ok((extended?.[0].x ?? 0) < (extended?.[1].x ?? 0), 'the corners keep their order');
  t.equal(extendToMark(image, tight, 0, [tight]), undefined);
  t.end();
});

t.test('what is no mark of this line', (t) => {
  const cases: Record<string, (image: RgbImage) => void> = {
    nothing: () => undefined,
    'too far': (image) => ink(image, 168, 54, 172, 60),
    'too wide': (image) => ink(image, 150, 52, 162, 60),
    'the first of more': (image) => {
      ink(image, 150, 54, 154, 60);
      ink(image, 158, 40, 170, 60);
    },
    'a single pixel': (image) => ink(image, 152, 58, 153, 59),
    'a ruled line': (image) => ink(image, 152, 0, 154, 100),
  };
  for (const [name, draw] of Object.entries(cases)) {
    const { image, tight } = lineOfGlyphs();
    draw(image);
    t.equal(extendToMark(image, tight, 0, [tight]), undefined, name);
  }
  const { image, tight } = lineOfGlyphs();
  ink(image, 152, 54, 156, 60);
  t.equal(extendToMark(image, tight, 0, [tight, box(150, 52, 160, 62)]), undefined, 'a line of its own');
  t.end();
});

t.test('the border of the picture is no ink', (t) => {
  const { image, tight } = lineOfGlyphs(142);
  ink(image, 140, 40, 142, 60);
  t.equal(extendToMark(image, tight, 0, [tight]), undefined);
  t.end();
});

t.test('what is read behind the old end stays only if it is a mark', (t) => {
  const crop = box(0, 0, 200, 48);
  const line = turnQuad(box(10, 10, 150, 38), 0);
  const read = (text: string, probability: number) =>
    toReading(
      [...text].map((character, i) => ({ character, probability, step: [4, 12, 21, 23][i] ?? 0 })),
      200,
    );
  const result = (text: string, probability = 0.9) => {
    const { reading, kept } = keepMark(read(text, probability), crop, line);
    return [reading.text, kept];
  };
  t.strictSame(result('天地。'), ['天地。', true]);
  t.strictSame(result('天地'), ['天地', false]);
  t.strictSame(result('天地。', 0.1), ['天地', false], 'a speck');
  t.strictSame(result('天地日'), ['天地', false]);
  t.strictSame(result('天地。。'), ['天地', false]);
  t.strictSame(result('天地）：'), ['天地）：', true]);
  t.strictSame(result('No.'), ['No', false]);
  t.strictSame(result('f();'), ['f();', true]);
  t.strictSame(result('do;;'), ['do', false]);
  t.strictSame(result('do{'), ['do{', true]);
  t.strictSame(result('do{', 0.7), ['do', false]);
  t.end();
});
