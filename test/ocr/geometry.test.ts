import t from 'tap';
import {
  boundingBox,
  growQuad,
  interpolate,
  orderCorners,
  overlapOfSmaller,
  quadCenter,
  quadSize,
  scaleQuad,
  sliceQuad,
  translateQuad,
  turnQuad,
} from '../../src/ocr/geometry.ts';
import type { Point, Quad } from '../../src/ocr/page.ts';
import { toPoints, toQuad } from './opencv/reference.ts';

const UPRIGHT = toQuad([10, 20, 50, 20, 50, 30, 10, 30]);
/** 50 x 25 with sides along (3, 4) / 5 and (-4, 3) / 5. */
const TILTED = toQuad([20, 0, 50, 40, 30, 55, 0, 15]);

const round = (quad: readonly Point[]): number[] =>
  quad.flatMap(({ x, y }) => [x, y].map((v) => Math.round(v * 1e6) / 1e6));

t.test('size', async (t) => {
  t.strictSame(quadSize(UPRIGHT), { width: 40, height: 10 });
  t.strictSame(quadSize(TILTED), { width: 50, height: 25 });
  t.strictSame(quadCenter(TILTED), { x: 25, y: 27.5 });
});

t.test('growing keeps the axes, also of mirrored quads and of points', async (t) => {
  t.strictSame(round(growQuad(UPRIGHT, 3, 2)), [7, 18, 53, 18, 53, 32, 7, 32]);
  t.strictSame(round(growQuad(TILTED, 5, 10)), [25, -10, 61, 38, 25, 65, -11, 17]);
  t.strictSame(round(growQuad(growQuad(TILTED, 5, 10), -5, -10)), round(TILTED), 'and back');
  const mirrored: Quad = [UPRIGHT[3], UPRIGHT[2], UPRIGHT[1], UPRIGHT[0]];
  t.strictSame(round(growQuad(mirrored, 3, 2)), [7, 32, 53, 32, 53, 18, 7, 18], 'outwards, not inwards');
  t.ok(
    round(growQuad(toQuad([5, 5, 5, 5, 5, 5, 5, 5]), 1, 1)).every((v) => Number.isFinite(v)),
    'a point has no direction',
  );
});

t.test('turning by quarters names another corner top-left', async (t) => {
  t.strictSame(round(turnQuad(UPRIGHT, 1)), [50, 20, 50, 30, 10, 30, 10, 20], 'the right side becomes the top');
  t.strictSame(round(turnQuad(UPRIGHT, 2)), [50, 30, 10, 30, 10, 20, 50, 20]);
  t.strictSame(turnQuad(turnQuad(UPRIGHT, 1), 3), UPRIGHT, 'back again');
});

t.test('slices run across the height', async (t) => {
  t.strictSame(round(sliceQuad(UPRIGHT, 0.2, 0.5)), [10, 22, 50, 22, 50, 25, 10, 25]);
  t.strictSame(interpolate({ x: 0, y: 8 }, { x: 4, y: 0 }, 0.25), { x: 1, y: 6 });
});

t.test('scaling and moving', async (t) => {
  t.strictSame(round(scaleQuad(UPRIGHT, 2, 0.5)), [20, 10, 100, 10, 100, 15, 20, 15]);
  t.strictSame(round(translateQuad(UPRIGHT, -10, 5)), [0, 25, 40, 25, 40, 35, 0, 35]);
  t.strictSame(boundingBox(TILTED), { left: 0, top: 0, right: 50, bottom: 55 });
});

t.test('overlap is measured on the smaller box', async (t) => {
  const box = (left: number, top: number, right: number, bottom: number) => ({ left, top, right, bottom });
  t.equal(overlapOfSmaller(box(0, 0, 100, 100), box(10, 10, 20, 20)), 1, 'inside');
  t.equal(overlapOfSmaller(box(10, 10, 20, 20), box(15, 0, 100, 100)), 0.5);
  t.equal(overlapOfSmaller(box(0, 0, 10, 10), box(10, 0, 20, 10)), 0, 'touching');
  t.equal(overlapOfSmaller(box(0, 0, 10, 10), box(20, 20, 30, 30)), 0, 'apart on both axes');
});

t.test('corners of a rectangle are named in reading order up to 45 degrees', async (t) => {
  for (const degrees of [-44, -20, 0, 20, 44]) {
    const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    const at = (u: number, v: number): Point => ({ x: u * c - v * s, y: u * s + v * c });
    const named: Quad = [at(-20, -5), at(20, -5), at(20, 5), at(-20, 5)];
    for (const shuffled of [named, turnQuad(named, 1), turnQuad(named, 2), [...named].reverse()]) {
      t.strictSame(orderCorners(shuffled as unknown as Quad), named, `${degrees} degrees`);
    }
  }
  t.strictSame(
    orderCorners(toPoints([0, 40, 0, 0, 10, 0, 10, 40]) as unknown as Quad),
    toQuad([0, 0, 10, 0, 10, 40, 0, 40]),
    'a tall box keeps its upper left corner',
  );
});
