import t from 'tap';
import { characterMiddle } from '../../src/ocr/ctc.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import type { Session } from '../../src/ocr/session.ts';
import { readStacked } from '../../src/ocr/stacked-text.ts';
import { toReading } from '../../src/ocr/text-recognition.ts';
import { fillBox, paper } from './fake-session.ts';

const CHARSET = ['', ...'天地人，。、；·．’4十∞', ' '];
/** Pixels of the lying line image from one character to the next, and its first character's beginning. */
const PITCH = 32;
const START = 9;

type Glyph = 'ideograph' | 'corner mark' | 'two parts' | 'nothing';

/** A column on its side: an ideograph is a bar along its left edge (its top, upright) and a frame's worth of ink behind it. */
function column(glyphs: readonly Glyph[]): RgbImage {
  const image = paper(2 * START + PITCH * glyphs.length, 48);
  glyphs.forEach((glyph, i) => {
    const left = START + PITCH * i;
    if (glyph === 'ideograph') {
      fillBox(image, { left, top: 9, right: left + 5, bottom: 39 });
      fillBox(image, { left: left + 5, top: 22, right: left + 29, bottom: 26 });
    } else if (glyph === 'corner mark') fillBox(image, { left: left + 2, top: 10, right: left + 8, bottom: 16 });
    else if (glyph === 'two parts') {
      fillBox(image, { left: left + 6, top: 20, right: left + 10, bottom: 24 });
      fillBox(image, { left: left + 18, top: 20, right: left + 24, bottom: 24 });
    }
  });
  return image;
}

/** What was read of a column lying; `~` for a cell in which nothing was. */
function lying(text: string, probability = 0.95) {
  const characters = [...text].flatMap((character, i) =>
    character === '~'
      ? []
      : [{ character, probability, step: Math.round((START + PITCH * (i + 0.5) + 1.5) / 8 - 0.5) }],
  );
  return toReading(characters, 2 * START + PITCH * [...text].length);
}

/** Gives these characters for the cells of the row that it is to read, and keeps what it saw. */
function recognizer(text: string, probability = 0.99): Session & { seen: { input: Float32Array; width: number }[] } {
  const seen: { input: Float32Array; width: number }[] = [];
  return {
    seen,
    run: async (input, dims) => {
      const width = dims[3];
      seen.push({ input: input.slice(), width });
      const steps = Math.ceil(width / 8);
      const data = new Float32Array(steps * CHARSET.length);
      const cell = (width - 18) / [...text].length;
      for (let step = 0; step < steps; step++) data[step * CHARSET.length] = 1;
      [...text].forEach((character, i) => {
        const base = Math.round((9 + cell * (i + 0.5) + 1.5) / 8 - 0.5) * CHARSET.length;
        data[base] = 1 - probability;
        data[base + CHARSET.indexOf(character)] = probability;
      });
      return { data, dims: [1, steps, CHARSET.length] };
    },
  };
}

const isInk = ({ input, width }: { input: Float32Array; width: number }, x: number, y: number): boolean =>
  input[y * width + x] < 0;

/** Bounds of the ink of a cell of the row that was read: left, top, right, bottom, from the cell's left edge. */
function inkOfCell(seen: { input: Float32Array; width: number }, index: number): number[] {
  const bounds = [99, 99, 0, 0];
  for (let y = 0; y < 48; y++) {
    for (let x = 0; x < 33; x++) {
      if (!isInk(seen, 9 + 33 * index + x, y)) continue;
      bounds[0] = Math.min(bounds[0], x);
      bounds[1] = Math.min(bounds[1], y);
      bounds[2] = Math.max(bounds[2], x + 1);
      bounds[3] = Math.max(bounds[3], y + 1);
    }
  }
  return bounds;
}

