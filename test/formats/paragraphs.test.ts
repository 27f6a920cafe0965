import t from 'tap';
import { findParagraphs } from '../../src/formats/paragraphs.ts';
import type { Line, Quad } from '../../src/ocr/page.ts';
import { makeLine } from './make-document.ts';

/** [block, paragraph, row] of each line. */
const numbers = (lines: readonly Line[], angle = 0): number[][] =>
  findParagraphs(lines, angle).map(({ block, paragraph, row }) => [block, paragraph, row]);

const FULL = '一二三四五六七八九十一二三四五六';

t.test('rows, paragraphs by indent, by distance and by size', async (t) => {
  const lines = [
    makeLine('标题', 100, 20, 40),
    makeLine(FULL.slice(2), 140, 100),
    makeLine(FULL, 100, 130),
    makeLine(FULL, 100, 160),
    makeLine(FULL.slice(2), 140, 190),
    makeLine('七八', 100, 220),
    makeLine('Note', 100, 275),
  ];
  t.strictSame(numbers(lines), [
    [1, 1, 1],
    [1, 2, 2],
    [1, 2, 3],
    [1, 2, 4],
    [1, 3, 5],
    [1, 3, 6],
    [1, 4, 7],
  ]);
  t.strictSame(
    findParagraphs(lines, 0).map(({ full }) => full),
    [false, true, true, true, true, false, false],
  );
});

t.test('cells side by side share a row', async (t) => {
  const lines = [
    makeLine('姓名', 10, 10),
    makeLine('李明', 200, 12),
    makeLine('编号', 10, 60),
    makeLine('123', 200, 61),
  ];
  t.strictSame(
    numbers(lines).map(([, , row]) => row),
    [1, 1, 2, 2],
  );
});

t.test('columns, and what stands far below, are blocks', async (t) => {
  const lines = [makeLine(FULL, 10, 10), makeLine(FULL, 10, 40), makeLine(FULL, 400, 10), makeLine('页脚', 10, 500)];
  t.strictSame(
    numbers(lines).map(([block]) => block),
    [1, 1, 2, 3],
  );
});

t.test('a turned page has the same structure', async (t) => {
  const upright = [
    makeLine('姓名', 10, 10),
    makeLine('李明', 200, 12),
    makeLine('编号', 10, 60),
    makeLine('123', 200, 61),
  ];
  const angle = 0.4;
  const turn = ({ x, y }: { x: number; y: number }) => ({
    x: x * Math.cos(angle) - y * Math.sin(angle),
    y: x * Math.sin(angle) + y * Math.cos(angle),
  });
  const turned = upright.map((line) => ({ ...line, quad: line.quad.map(turn) as unknown as Quad }));
  t.strictSame(numbers(turned, angle), numbers(upright));
});

t.test('no lines', async (t) => {
  t.strictSame(findParagraphs([], 0), []);
});
