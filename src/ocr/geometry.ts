import type { Point, Quad, QuarterTurns } from './page.ts';

/** Axis-aligned rectangle, `right` and `bottom` exclusive. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** Point between `a` (t = 0) and `b` (t = 1). */
export const interpolate = (a: Point, b: Point, t: number): Point => ({
  x: a.x + (b.x - a.x) * t,
  y: a.y + (b.y - a.y) * t,
});

/** Length of a quad along its first side (`width`, reading direction) and across it; opposite sides are averaged. */
export function quadSize(quad: Quad): { width: number; height: number } {
  const [a, b, c, d] = quad;
  return { width: (distance(a, b) + distance(d, c)) / 2, height: (distance(a, d) + distance(b, c)) / 2 };
}

/** Moves every side of a rectangle outwards along its own axes: `along` at the start and end of the first side, `across` at the other two. Negative values shrink. */
export function growQuad(quad: Quad, along: number, across: number): Quad {
  const [a, b, c, d] = quad;
  const ux = b.x - a.x + c.x - d.x;
  const uy = b.y - a.y + c.y - d.y;
  const length = Math.hypot(ux, uy) || 1;
  const u = { x: ux / length, y: uy / length };
  // The normal that points from the first side to the opposite one.
  const side = -u.y * (d.x - a.x + c.x - b.x) + u.x * (d.y - a.y + c.y - b.y) < 0 ? -1 : 1;
  const v = { x: -u.y * side, y: u.x * side };
  const move = (p: Point, du: number, dv: number): Point => ({
    x: p.x + u.x * du * along + v.x * dv * across,
    y: p.y + u.y * du * along + v.y * dv * across,
  });
  return [move(a, -1, -1), move(b, 1, -1), move(c, 1, 1), move(d, -1, 1)];
}

/** The same corners starting `turns` further on: quarter turn 1 makes the right side the top, as for text that reads downwards. */
export function turnQuad(quad: Quad, turns: QuarterTurns): Quad {
  const at = (i: number): Point => quad[(i + turns) & 3] ?? quad[0];
  return [at(0), at(1), at(2), at(3)];
}

/** The part of a quad between the shares `from` and `to` of its height; below 0 and above 1 it is extended. */
export function sliceQuad(quad: Quad, from: number, to: number): Quad {
  const [a, b, c, d] = quad;
  return [interpolate(a, d, from), interpolate(b, c, from), interpolate(b, c, to), interpolate(a, d, to)];
}

export function scaleQuad(quad: Quad, sx: number, sy: number): Quad {
  const scale = (p: Point): Point => ({ x: p.x * sx, y: p.y * sy });
  return [scale(quad[0]), scale(quad[1]), scale(quad[2]), scale(quad[3])];
}

export function translateQuad(quad: Quad, dx: number, dy: number): Quad {
  const move = (p: Point): Point => ({ x: p.x + dx, y: p.y + dy });
  return [move(quad[0]), move(quad[1]), move(quad[2]), move(quad[3])];
}

export function boundingBox(points: readonly Point[]): Box {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const { x, y } of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return { left, top, right, bottom };
}

export const quadCenter = (quad: Quad): Point => ({
  x: (quad[0].x + quad[1].x + quad[2].x + quad[3].x) / 4,
  y: (quad[0].y + quad[1].y + quad[2].y + quad[3].y) / 4,
});

/** Share (0..1) of the smaller box that lies inside the other. */
export function overlapOfSmaller(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const smaller = Math.min((a.right - a.left) * (a.bottom - a.top), (b.right - b.left) * (b.bottom - b.top));
  return (width * height) / Math.max(smaller, 1e-6);
}

/**
 * Names the corners of a rectangle: of the two leftmost points the upper one is top-left, of the others the upper one is
 * top-right (PaddleOCR `get_mini_boxes`), so that a tilted line keeps its reading direction up to 45 degrees.
 */
export function orderCorners(corners: readonly [Point, Point, Point, Point]): Quad {
  const byX = [...corners].sort((p, q) => p.x - q.x || p.y - q.y);
  const [l1, l2, r1, r2] = byX as [Point, Point, Point, Point];
  const [topLeft, bottomLeft] = l1.y <= l2.y ? [l1, l2] : [l2, l1];
  const [topRight, bottomRight] = r1.y <= r2.y ? [r1, r2] : [r2, r1];
  return [topLeft, topRight, bottomRight, bottomLeft];
}