t.test('characters are stood up side by side, marks in the lower left of their cells', async (t) => {
  const session = recognizer('天地，人');
  const result = await readStacked(
    column(['ideograph', 'ideograph', 'corner mark', 'ideograph']),
    lying('天地’人'),
    session,
    CHARSET,
    2,
  );
  t.equal(result.reading?.text, '天地，人');
  const [seen] = session.seen;
  t.ok(seen, 'read once');
  t.equal(result.width, seen?.width);
  if (seen === undefined) return;
  const [left, top, right, bottom] = inkOfCell(seen, 0);
  t.match([right - left, bottom - top], [30, 29], 'the bar is 30 px wide now');
  t.ok(isInk(seen, 9 + 4, top), 'and on top');
  t.notOk(isInk(seen, 9 + 4, top + 12));
  const mark = inkOfCell(seen, 2);
  t.strictSame(mark, [4, 34, 10, 40]);
});

t.test('characters keep their places in the line', async (t) => {
  const reading = lying('天地’人');
  const result = await readStacked(
    column(['ideograph', 'ideograph', 'corner mark', 'ideograph']),
    reading,
    recognizer('天地，人'),
    CHARSET,
    2,
  );
  t.strictSame(
    result.reading?.characters.map(({ step }) => characterMiddle(step)),
    reading.characters.map(({ step }) => characterMiddle(step)),
  );
  t.equal(result.reading?.width, reading.width);
});

t.test('an ideograph or a digit that was read with more stays', async (t) => {
  const glyphs: Glyph[] = ['ideograph', 'ideograph', 'ideograph', 'ideograph'];
  const read = async (lyingText: string, probability: number, upright: string) =>
    (await readStacked(column(glyphs), lying(lyingText, probability), recognizer(upright, 0.9), CHARSET, 2)).reading
      ?.text;
  t.equal(await read('天地人天', 0.95, '天地地天'), '天地人天');
  t.equal(await read('天地人天', 0.85, '天地地天'), '天地地天');
  t.equal(await read('天地4天', 0.85, '天地∞天'), '天地4天', 'a digit that lies in the column');
});

t.test('a mark that was not read lying is found in its gap, and one in two parts is one', async (t) => {
  const gap = await readStacked(
    column(['ideograph', 'ideograph', 'corner mark', 'ideograph']),
    lying('天地~人'),
    recognizer('天地。人'),
    CHARSET,
    2,
  );
  t.equal(gap.reading?.text, '天地。人');
  const empty = await readStacked(
    column(['ideograph', 'ideograph', 'nothing', 'ideograph']),
    lying('天地~人'),
    recognizer('天地人'),
    CHARSET,
    2,
  );
  t.equal(empty.reading?.text, '天地人');
  const { characters, width } = lying('天地~人');
  const halves = characters.toSpliced(
    2,
    0,
    { character: '．', probability: 0.7, step: 10 },
    { character: '，', probability: 0.7, step: 12 },
  );
  const joined = await readStacked(
    column(['ideograph', 'ideograph', 'two parts', 'ideograph']),
    toReading(halves, width),
    recognizer('天地；人'),
    CHARSET,
    2,
  );
  t.equal(joined.reading?.text, '天地；人');
});

t.test('text of a page on its side does not read so', async (t) => {
  const session = recognizer('人人人人', 0.5);
  const glyphs: Glyph[] = ['ideograph', 'ideograph', 'ideograph', 'ideograph'];
  const result = await readStacked(column(glyphs), lying('天地人天'), session, CHARSET, 2);
  t.equal(result.reading, undefined);
  t.ok(result.width > 0, 'and costs its width');
});

t.test('columns without ideographs and without contrast cost nothing', async (t) => {
  const session = recognizer('天');
  const nothing = { reading: undefined, width: 0 };
  t.strictSame(await readStacked(column(['ideograph', 'ideograph']), lying('44'), session, CHARSET, 1), nothing);
  t.strictSame(await readStacked(column(['ideograph']), lying('天'), session, CHARSET, 2), nothing);
  t.strictSame(await readStacked(column(['nothing', 'nothing']), lying('天地'), session, CHARSET, 2), nothing);
  t.equal(session.seen.length, 0);
});
