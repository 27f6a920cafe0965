import t from 'tap';
import { convexHull, minAreaRect } from '../../src/ocr/min-area-rect.ts';
import { cornerDistance, REFERENCE, toPoints } from './opencv/reference.ts';

/** Pixels. OpenCV computes in single precision. */
const TOLERANCE = 1e-3;

t.test('the same rectangles as OpenCV minAreaRect', async (t) => {
  const all = REFERENCE.components.flatMap(({ components }) => components);
  for (const { hull, size, corners, tie } of all) {
    const rect = minAreaRect(toPoints(hull));
    const [short, long] = [rect.width, rect.height].sort((a, b) => a - b) as [number, number];
    const name = `hull ${hull.join(' ')}`;
    t.ok(Math.abs(short * long - size[0] * size[1]) < TOLERANCE * (1 + long), `area: ${name}`);
    // Among rectangles of equal area the choice is free, and OpenCV's depends on where its contour starts.
    if (tie) continue;
    t.ok(Math.abs(short - size[0]) < TOLERANCE && Math.abs(long - size[1]) < TOLERANCE, `sides: ${name}`);
    t.ok(cornerDistance(rect.corners, toPoints(corners)) < TOLERANCE, `corners: ${name}`);
  }
  t.ok(all.filter(({ tie }) => !tie).length > 100, 'most cases allow one rectangle only');
});

t.test('a tie still gives a rectangle of that area around all points', async (t) => {
  const tied = REFERENCE.components.flatMap(({ components }) => components.filter(({ tie }) => tie));
  t.ok(tied.length >= 5);
  for (const { hull } of tied) {
    const points = toPoints(hull);
    const { corners, width, height } = minAreaRect(points);
    const [a, b, , d] = corners;
    const inside = points.every((p) => {
      const u = ((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / width;
      const v = ((p.x - a.x) * (d.x - a.x) + (p.y - a.y) * (d.y - a.y)) / height;
      return u > -1e-9 && u < width + 1e-9 && v > -1e-9 && v < height + 1e-9;
    });
    t.ok(inside, `hull ${hull.join(' ')}`);
  }
});

t.test('equal areas: the first side of the hull wins, whatever rounding says', async (t) => {
  // A right triangle fits three rectangles of twice its area: two of them upright, one along its longest side.
  const triples = [
    [4, 3],
    [12, 5],
    [15, 8],
    [24, 7],
    [21, 20],
    [35, 12],
  ] as const;
  for (const [a, b] of triples) {
    const upright = minAreaRect(toPoints([0, 0, a, 0, 0, b]));
    t.strictSame([upright.width, upright.height], [a, b], `${a} x ${b}: the hull starts along a leg`);
    const tilted = minAreaRect(toPoints([0, b, a, 0, a, b]));
    t.ok(Math.abs(tilted.width - Math.hypot(a, b)) < 1e-9, `${a} x ${b}: the hull starts along the longest side`);
  }
});

t.test('points on a line and single points', async (t) => {
  const line = minAreaRect([
    { x: 1, y: 1 },
    { x: 4, y: 5 },
    { x: 7, y: 9 },
  ]);
  t.equal(line.width, 10);
  t.ok(line.height < 1e-9);
  const point = minAreaRect([{ x: 3, y: 7 }]);
  t.strictSame([point.width, point.height, point.corners[2]], [0, 0, { x: 3, y: 7 }]);
});

t.test('a hull has no collinear points', async (t) => {
  const grid = Array.from({ length: 9 }, (_, i) => ({ x: i % 3, y: Math.floor(i / 3) }));
  t.strictSame(convexHull(grid), [
    { x: 0, y: 0 },
    { x: 2, y: 0 },
    { x: 2, y: 2 },
    { x: 0, y: 2 },
  ]);
});
