import { quadSize } from './geometry.ts';
import type { Point, Quad } from './page.ts';

/** Only kernels so many times as long as thick say how the page is turned: their angle is right to a degree. */
const LONG = 4;
/** So many of them, weighted by their length, must lie within `TOLERANCE` of their median. */
const ENOUGH = 3;
const AGREEING = 0.8;
const TOLERANCE = (2 * Math.PI) / 180;
/** On a page that is turned by less, the smallest rectangle of a short kernel is as good. */
const TURNED = (3 * Math.PI) / 180;
/** Kernels shorter than this may have any angle: the smallest rectangle around one or two characters is a matter of chance. */
const SHORT = 2.5;

/**
 * Angle of the first side of upright quads of a page, in radians, if the page is turned and its long lines agree.
 * Measured in a picture of one or two characters alone it may be anything, and so a table turned by 45 degrees loses them.
 */
export function pageAngle(quads: readonly Quad[]): number | undefined {
  const votes = quads.flatMap((quad) => {
    const { width, height } = quadSize(quad);
    if (Math.max(width, height) < LONG * Math.min(width, height)) return [];
    const [a, b, , d] = quad;
    // Of a tall quad the long side is measured, which stands upright on the first one.
    const angle = width > height ? Math.atan2(b.y - a.y, b.x - a.x) : Math.atan2(a.x - d.x, d.y - a.y);
    return [{ angle, weight: Math.max(width, height) }];
  });
  if (votes.length < ENOUGH) return undefined;
  const total = votes.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  const median = votes
    .toSorted((a, b) => a.angle - b.angle)
    .find(({ weight }) => (passed += weight) >= total / 2)?.angle;
  if (median === undefined || Math.abs(median) < TURNED) return undefined;
  const agreeing = votes.filter(({ angle }) => Math.abs(angle - median) <= TOLERANCE);
  return agreeing.reduce((sum, { weight }) => sum + weight, 0) >= AGREEING * total ? median : undefined;
}

/** Whether a kernel is too short to have an angle of its own. */
export function isShort(quad: Quad): boolean {
  const { width, height } = quadSize(quad);
  return Math.max(width, height) < SHORT * Math.min(width, height);
}

/** The smallest rectangle around the points whose first side has this angle (radians, clockwise as seen in the image). */
export function rectAtAngle(points: readonly Point[], angle: number): Quad {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = points.map(({ x, y }) => x * cos + y * sin);
  const across = points.map(({ x, y }) => y * cos - x * sin);
  const [left, right] = [min(along), -min(along.map((u) => -u))];
  const [top, bottom] = [min(across), -min(across.map((v) => -v))];
  const at = (u: number, v: number): Point => ({ x: u * cos - v * sin, y: u * sin + v * cos });
  return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)];
}

const min = (values: readonly number[]): number => values.reduce((least, value) => Math.min(least, value), Infinity);
