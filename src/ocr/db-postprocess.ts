import { extentPoints, findComponents } from './connected-components.ts';
import { boundingBox, orderCorners, quadSize } from './geometry.ts';
import { isShort, pageAngle, rectAtAngle } from './kernel-angle.ts';
import { minAreaRect } from './min-area-rect.ts';
import type { Point, Quad } from './page.ts';

/** Text probability of every pixel of the detector's input: 0..1, row-major. */
export interface ProbabilityMap {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Parameters of DB post-processing (Liao et al. 2020); PaddleOCR's names in brackets. */
export interface DbParameters {
  /** Probability above which a pixel belongs to the mask (`thresh`). */
  readonly threshold: number;
  /** Lowest mean probability inside a box (`box_thresh`). */
  readonly boxScoreThreshold: number;
  /** How far the shrunken kernel is grown back: distance = area x ratio / perimeter (`unclip_ratio`). */
  readonly unclipRatio: number;
}

/** A text kernel as the detector sees it: shrunken, in map coordinates. */
export interface TextKernel {
  readonly quad: Quad;
  /** Shorter side in map pixels. */
  readonly thickness: number;
  /** Mean probability inside the quad (box score). */
  readonly score: number;
  /** Distance in map pixels by which each side has to grow to hold the text. */
  readonly unclipDistance: number;
}

/** Kernels thinner than this are noise (`min_size` of PaddleOCR). */
const MIN_THICKNESS = 3;
/** A dense page has about a thousand; more than this is texture (RapidOCR: 1,000; the prototype: 3,000). */
const MAX_KERNELS = 3000;

/**
 * Probability map -> text kernels, in the row-major order of their first pixel. On a page that is turned, short kernels are
 * boxed along its long ones.
 */
export function findKernels(map: ProbabilityMap, parameters: DbParameters): TextKernel[] {
  const mask = dilatedMask(map, parameters.threshold);
  const kernels: TextKernel[] = [];
  const outlines: (readonly Point[])[] = [];
  for (const component of findComponents(mask, map.width, map.height)) {
    if (kernels.length === MAX_KERNELS) break;
    const points = extentPoints(component);
    const rect = minAreaRect(points);
    const thickness = Math.min(rect.width, rect.height);
    if (thickness < MIN_THICKNESS) continue;
    const quad = orderCorners(rect.corners);
    const score = boxScore(map, quad);
    if (score < parameters.boxScoreThreshold) continue;
    kernels.push({ quad, thickness, score, unclipDistance: unclip(rect, parameters) });
    outlines.push(points);
  }
  const angle = pageAngle(kernels.map(({ quad }) => quad));
  if (angle === undefined) return kernels;
  return kernels.map((kernel, i) => {
    if (!isShort(kernel.quad)) return kernel;
    const quad = rectAtAngle(outlines[i] ?? [], angle);
    const size = quadSize(quad);
    const thickness = Math.min(size.width, size.height);
    return { ...kernel, quad, thickness, unclipDistance: unclip(size, parameters) };
  });
}

const unclip = ({ width, height }: { width: number; height: number }, { unclipRatio }: DbParameters): number =>
  (width * height * unclipRatio) / (2 * (width + height));

/**
 * Thresholds the map and dilates it by a 2 x 2 square to the right and down (`use_dilation`, cv2.dilate's anchor). A
 * dilated pixel index is therefore, on average, the position of the original pixel's centre, which makes indices usable
 * as coordinates with pixel edges at whole numbers.
 */
function dilatedMask({ data, width, height }: ProbabilityMap, threshold: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const below = y + 1 < height ? width : 0;
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if ((data[i] as number) <= threshold) continue;
      const right = x + 1 < width ? 1 : 0;
      mask[i] = 1;
      mask[i + right] = 1;
      mask[i + below] = 1;
      mask[i + below + right] = 1;
    }
  }
  return mask;
}

/** Mean probability inside a convex quad (`box_score_fast`), pixels on its border included. */
export function boxScore({ data, width, height }: ProbabilityMap, quad: Quad): number {
  const box = boundingBox(quad);
  const top = Math.max(0, Math.floor(box.top));
  const bottom = Math.min(height - 1, Math.ceil(box.bottom));
  let sum = 0;
  let count = 0;
  for (let y = top; y <= bottom; y++) {
    const span = rowSpan(quad, y);
    if (!span) continue;
    const from = Math.max(0, Math.round(span[0]));
    const to = Math.min(width - 1, Math.round(span[1]));
    for (let i = y * width + from, end = y * width + to; i <= end; i++) sum += data[i] as number;
    count += Math.max(0, to - from + 1);
  }
  return count === 0 ? 0 : sum / count;
}

/** Where the row of pixels at height `y` crosses a convex quad, or nothing. */
function rowSpan(quad: Quad, y: number): [number, number] | undefined {
  let from = Infinity;
  let to = -Infinity;
  for (let i = 0; i < 4; i++) {
    const a = quad[i as 0 | 1 | 2 | 3];
    const b = quad[((i + 1) & 3) as 0 | 1 | 2 | 3];
    if (Math.min(a.y, b.y) > y + 0.5 || Math.max(a.y, b.y) < y - 0.5) continue;
    if (Math.abs(a.y - b.y) < 1e-9) {
      from = Math.min(from, a.x, b.x);
      to = Math.max(to, a.x, b.x);
      continue;
    }
    const t = Math.min(1, Math.max(0, (y - a.y) / (b.y - a.y)));
    const x = a.x + (b.x - a.x) * t;
    from = Math.min(from, x);
    to = Math.max(to, x);
  }
  return from <= to ? [from, to] : undefined;
}
