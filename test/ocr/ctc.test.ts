import t from 'tap';
import { decodeCtc } from '../../src/ocr/ctc.ts';

const CHARSET = ['', '中', 'b', '😀', ' '];

/** Output with these likeliest classes; a step's probability is 0.9, or given as [class, probability]. */
function output(...steps: (number | [number, number])[]) {
  const data = new Float32Array(steps.length * CHARSET.length).fill(0.01);
  steps.forEach((step, i) => {
    const [best, probability] = typeof step === 'number' ? [step, 0.9] : step;
    data[i * CHARSET.length + best] = probability;
  });
  return { data, dims: [1, steps.length, CHARSET.length] };
}

const text = (...steps: (number | [number, number])[]): string =>
  decodeCtc(output(...steps), CHARSET)
    .map(({ character }) => character)
    .join('');

t.test('repetitions are merged, blanks removed', async (t) => {
  t.equal(text(1, 1, 2), '中b');
  t.equal(text(0, 1, 0, 1, 0), '中中', 'a blank between keeps both');
  t.equal(text(1, 2, 1), '中b中', 'and so does another character');
  t.equal(text(0, 0, 0), '');
});

t.test('the last class is the space, and a character may be two UTF-16 units', async (t) => {
  t.equal(text(2, 4, 3), 'b 😀');
});

t.test('where and how surely', async (t) => {
  const found = decodeCtc(output(0, [2, 0.5], [2, 0.75], 0, 0, [1, 1]), CHARSET);
  t.strictSame(found, [
    { character: 'b', probability: 0.5, step: 1 },
    { character: '中', probability: 1, step: 5 },
  ]);
});

t.test('a tie goes to the lower class, so that nothing is read in an even guess', async (t) => {
  t.strictSame(decodeCtc({ data: new Float32Array(10).fill(0.2), dims: [1, 2, 5] }, CHARSET), []);
});

t.test('nothing to decode', async (t) => {
  t.strictSame(decodeCtc({ data: new Float32Array(0), dims: [1, 0, 5] }, CHARSET), []);
  t.strictSame(decodeCtc({ data: new Float32Array(0), dims: [] }, CHARSET), []);
});

t.test('a class that the charset lacks reads as nothing instead of "undefined"', async (t) => {
  t.equal(decodeCtc(output(4), ['', '中'])[0]?.character, '');
});

t.test('classes on both sides of a half', async (t) => {
  const decoded = (...rows: number[][]) =>
    decodeCtc({ data: Float32Array.from(rows.flat()), dims: [1, rows.length, CHARSET.length] }, CHARSET).map(
      ({ character, step }) => `${character}${step}`,
    );
  t.strictSame(decoded([0.3, 0.1, 0.2, 0.4, 0]), ['😀0'], 'the largest one, although it is less than a half');
  t.strictSame(decoded([0.4, 0.1, 0.2, 0.3, 0]), [], 'a blank of less than a half');
  t.strictSame(decoded([0.4, 0.6, 0, 0, 0], [0.1, 0.4, 0.5, 0, 0]), ['中0', 'b1'], 'the class before is not preferred');
  t.strictSame(decoded([0.1, 0.2, 0, 0, 0.7], [0, 0.3, 0, 0, 0.7]), [' 0'], 'nor read twice');
});
