import t from 'tap';
import { findKernels } from '../../src/ocr/db-postprocess.ts';
import { quadSize } from '../../src/ocr/geometry.ts';
import { isShort, pageAngle, rectAtAngle } from '../../src/ocr/kernel-angle.ts';
import type { Point, Quad } from '../../src/ocr/page.ts';

const degrees = (angle: number): number => (angle * Math.PI) / 180;

/** A rectangle whose first side has this angle. */
function rect(x: number, y: number, width: number, height: number, angle: number): Quad {
  const at = (u: number, v: number): Point => ({
    x: x + u * Math.cos(degrees(angle)) - v * Math.sin(degrees(angle)),
    y: y + u * Math.sin(degrees(angle)) + v * Math.cos(degrees(angle)),
  });
  return [at(0, 0), at(width, 0), at(width, height), at(0, height)];
}

const near = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - degrees(b)) < 1e-6;

t.test('long lines that agree say how a page is turned, also those that run down it', async (t) => {
  const lines = [100, 80, 60].map((length, i) => rect(10, 30 * i, length, 10, 30));
  t.ok(near(pageAngle(lines), 30));
  t.ok(near(pageAngle([...lines, rect(0, 0, 12, 10, 75)]), 30), 'short ones have no say');
  const columns = [100, 80, 60].map((length, i) => rect(10 + 30 * i, 0, 10, length, -20));
  t.ok(near(pageAngle(columns), -20));
});

t.test('no angle: an upright page, too few lines, lines that disagree', async (t) => {
  const at = (...angles: number[]) => pageAngle(angles.map((angle, i) => rect(0, 30 * i, 80, 10, angle)));
  t.equal(at(1, 0, -1), undefined);
  t.equal(at(20, 20), undefined);
  t.equal(at(20, 21, 40), undefined);
  t.equal(pageAngle([]), undefined);
});

t.test('the smallest rectangle at an angle', async (t) => {
  const diamond: Point[] = [
    { x: 0, y: -5 },
    { x: 5, y: 0 },
    { x: 0, y: 5 },
    { x: -5, y: 0 },
  ];
  const size = quadSize(rectAtAngle(diamond, degrees(45)));
  t.ok(Math.abs(size.width - 5 * Math.SQRT2) < 1e-9 && Math.abs(size.height - 5 * Math.SQRT2) < 1e-9);
  const [a, b] = rectAtAngle(diamond, degrees(45));
  t.ok(Math.abs(Math.atan2(b.y - a.y, b.x - a.x) - degrees(45)) < 1e-9, 'its first side has the angle');
  t.ok(Math.abs(quadSize(rectAtAngle(diamond, 0)).width - 10) < 1e-9);
});

t.test('on a turned page a square kernel lies along the long ones', async (t) => {
  const [width, height] = [200, 200];
  const data = new Float32Array(width * height);
  const drawn = [
    rect(40, 20, 120, 12, 30),
    rect(30, 50, 120, 12, 30),
    rect(20, 80, 120, 12, 30),
    rect(30, 150, 14, 12, 30),
  ];
  const inside = ([a, b, , d]: Quad, x: number, y: number): boolean => {
    const [u, v] = [quadSize([a, b, b, a]).width, quadSize([a, d, d, a]).width];
    const along = ((x - a.x) * (b.x - a.x) + (y - a.y) * (b.y - a.y)) / u;
    const across = ((x - a.x) * (d.x - a.x) + (y - a.y) * (d.y - a.y)) / v;
    return along >= 0 && across >= 0 && along <= u && across <= v;
  };
  for (let i = 0; i < data.length; i++) {
    if (drawn.some((quad) => inside(quad, (i % width) + 0.5, Math.floor(i / width) + 0.5))) data[i] = 0.9;
  }
  const kernels = findKernels({ data, width, height }, { threshold: 0.3, boxScoreThreshold: 0.5, unclipRatio: 1.6 });
  const short = kernels.filter(({ quad }) => isShort(quad));
  t.equal(kernels.length, 4);
  t.equal(short.length, 1);
  for (const { quad, thickness } of short) {
    const angle = Math.atan2(quad[1].y - quad[0].y, quad[1].x - quad[0].x);
    t.ok(Math.abs(angle - degrees(30)) < degrees(1.5), `${angle}`);
    t.ok(Math.abs(thickness - 13) < 2.5, `${thickness}`);
  }
});
