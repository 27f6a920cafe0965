/**
 * Reads a labelled set again after each picture was turned, faded, shaded, blurred, shrunk and so on, and scores what was
 * read, boxes turned back to the picture as it was:
 *
 *   node bench/stress.ts EVAL_DIR OUT_DIR [VARIANT ...]
 *
 * EVAL_DIR holds synthetic/ and score.mjs. Prints one line a variant; OUT_DIR gets the predictions and results.json.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { toContractLine } from '../src/http/contract-line.ts';
import { decodeImage } from '../src/ocr/decode-image.ts';
import type { Point, Quad } from '../src/ocr/page.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';
import type { RgbImage } from '../src/ocr/rgb-image.ts';

/** A changed picture, and the way back from its coordinates to those of the picture before. */
interface Changed {
  readonly file: Uint8Array;
  readonly back: (point: Point) => Point;
}
type Change = (image: RgbImage) => Promise<Changed>;

const same = (point: Point): Point => point;
const raw = ({ data, width, height }: RgbImage): Sharp => sharp(data, { raw: { width, height, channels: 3 } });
const png = (image: Sharp): Promise<Buffer> => image.png({ compressionLevel: 1 }).toBuffer();

/** Turned clockwise about its centre on a larger canvas, whose corners take the colour of the picture's own first pixel. */
function turned(degrees: number): Change {
  return async (image) => {
    const [r = 255, g = 255, b = 255] = image.data;
    const { data, info } = await raw(image)
      .rotate(degrees, { background: { r, g, b } })
      .png({ compressionLevel: 1 })
      .toBuffer({ resolveWithObject: true });
    const angle = (degrees * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return {
      file: data,
      back: ({ x, y }) => {
        const [dx, dy] = [x - info.width / 2, y - info.height / 2];
        return { x: cos * dx + sin * dy + image.width / 2, y: cos * dy - sin * dx + image.height / 2 };
      },
    };
  };
}

function pixels(change: (value: number, x: number, y: number, image: RgbImage) => number): Change {
  return async (image) => {
    const data = new Uint8Array(image.data.length);
    for (let i = 0; i < data.length; i++) {
      const pixel = (i / 3) | 0;
      data[i] = change(image.data[i], pixel % image.width, Math.floor(pixel / image.width), image);
    }
    return { file: await png(raw({ ...image, data })), back: same };
  };
}

function scaled(factor: number): Change {
  return async (image) => {
    const width = Math.max(1, Math.round(image.width * factor));
    const height = Math.max(1, Math.round(image.height * factor));
    const file = await png(raw(image).resize(width, height, { fit: 'fill' }));
    return { file, back: ({ x, y }) => ({ x: (x * image.width) / width, y: (y * image.height) / height }) };
  };
}

/** Side of the page that a picture is pasted on, and the longest side that the picture has there, in pixels. */
const PAGE_SIDE = 4096;
const PASTED_SIDE = 1200;
/** Where it is pasted: off the middle. */
const PASTED_AT = { left: 1900, top: 700 };

async function pasted(image: RgbImage): Promise<Changed> {
  const factor = Math.min(1, PASTED_SIDE / Math.max(image.width, image.height));
  const width = Math.round(image.width * factor);
  const height = Math.round(image.height * factor);
  const small = await raw(image).resize(width, height, { fit: 'fill' }).png().toBuffer();
  const canvas = sharp({ create: { width: PAGE_SIDE, height: PAGE_SIDE, channels: 3, background: '#fff' } });
  return {
    file: await png(canvas.composite([{ input: small, ...PASTED_AT }])),
    back: ({ x, y }) => ({ x: (x - PASTED_AT.left) / factor, y: (y - PASTED_AT.top) / factor }),
  };
}

const VARIANTS: Readonly<Record<string, Change>> = {
  unchanged: async (image) => ({ file: await png(raw(image)), back: same }),
  'turned 3': turned(3),
  'turned 10': turned(10),
  'turned 45': turned(45),
  'turned 90': turned(90),
  'turned 180': turned(180),
  'turned 270': turned(270),
  'contrast / 5': pixels((value) => Math.round(128 + (value - 128) / 5)),
  gradient: pixels((value, x, y, { width, height }) =>
    Math.round(value * (0.25 + (0.75 * x) / width) * (0.7 + (0.3 * y) / height)),
  ),
  'blur 1.5': async (image) => ({ file: await png(raw(image).blur(1.5)), back: same }),
  'JPEG 20': async (image) => ({ file: await raw(image).jpeg({ quality: 20 }).toBuffer(), back: same }),
  'half size': scaled(0.5),
  'quarter size': scaled(0.25),
  'small on a large page': pasted,
};

const [evalDir, outDir, ...chosen] = process.argv.slice(2);
if (evalDir === undefined || outDir === undefined) {
  process.stderr.write('usage: node bench/stress.ts EVAL_DIR OUT_DIR [VARIANT ...]\n');
  process.exit(2);
}
await mkdir(outDir, { recursive: true });
const labelsFile = path.join(evalDir, 'synthetic', 'labels.json');
const labels = JSON.parse(await readFile(labelsFile, 'utf8')) as { images: { file: string }[] };
const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const models = await loadModels({ modelsDir, modelPack: 'pp-ocrv6-small-int8' });
/** No picture is refused for its size: a page turned by 45 degrees is larger than the service takes by default. */
const MAX_SIDE = 8192;

async function predict(file: string, change: Change): Promise<unknown> {
  const bytes = await readFile(path.join(evalDir as string, 'synthetic', 'images', file));
  const image = await decodeImage(bytes, { maxSide: MAX_SIDE });
  const changed = await change(image);
  const page = await readPage(changed.file, { maxSide: MAX_SIDE }, models);
  const size = { width: image.width, height: image.height };
  return page.lines.map((line) => {
    const [a, b, c, d] = line.quad;
    const quad: Quad = [changed.back(a), changed.back(b), changed.back(c), changed.back(d)];
    return toContractLine({ ...line, quad }, { ...page, ...size });
  });
}

const results: Record<string, number> = {};
for (const [name, change] of Object.entries(VARIANTS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const predictions: Record<string, unknown> = {};
  for (const { file } of labels.images) predictions[file] = await predict(file, change);
  const predictionsFile = path.join(outDir, `${name.replaceAll(/\W+/g, '-')}.json`);
  await writeFile(predictionsFile, JSON.stringify(predictions));
  const args = [path.join(evalDir, 'score.mjs'), '--labels', labelsFile, '--pred', predictionsFile, '--slack', '0.2'];
  const overall = execFileSync(process.execPath, args, { encoding: 'utf8' })
    .split('\n')
    .find((line) => line.startsWith('OVERALL'));
  const e2e = Number(overall?.trim().split(/\s+/)[9]);
  results[name] = e2e;
  process.stdout.write(`${name.padEnd(24)} E2E ${e2e.toFixed(1)}\n`);
}
await writeFile(path.join(outDir, 'results.json'), JSON.stringify(results, null, 2));
