import { readFileSync } from 'node:fs';
import type { Point, Quad } from '../../../src/ocr/page.ts';
import type { RgbImage } from '../../../src/ocr/rgb-image.ts';

/** One 8-connected component as OpenCV sees it. */
export interface ReferenceComponent {
  /** Corners of the convex hull, x and y in turn, sorted by x, then y. */
  readonly hull: readonly number[];
  /** Sides of `minAreaRect`, the shorter first. */
  readonly size: readonly [number, number];
  /** Corners of `minAreaRect`, x and y in turn, in OpenCV's order. */
  readonly corners: readonly number[];
  /** Whether several rectangles have the smallest area, so that the choice among them is free. */
  readonly tie: boolean;
}

interface Field {
  readonly seed: number;
  readonly radius: number;
  readonly width: number;
  readonly height: number;
}

/** What OpenCV computed; make-reference.py says how. */
export interface Reference {
  readonly opencv: string;
  readonly components: readonly (Field & { level: number; components: readonly ReferenceComponent[] })[];
  readonly kernels: readonly (Field & {
    gain: number;
    kernels: readonly { corners: readonly number[]; score: number; unclipDistance: number; tie: boolean }[];
  })[];
  readonly scores: readonly { corners: readonly number[]; mean: number }[];
  readonly resize: readonly { width: number; height: number; method: 'area' | 'linear'; pixels: string }[];
  readonly samples: readonly {
    corners: readonly number[];
    width: number;
    height: number;
    linear: string;
    cubic: string;
  }[];
}

export const REFERENCE = JSON.parse(readFileSync(new URL('reference.json', import.meta.url), 'utf8')) as Reference;

/** Top bytes of a linear congruential generator (Numerical Recipes' constants); the same as in make-reference.py. */
function noise(seed: number, count: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Noise of 0..255, row-major, averaged (rounded down) over squares of side `2 * radius + 1` with the border repeated. */
export function noiseField({ seed, radius, width, height }: Field): Int32Array {
  const values = noise(seed, width * height);
  const inside = (i: number, count: number): number => Math.min(count - 1, Math.max(0, i));
  return values.map((_, i) => {
    let total = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const y = inside(Math.floor(i / width) + dy, height);
        total += values[y * width + inside((i % width) + dx, width)] as number;
      }
    }
    return Math.floor(total / (2 * radius + 1) ** 2);
  });
}

/** Blurred noise in three channels, stretched so that it has text-like contrast. */
export function picture(field: Field): RgbImage {
  const { seed, radius, width, height } = field;
  const data = new Uint8Array(width * height * 3);
  for (let c = 0; c < 3; c++) {
    noiseField({ ...field, seed: seed + c }).forEach((value, i) => {
      data[3 * i + c] = Math.min(255, Math.max(0, (value - 128) * (2 * radius + 1) + 128));
    });
  }
  return { data, width, height };
}

/** x and y in turn -> points. */
export const toPoints = (numbers: readonly number[]): Point[] =>
  Array.from({ length: numbers.length / 2 }, (_, i) => ({
    x: numbers[2 * i] as number,
    y: numbers[2 * i + 1] as number,
  }));

export const toQuad = (numbers: readonly number[]): Quad => toPoints(numbers) as [Point, Point, Point, Point];

/** Largest distance from a corner of one rectangle to the nearest corner of the other. */
export function cornerDistance(a: readonly Point[], b: readonly Point[]): number {
  const nearest = (p: Point, others: readonly Point[]): number =>
    Math.min(...others.map((q) => Math.hypot(p.x - q.x, p.y - q.y)));
  return Math.max(...a.map((p) => nearest(p, b)), ...b.map((p) => nearest(p, a)));
}

/** How two pictures of the same size differ, in grey levels. */
export function difference(pixels: Uint8Array, base64: string): { largest: number; mean: number } {
  const expected = Buffer.from(base64, 'base64');
  if (expected.length !== pixels.length) throw new RangeError(`${pixels.length} bytes, expected ${expected.length}`);
  let largest = 0;
  let sum = 0;
  pixels.forEach((value, i) => {
    const d = Math.abs(value - (expected[i] as number));
    largest = Math.max(largest, d);
    sum += d;
  });
  return { largest, mean: sum / pixels.length };
}
