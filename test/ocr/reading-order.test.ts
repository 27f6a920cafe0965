import t from 'tap';
import type { Point, Quad, QuarterTurns } from '../../src/ocr/page.ts';
import { orderLines, type OrderableLine } from '../../src/ocr/reading-order.ts';
import { toQuad } from './opencv/reference.ts';

interface Named extends OrderableLine {
  readonly name: string;
}

const at = (name: string, left: number, top: number, width: number, height: number, weight = 1): Named => ({
  name,
  quad: toQuad([left, top, left + width, top, left + width, top + height, left, top + height]),
  turns: 0,
  weight,
});

const names = (lines: readonly Named[]): string =>
  orderLines(lines)
    .map(({ name }) => name)
    .join(' ');

/** A page of 400 x 300: two columns, the right cell of the second row a little lower, a full line under them. */
const PAGE = [
  at('heading', 100, 10, 200, 40),
  at('b1', 220, 82, 100, 20),
  at('a1', 20, 80, 100, 20),
  at('a2', 20, 110, 100, 20),
  at('b2', 220, 116, 100, 20),
  at('full', 20, 150, 360, 20),
];
const EXPECTED = 'heading a1 b1 a2 b2 full';

/** The page turned clockwise by quarters: text that is upright then needs `turns`. */
function turned(lines: readonly Named[], turns: QuarterTurns): Named[] {
  const turn = ({ x, y }: Point): Point =>
    [
      { x, y },
      { x: 300 - y, y: x },
      { x: 400 - x, y: 300 - y },
      { x: y, y: 400 - x },
    ][turns] as Point;
  return lines.map((line) => ({ ...line, turns, quad: line.quad.map(turn) as unknown as Quad }));
}

t.test('rows from top to bottom, each from left to right', async (t) => {
  t.equal(names(PAGE), EXPECTED);
  t.equal(names(PAGE.toReversed()), EXPECTED, 'whatever order they come in');
  t.equal(names([]), '');
});

t.test('in all four directions of the page', async (t) => {
  for (const turns of [1, 2, 3] as const) t.equal(names(turned(PAGE, turns)), EXPECTED, `${turns} quarter turns`);
});

t.test('the page reads as most of its text does', async (t) => {
  const [mostly, upright] = [turned(PAGE, 2), at('seal', 5, 290, 30, 9, 1)];
  t.equal(names([...mostly, upright]), `seal ${EXPECTED}`, 'upside down, the lowest line is the first one');
  const heavy = { ...upright, weight: 1000 };
  t.equal(names([...mostly, heavy]), 'full b2 a2 b1 a1 heading seal', 'weight counts, not the number of lines');
});

t.test('one row or two', async (t) => {
  t.equal(
    names([at('right', 100, 29, 80, 20), at('left', 0, 20, 80, 20)]),
    'left right',
    'less than half a height lower',
  );
  t.equal(names([at('left', 0, 30, 80, 20), at('right', 100, 20, 80, 20)]), 'right left', 'half a height lower');
  t.equal(names([at('left', 0, 24, 80, 20), at('tall', 100, 10, 80, 48)]), 'left tall', 'up to 2.5 times as high');
  t.equal(names([at('left', 0, 26, 80, 20), at('taller', 100, 9, 80, 50)]), 'taller left', 'not more');
  t.equal(
    names([at('right', 100, 24, 80, 20), at('taller', 0, 11, 80, 50)]),
    'right taller',
    'nor the other way round',
  );
});

t.test('a gentle slope stays one row, as the row follows its lines', async (t) => {
  const slope = Array.from({ length: 8 }, (_, i) => at(`${i}`, 300 - 40 * i, 20 + 3 * i, 30, 20));
  // Four steps of 3 px are more than half a height, but never from the mean of the row.
  t.equal(names(slope.slice(0, 5)), '4 3 2 1 0');
});
