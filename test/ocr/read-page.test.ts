import t from 'tap';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { boundingBox } from '../../src/ocr/geometry.ts';
import type { Line, Page, QuarterTurns, ReadOptions } from '../../src/ocr/page.ts';
import { readPage } from '../../src/ocr/read-page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import {
  drawText,
  encodeBmp,
  FAKE_CHARSET,
  type FakeConfidence,
  fakeDetector,
  fakeRecognizer,
  fillBox,
  paper,
} from './fake-session.ts';

const DETECTION = { threshold: 0.3, boxScoreThreshold: 0.5, unclipRatio: 1.6 };

async function read(image: RgbImage, confidence?: FakeConfidence, options: Partial<ReadOptions> = {}) {
  const detector = fakeDetector();
  const recognizer = fakeRecognizer(confidence);
  const page = await readPage(
    encodeBmp(image),
    { maxSide: 4096, ...options },
    { detector, recognizer, charset: FAKE_CHARSET, detection: DETECTION },
  );
  return { page, detector, recognizer };
}

const texts = ({ lines }: Page): string[] => lines.map(({ text }) => text);
const boundsOf = (line: Line | undefined): number[] => Object.values(boundingBox(line?.quad ?? [])).map(Math.round);

/** Two columns of two lines under a heading; the right column stands a little lower. */
function drawPage(): RgbImage {
  const image = paper(360, 240);
  drawText(image, 'BABA', { left: 200, top: 84, em: 20 });
  drawText(image, 'ABBAB', { left: 40, top: 80, em: 20 });
  drawText(image, 'AABB', { left: 200, top: 144, em: 20 });
  drawText(image, 'BBAAB', { left: 40, top: 140, em: 20 });
  drawText(image, 'ABABABA', { left: 80, top: 20, em: 25 });
  return image;
}
const DRAWN = ['ABABABA', 'ABBAB', 'BABA', 'BBAAB', 'AABB'];

function turn({ data, width, height }: RgbImage, turns: QuarterTurns): RgbImage {
  let image = { data, width, height };
  for (let n = 0; n < turns; n++) {
    const { data: from, width: w, height: h } = image;
    const to = new Uint8Array(from.length);
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) to.set(from.subarray((y * w + x) * 3, (y * w + x) * 3 + 3), (x * h + h - 1 - y) * 3);
    }
    image = { data: to, width: h, height: w };
  }
  return image;
}

t.test('a page from file to ordered lines', async (t) => {
  const { page, detector, recognizer } = await read(drawPage());
  t.strictSame(texts(page), DRAWN);
  t.strictSame([page.width, page.height], [360, 240]);
  t.ok(page.lines.every(({ confidence }) => Math.abs(confidence - 0.97) < 1e-6));
  const expected = [80, 20, 80 + 150, 45];
  t.ok(
    boundsOf(page.lines[0]).every((side, i) => Math.abs(side - (expected[i] as number)) <= 1),
    boundsOf(page.lines[0]).join(' '),
  );
  t.strictSame(Object.keys(page.lines[0] ?? {}), ['text', 'confidence', 'quad'], 'nothing internal gets out');
  t.strictSame(detector.runs, [[1, 3, 480, 736]]);
  t.equal(page.cost.detectorMegapixels, 0.35328);
  t.equal(recognizer.runs.length, 5);
  t.equal(
    page.cost.recognizerWidth,
    recognizer.runs.reduce((sum, dims) => sum + (dims[3] as number), 0),
  );
  const { decodeMs, detectMs, recognizeMs, totalMs } = page.timings;
  t.ok(decodeMs > 0 && detectMs > 0 && recognizeMs > 0);
  t.ok(Math.abs(decodeMs + detectMs + recognizeMs - totalMs) < 1e-6, 'the stages make up the whole');
});

t.test('a page turned by quarters reads the same', async (t) => {
  for (const turns of [1, 2, 3] as const) {
    const { page } = await read(turn(drawPage(), turns));
    t.strictSame(texts(page), DRAWN, `${turns} quarter turns`);
  }
});

t.test('a blank page has no lines and costs no recognition', async (t) => {
  const { page, recognizer } = await read(paper(360, 240));
  t.strictSame(page.lines, []);
  t.equal(recognizer.runs.length, 0);
  t.equal(page.cost.recognizerWidth, 0);
});

t.test('what does not read as text is left out', async (t) => {
  const image = drawPage();
  fillBox(image, { left: 300, top: 200, right: 325, bottom: 225 });
  const { page, recognizer } = await read(image);
  t.strictSame(texts(page), DRAWN);
  t.equal(recognizer.runs.length, 7, 'though it was read, both ways');
});

