import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SAMPLE_IMAGE_BASE64, SAMPLE_LINES } from '../../src/engine/sample.ts';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { boundingBox, type Box } from '../../src/ocr/geometry.ts';
import type { Page, QuarterTurns } from '../../src/ocr/page.ts';
import { loadModels, readPage } from '../../src/ocr/read-page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { encodeBmp } from './fake-session.ts';

const OPTIONS = { maxSide: 4096 };
const SAMPLE = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');
const models = await loadModels({
  modelsDir: fileURLToPath(new URL('../../models', import.meta.url)),
  modelPack: 'pp-ocrv6-small-int8',
});

const withoutSpace = (texts: readonly string[]): string[] => texts.map((text) => text.replaceAll(/\s/g, ''));
const texts = ({ lines }: Page): string[] => withoutSpace(lines.map(({ text }) => text));

/** A quarter turn clockwise. */
function turned({ data, width, height }: RgbImage): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      out.set(data.subarray(from, from + 3), (x * height + height - 1 - y) * 3);
    }
  }
  return { data: out, width: height, height: width };
}

/** Where a box of a `width` x `height` image comes to lie after quarter turns clockwise. */
function turnedBox({ left, top, right, bottom }: Box, width: number, height: number, turns: QuarterTurns): Box {
  return [
    { left, top, right, bottom },
    { left: height - bottom, top: left, right: height - top, bottom: right },
    { left: width - right, top: height - bottom, right: width - left, bottom: height - top },
    { left: top, top: width - right, right: bottom, bottom: width - left },
  ][turns] as Box;
}

t.test('the embedded models read the sample, whichever way it is turned', async (t) => {
  const upright = await readPage(SAMPLE, OPTIONS, models);
  t.strictSame(texts(upright), withoutSpace(SAMPLE_LINES));
  t.ok(upright.lines.every(({ confidence }) => confidence > 0.9));
  let image = await decodeImage(SAMPLE, OPTIONS);
  for (const turns of [1, 2, 3] as const) {
    image = turned(image);
    const page = await readPage(encodeBmp(image), OPTIONS, models);
    t.strictSame(texts(page), withoutSpace(SAMPLE_LINES), `${turns * 90} degrees`);
    t.strictSame([page.width, page.height], [image.width, image.height]);
    page.lines.forEach((line, i) => {
      const box = boundingBox(line.quad);
      const expected = turnedBox(boundingBox(upright.lines[i]?.quad ?? []), upright.width, upright.height, turns);
      for (const side of ['left', 'top', 'right', 'bottom'] as const) {
        t.ok(Math.abs(box[side] - expected[side]) <= 3, `line ${i}, ${side}: ${box[side]}, upright ${expected[side]}`);
      }
    });
  }
});

t.test('quads are tight and inside the picture', async (t) => {
  const { lines, width, height } = await readPage(SAMPLE, OPTIONS, models);
  const image = await decodeImage(SAMPLE, OPTIONS);
  t.equal(lines.length, SAMPLE_LINES.length);
  for (const { quad, text } of lines) {
    const box = boundingBox(quad);
    t.ok(box.left >= 0 && box.top >= 0 && box.right <= width && box.bottom <= height, `${text} is inside`);
    t.ok(box.right - box.left > 200 && box.bottom - box.top > 15, `${text} is as large as it looks`);
  }
  // Every dark pixel of the sample belongs to one of its lines.
  const boxes = lines.map(({ quad }) => boundingBox(quad));
  let outside = 0;
  for (let i = 0; i < width * height; i++) {
    if ((image.data[3 * i] as number) > 96) continue;
    const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    if (!boxes.some((b) => x > b.left - 1 && x < b.right + 1 && y > b.top - 1 && y < b.bottom + 1)) outside++;
  }
  t.equal(outside, 0, 'no ink is left out');
});

t.test('two readings are the same to the last bit', async (t) => {
  const [first, second] = [await readPage(SAMPLE, OPTIONS, models), await readPage(SAMPLE, OPTIONS, models)];
  t.ok(first.lines.length > 0);
  t.strictSame(second.lines, first.lines);
  t.strictSame(second.cost, first.cost);
});
