import sharp from 'sharp';
import t from 'tap';
import { drawOverlay } from '../../src/cli/overlay.ts';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { toDocument } from '../../src/formats/document.ts';
import { encodePicture } from '../../src/ocr/encode-picture.ts';
import type { Line, Quad } from '../../src/ocr/page.ts';

const box = (left: number, top: number, width: number, height: number): Quad => [
  { x: left, y: top },
  { x: left + width, y: top },
  { x: left + width, y: top + height },
  { x: left, y: top + height },
];

/** The overlay of a picture with these lines, decoded. */
async function overlay(file: Buffer, lines: readonly Line[]) {
  const image = await decodeImage(file, { maxSide: 400 });
  const { width, height } = image;
  const timings = { decodeMs: 0, detectMs: 0, recognizeMs: 0, totalMs: 0 };
  const cost = { detectorMegapixels: 0, recognizerWidth: 0 };
  const picture = await encodePicture(image, file);
  const { pages } = toDocument([{ width, height, lines, timings, cost, textFrom: 'picture', picture }], {
    minScore: 0,
  });
  return decodeImage(await drawOverlay(pages[0]), { maxSide: 400 });
}

t.test('a polygon in the colour of its confidence, with a number, on the upright picture', async (t) => {
  // Stored lying on its side: 400 x 200, shown 200 x 400.
  const picture = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#ffffff' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  const lines: Line[] = [
    { text: 'sure', confidence: 0.99, quad: box(60, 50, 100, 40) },
    { text: 'unsure', confidence: 0.4, quad: box(60, 200, 100, 40) },
  ];
  const { data, width, height } = await overlay(picture, lines);
  t.strictSame([width, height], [200, 400]);
  const at = (x: number, y: number): number[] => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  const near = (pixel: number[], colour: number[]): boolean => pixel.every((v, i) => Math.abs(v - colour[i]) < 60);
  t.ok(near(at(110, 50), [0x08, 0x74, 0x5a]), 'upper border in green');
  t.ok(near(at(110, 200), [0xb8, 0x1d, 0x4a]), 'upper border in red');
  t.ok(near(at(190, 300), [255, 255, 255]), 'nothing elsewhere');
  t.ok(
    at(110, 70).every((value) => value > 200),
    'what is read can still be seen',
  );
  const label = Array.from({ length: 16 }, (_, x) => at(44 + x, 50));
  t.ok(
    label.some((pixel) => near(pixel, [0x08, 0x74, 0x5a])),
    'the number stands on the colour',
  );
});

t.test('a page without lines is the picture', async (t) => {
  const picture = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#ffffff' } })
    .png()
    .toBuffer();
  const { data } = await overlay(picture, []);
  t.ok(data.every((value) => value > 250));
});
