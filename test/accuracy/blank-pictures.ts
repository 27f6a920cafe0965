/**
 * Reads 200 pictures that hold no text, and fails for every line that is read in them:
 *
 *   npm run test:blank [-- OUT_DIR [FIRST_SEED]]
 *
 * The pictures are drawn from seeds, one each from FIRST_SEED on: the same ones on every run. OUT_DIR gets those in which
 * something was read.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { loadModels, readPage } from '../../src/ocr/read-page.ts';

const PICTURES = 200;
const SIZES: readonly (readonly [width: number, height: number])[] = [
  [400, 300],
  [640, 480],
  [900, 600],
  [1280, 960],
  [1600, 2200],
  [2400, 1600],
];

type Color = readonly [number, number, number];
type Paint = (x: number, y: number) => Color;

/** Mulberry32 (T. Ettinger, public domain): the same numbers everywhere, 0..1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Brush {
  readonly width: number;
  readonly height: number;
  readonly next: () => number;
  /** A whole number from `from` to `to`. */
  readonly between: (from: number, to: number) => number;
  readonly color: () => Color;
  /** Smooth noise of several octaves, 0..1. */
  readonly clouds: (octaves: number) => (x: number, y: number) => number;
}

function createBrush(seed: number): Brush {
  const next = random(seed);
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  const [width, height] = SIZES[between(0, SIZES.length - 1)] ?? [640, 480];
  const clouds = (octaves: number) => {
    const grids = Array.from({ length: octaves }, (_, octave) => {
      const cells = 4 * 2 ** octave + 2;
      return { cells, values: Float32Array.from({ length: cells * cells }, next), weight: 0.5 ** octave };
    });
    const total = grids.reduce((sum, { weight }) => sum + weight, 0);
    return (x: number, y: number): number => {
      let sum = 0;
      for (const { cells, values, weight } of grids) {
        const [u, v] = [(x / width) * (cells - 2), (y / height) * (cells - 2)];
        const [i, j] = [Math.floor(u), Math.floor(v)];
        const [s, t] = [u - i, v - j];
        const at = (column: number, row: number): number => values[row * cells + column] ?? 0;
        const top = at(i, j) * (1 - s) + at(i + 1, j) * s;
        const bottom = at(i, j + 1) * (1 - s) + at(i + 1, j + 1) * s;
        sum += weight * (top * (1 - t) + bottom * t);
      }
      return sum / total;
    };
  };
  return { width, height, next, between, color: () => [between(0, 255), between(0, 255), between(0, 255)], clouds };
}

const scaled = (color: Color, factor: number): Color => [color[0] * factor, color[1] * factor, color[2] * factor];

/** Discs, rings, boxes and frames over a ground. */
function shapes(brush: Brush, count: number, ground: Paint, smallest: number, largest: number): Paint {
  const drawn = Array.from({ length: count }, () => ({
    x: brush.between(0, brush.width),
    y: brush.between(0, brush.height),
    a: brush.between(smallest, largest),
    b: brush.between(smallest, largest),
    stroke: [Infinity, 2, 5][brush.between(0, 2)] ?? 2,
    round: brush.next() < 0.5,
    color: brush.color(),
  }));
  return (x, y) => {
    for (const shape of drawn) {
      const [dx, dy] = [Math.abs(x - shape.x), Math.abs(y - shape.y)];
      const inside = shape.round ? shape.a - Math.hypot(dx, dy) : Math.min(shape.a - dx, shape.b - dy);
      if (inside >= 0 && inside <= shape.stroke) return shape.color;
    }
    return ground(x, y);
  };
}

const KINDS: Readonly<Record<string, (brush: Brush) => Paint>> = {
  plain(brush) {
    const color = brush.color();
    return () => color;
  },
  noise(brush) {
    const strength = brush.between(8, 50);
    return () => {
      const value = 230 + (brush.next() + brush.next() - 1) * strength;
      return [value, value, value];
    };
  },
  gradient(brush) {
    const [a, b] = [brush.color(), brush.color()];
    return (x, y) => {
      const [s, t] = [x / brush.width / 2, y / brush.height / 2];
      return [a[0] * s + b[0] * t, a[1] * s + b[1] * t, a[2] * s + b[2] * t];
    };
  },
  clouds(brush) {
    const [cloud, color] = [brush.clouds(6), brush.color()];
    return (x, y) => scaled(color, 0.3 + 0.7 * cloud(x, y));
  },
  wood(brush) {
    const cloud = brush.clouds(5);
    const rings = brush.between(20, 60);
    return (x, y) => scaled([190, 140, 90], 1 + 0.25 * Math.sin(rings * cloud(x, y)));
  },
  tiles(brush) {
    const [side, joint] = [brush.between(30, 140), brush.between(1, 4)];
    return (x, y) => (x % side < joint || y % side < joint ? [150, 150, 150] : [235, 235, 230]);
  },
  shapes: (brush) => shapes(brush, brush.between(3, 40), () => [245, 245, 245], 5, 150),
  bricks(brush) {
    const [long, high] = [brush.between(80, 160), brush.between(30, 60)];
    return (x, y) => {
      const row = Math.floor(y / high);
      const joint = y % high < 4 || (x + (row % 2) * (long / 2)) % long < 4;
      return joint ? [200, 200, 200] : scaled([165, 85, 60], 0.9 + 0.2 * brush.next());
    };
  },
  leaves(brush) {
    const cloud = brush.clouds(4);
    return shapes(brush, 150, (x, y) => scaled([60, 120, 60], 0.4 + cloud(x, y)), 4, 40);
  },
  dust(brush) {
    const [share, streak] = [0.004 * brush.next(), brush.between(0, brush.width)];
    return (x) => {
      const dark = brush.next() < share || (x >= streak && x < streak + 2);
      return dark ? [20, 20, 20] : [250, 250, 250];
    };
  },
};

async function draw(paint: Paint, { width, height }: Brush): Promise<Buffer> {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i += 3) data.set(paint(x, y), i);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** The bounds of line-filter.ts were set by pictures from here on. */
const FIRST_SEED = 1000;
const [outDir = 'out/blank', firstSeed = FIRST_SEED] = process.argv.slice(2);
const modelsDir = fileURLToPath(new URL('../../models', import.meta.url));
const models = await loadModels({ modelsDir, modelPack: 'pp-ocrv6-small-int8' });
const kinds = Object.entries(KINDS);
let failed = 0;
for (let i = 0; i < PICTURES; i++) {
  const [kind, paintOf] = kinds[i % kinds.length] ?? ['plain', KINDS.plain];
  const brush = createBrush(Number(firstSeed) + i);
  const file = await draw(paintOf(brush), brush);
  const { lines } = await readPage(file, { maxSide: 4096 }, models);
  if (lines.length === 0) continue;
  failed++;
  await mkdir(outDir, { recursive: true });
  await writeFile(path.join(outDir, `${i}-${kind}.jpg`), file);
  process.stdout.write(`NOT OK picture ${i} (${kind}): ${JSON.stringify(lines.map(({ text }) => text))}\n`);
}
process.stdout.write(`${PICTURES - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
