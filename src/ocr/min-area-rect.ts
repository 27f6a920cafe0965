import type { Point } from './page.ts';

/** Rectangle in any orientation. Corners go round it; `width` is the length of the side from corner 0 to corner 1. */
export interface RotatedRect {
  readonly corners: readonly [Point, Point, Point, Point];
  readonly width: number;
  readonly height: number;
}

const cross = (o: Point, a: Point, b: Point): number => (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);

/** Convex hull without collinear points, counter-clockwise in a y-up frame (Andrew's monotone chain, 1979). */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const p of ordered) {
      for (;;) {
        const b = chain.at(-1);
        const a = chain.at(-2);
        if (a === undefined || b === undefined || cross(a, b, p) > 0) break;
        chain.pop();
      }
      chain.push(p);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

/**
 * Smallest rectangle around the points: one of its sides lies on a side of the convex hull (Freeman and Shapira 1975).
 * Same result as OpenCV's `minAreaRect` up to the choice among rectangles of equal area.
 */
export function minAreaRect(points: readonly Point[]): RotatedRect {
  const hull = convexHull(points);
  let best: RotatedRect | undefined;
  let bestArea = Infinity;
  for (let i = 0; i < hull.length; i++) {
    const a = hull[i] as Point;
    const b = hull[(i + 1) % hull.length] as Point;
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    if (length === 0) continue;
    const ux = (b.x - a.x) / length;
    const uy = (b.y - a.y) / length;
    let minU = Infinity;
    let maxU = -Infinity;
    let minV = Infinity;
    let maxV = -Infinity;
    for (const p of hull) {
      const u = p.x * ux + p.y * uy;
      const v = -p.x * uy + p.y * ux;
      if (u < minU) minU = u;
      if (u > maxU) maxU = u;
      if (v < minV) minV = v;
      if (v > maxV) maxV = v;
    }
    const area = (maxU - minU) * (maxV - minV);
    // A relative margin, so that rounding does not choose between rectangles of equal area: the first side wins.
    if (area < bestArea * (1 - 1e-9)) {
      bestArea = area;
      const corner = (u: number, v: number): Point => ({ x: u * ux - v * uy, y: u * uy + v * ux });
      best = {
        corners: [corner(minU, minV), corner(maxU, minV), corner(maxU, maxV), corner(minU, maxV)],
        width: maxU - minU,
        height: maxV - minV,
      };
    }
  }
  if (best) return best;
  const only = points[0] ?? { x: 0, y: 0 };
  return { corners: [only, only, only, only], width: 0, height: 0 };
}
