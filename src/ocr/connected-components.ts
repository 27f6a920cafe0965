import type { Point } from './page.ts';

/** One 8-connected component of a mask, as the leftmost and rightmost pixel of each of its rows. */
export interface Component {
  /** First row in the mask. */
  readonly top: number;
  /** For row `top + i`: column of the leftmost pixel at `2 * i`, of the rightmost at `2 * i + 1`. */
  readonly extents: Int32Array;
}

interface Run {
  readonly row: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds the 8-connected components of a mask (row-major, non-zero = set) by union-find over horizontal runs. Row extents
 * are all that a convex hull needs, so no contour has to be traced: the outer contours of OpenCV's `findContours` have the
 * same hulls. Ordered by their first pixel in row-major order.
 */
export function findComponents(mask: Uint8Array, width: number, height: number): Component[] {
  const runs: Run[] = [];
  const parent: number[] = [];
  const find = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root] as number;
    while (parent[i] !== root) [i, parent[i]] = [parent[i] as number, root];
    return root;
  };
  let rowStart = 0; // index of the first run of the row above
  for (let row = 0; row < height; row++) {
    const base = row * width;
    let above = rowStart;
    const aboveEnd = runs.length;
    for (let x = 0; x < width; x++) {
      if (mask[base + x] === 0) continue;
      const start = x;
      while (x < width && mask[base + x] !== 0) x++;
      const id = runs.length;
      runs.push({ row, start, end: x - 1 });
      parent.push(id);
      // Runs of the row above that touch [start - 1, end + 1].
      while (above < aboveEnd && (runs[above] as Run).end < start - 1) above++;
      for (let k = above; k < aboveEnd && (runs[k] as Run).start <= x; k++) {
        const a = find(k);
        const b = find(id);
        if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
    rowStart = aboveEnd;
  }
  return collect(runs, find);
}

function collect(runs: readonly Run[], find: (i: number) => number): Component[] {
  const members = new Map<number, Run[]>();
  runs.forEach((run, i) => {
    const root = find(i);
    const list = members.get(root);
    if (list) list.push(run);
    else members.set(root, [run]);
  });
  return [...members.values()].map((list) => {
    const top = (list[0] as Run).row;
    const rows = (list.at(-1) as Run).row - top + 1;
    const extents = new Int32Array(2 * rows);
    for (let i = 0; i < rows; i++) extents[2 * i] = 0x7fffffff;
    for (const run of list) {
      const i = 2 * (run.row - top);
      extents[i] = Math.min(extents[i] as number, run.start);
      extents[i + 1] = Math.max(extents[i + 1] as number, run.end);
    }
    return { top, extents };
  });
}

/** Pixel positions whose convex hull is that of the component. */
export function extentPoints(component: Component): Point[] {
  const points: Point[] = [];
  for (let i = 0; 2 * i < component.extents.length; i++) {
    const y = component.top + i;
    const left = component.extents[2 * i] as number;
    const right = component.extents[2 * i + 1] as number;
    points.push({ x: left, y });
    if (right !== left) points.push({ x: right, y });
  }
  return points;
}
