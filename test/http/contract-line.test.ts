import t from 'tap';
import { toContractLine } from '../../src/http/contract-line.ts';
import type { Quad } from '../../src/ocr/page.ts';
import { rectangle } from './fixtures/fake-parts.ts';

const page = { width: 400, height: 300 };
const locate = (quad: Quad) => toContractLine({ text: 'a', confidence: 0.5, quad }, page).location;

t.test('location', async (t) => {
  t.strictSame(locate(rectangle(148, 18, 317, 35)), { top: 18, left: 148, width: 169, height: 17 }, 'whole pixels');
  t.strictSame(
    locate(rectangle(10.4, 20.6, 30.2, 40.1)),
    { top: 20, left: 10, width: 21, height: 21 },
    'grows outwards',
  );
  t.strictSame(
    locate(rectangle(9.999, 20.001, 30.002, 39.998)),
    { top: 20, left: 10, width: 20, height: 20 },
    'corners a hair over an edge take no further pixel',
  );
  t.strictSame(
    locate(rectangle(9.98, 20, 30.02, 40)),
    { top: 20, left: 9, width: 22, height: 20 },
    'corners further over an edge do',
  );
  t.strictSame(
    locate([
      { x: 100, y: 150 },
      { x: 150, y: 100 },
      { x: 200, y: 150 },
      { x: 150, y: 200 },
    ]),
    { top: 100, left: 100, width: 100, height: 100 },
    'a line at 45 degrees: corners 0 and 2 alone would give height 0',
  );
  t.strictSame(
    locate([
      { x: 60, y: 40 },
      { x: 60, y: 90 },
      { x: 20, y: 90 },
      { x: 20, y: 40 },
    ]),
    { top: 40, left: 20, width: 40, height: 50 },
    'a line that reads downwards',
  );
});

t.test('location stays inside the image', async (t) => {
  t.strictSame(locate(rectangle(-5, -7.5, 420, 310)), { top: 0, left: 0, width: 400, height: 300 });
  t.strictSame(locate(rectangle(390, 290, 420, 310)), { top: 290, left: 390, width: 10, height: 10 });
  t.strictSame(locate(rectangle(500, 400, 600, 410)), { top: 299, left: 399, width: 1, height: 1 }, 'wholly outside');
  t.strictSame(locate(rectangle(-20, -20, -10, -10)), { top: 0, left: 0, width: 1, height: 1 }, 'wholly outside, left');
  t.strictSame(locate(rectangle(50, 60, 50, 60)), { top: 60, left: 50, width: 1, height: 1 }, 'a point');
});

t.test('words and score', async (t) => {
  const quad = rectangle(0, 0, 10, 10);
  t.strictSame(toContractLine({ text: '你好', confidence: 0.75, quad }, page).words, '你好');
  t.equal(toContractLine({ text: '', confidence: 0.75, quad }, page).score, 0.75);
  t.equal(toContractLine({ text: '', confidence: 1.0000001, quad }, page).score, 1, 'rounding does not leave 0..1');
  t.equal(toContractLine({ text: '', confidence: -0.0001, quad }, page).score, 0);
});