t.test('a thin glyph gets its cell', async (t) => {
  const image = drawPage();
  fillBox(image, { left: 300, top: 203, right: 308, bottom: 227 });
  const { page } = await read(image, { upright: 0.97, other: 0.95 });
  const [left, top, right, bottom] = boundsOf(page.lines.at(-1)) as [number, number, number, number];
  t.equal(page.lines.at(-1)?.text, 'A');
  // 8 px of ink, 24 px high: 0.45 x 24 = 10.8 px wide, around the same middle.
  t.ok(right - left >= 10 && right - left <= 12 && Math.abs(left + right - 608) <= 2, `${left} to ${right}`);
  t.ok(Math.abs(top - 203) <= 1 && Math.abs(bottom - 227) <= 1, 'no higher than its ink');
});

t.test('a region is read as if there were nothing around it, in coordinates of the whole', async (t) => {
  const region = { left: 180, top: 70, width: 1000, height: 50 };
  const { page } = await read(drawPage(), undefined, { region, characters: true });
  t.strictSame(texts(page), ['BABA']);
  t.strictSame([page.width, page.height], [360, 240]);
  const [left = 0, top = 0] = boundsOf(page.lines[0]);
  t.ok(Math.abs(left - 200) <= 1 && Math.abs(top - 84) <= 1, `${left}, ${top}`);
  const starts = page.lines[0]?.characters?.map(({ quad }) => Math.round(quad[0].x)) ?? [];
  t.strictSame(starts.length, 4);
  // 0.9 of the text height from glyph to glyph (fake-session.ts).
  starts.forEach((x, i) => t.ok(Math.abs(x - (200 + i * 18)) <= 2, `character ${i + 1} at ${x}`));
  const outside = read(drawPage(), undefined, { region: { left: 400, top: 0, width: 10, height: 10 } });
  await t.rejects(outside, { code: 'INVALID_REQUEST', message: /360 x 240/ });
});

t.test('with orientation off lines are read once, as they stand', async (t) => {
  const upright = await read(drawPage(), undefined, { orientation: 'off' });
  t.strictSame(texts(upright.page), DRAWN);
  const turned = await read(turn(drawPage(), 2), undefined, { orientation: 'off' });
  t.equal(turned.recognizer.runs.length, 5, 'no line a second time');
  t.notSame(texts(turned.page), DRAWN);
});

t.test('the picture comes back upright as a jpg', async (t) => {
  const { page } = await read(drawPage(), undefined, { picture: true });
  const { jpeg, width, height } = page.picture ?? { jpeg: new Uint8Array(), width: 0, height: 0 };
  t.strictSame([width, height], [360, 240]);
  const decoded = await decodeImage(jpeg, { maxSide: 4096 });
  t.strictSame([decoded.width, decoded.height], [360, 240]);
  const again = await readPage(
    jpeg,
    { maxSide: 4096, picture: true },
    {
      detector: fakeDetector(),
      recognizer: fakeRecognizer(),
      charset: FAKE_CHARSET,
      detection: DETECTION,
    },
  );
  t.ok(Buffer.from(again.picture?.jpeg ?? []).equals(jpeg), 'an upright jpg is not encoded again');
});

t.test('decoding errors reach the caller', async (t) => {
  const models = {
    detector: fakeDetector(),
    recognizer: fakeRecognizer(),
    charset: FAKE_CHARSET,
    detection: DETECTION,
  };
  await t.rejects(readPage(encodeBmp(paper(300, 20)), { maxSide: 299 }, models), { code: 'IMAGE_TOO_LARGE' });
  await t.rejects(readPage(Buffer.from('no picture'), { maxSide: 299 }, models), { code: 'UNSUPPORTED_FORMAT' });
  t.equal(models.detector.runs.length, 0);
});

t.test('pixels and model inputs of a large picture are given back', async (t) => {
  const file = encodeBmp(paper(4096, 4096));
  const models = {
    detector: fakeDetector(),
    recognizer: fakeRecognizer(),
    charset: FAKE_CHARSET,
    detection: DETECTION,
  };
  const sizes: number[] = [];
  t.capture(ArrayBuffer.prototype, 'transferToFixedLength', function (this: ArrayBuffer, length) {
    sizes.push(this.byteLength);
    return structuredClone(this, { transfer: [this] }).slice(0, length);
  });
  t.strictSame((await readPage(file, { maxSide: 4096 }, models)).lines, []);
  // The detector looks at 960 x 960 pixels, three floats each, and again at two thirds of that.
  t.strictSame(sizes, [960 * 960 * 12, 640 * 640 * 12, 4096 * 4096 * 3]);
});
