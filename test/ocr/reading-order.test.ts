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

t.test('a page that lies askew is straightened first', async (t) => {
  // Five degrees: the end of a long line lies lower than the start of the next one.
  const [cos, sin] = [Math.cos((5 * Math.PI) / 180), Math.sin((5 * Math.PI) / 180)];
  const skewed = ['1', '2', '3', '4', '5'].map((name, i) => {
    const line = at(name, 20, 20 + 30 * i, i % 2 === 0 ? 900 : 120, 20);
    return {
      ...line,
      quad: line.quad.map(({ x, y }) => ({ x: x * cos - y * sin, y: x * sin + y * cos })) as unknown as Quad,
    };
  });
  t.equal(names(skewed.toReversed()), '1 2 3 4 5');
});

/** Lines of one column, 20 px high and 30 px apart. */
const column = (prefix: string, left: number, top: number, widths: readonly number[]): Named[] =>
  widths.map((width, i) => at(`${prefix}${i + 1}`, left, top + 30 * i, width, 20));

t.test('columns of running text are read one after the other', async (t) => {
  const page = [
    at('title', 100, 10, 800, 40),
    ...column('a', 20, 80, [460, 455, 460, 458, 200]),
    ...column('b', 520, 80, [460, 455, 460, 458, 460]),
    at('footer', 300, 260, 420, 20),
  ];
  t.equal(names(page.toReversed()), 'title a1 a2 a3 a4 a5 b1 b2 b3 b4 b5 footer');
});

t.test('headings across the columns end what is above them', async (t) => {
  const page = [
    ...column('a', 20, 0, [460, 455, 460, 458]),
    ...column('b', 520, 0, [460, 455, 460, 458]),
    at('middle', 100, 140, 800, 30),
    ...column('c', 20, 200, [460, 455, 460, 458]),
    ...column('d', 520, 200, [460, 455, 460, 458]),
  ];
  t.equal(names(page), 'a1 a2 a3 a4 b1 b2 b3 b4 middle c1 c2 c3 c4 d1 d2 d3 d4');
});

t.test('tables and forms are read row by row', async (t) => {
  const cells = (left: number): Named[] => column(left < 300 ? 'l' : 'r', left, 0, [80, 150, 60, 110, 95, 170]);
  t.equal(names([...cells(20), ...cells(520)]), 'l1 r1 l2 r2 l3 r3 l4 r4 l5 r5 l6 r6');
});
