import t from 'tap';
import { boundingBox, type Box } from '../../src/ocr/geometry.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { detectText, type TextRegion } from '../../src/ocr/text-detection.ts';
import { drawText, fakeDetector, fillBox, paper } from './fake-session.ts';

const PARAMETERS = { threshold: 0.3, boxScoreThreshold: 0.5, unclipRatio: 1.6 };

async function detect(image: RgbImage) {
  const session = fakeDetector();
  const { regions, megapixels } = await detectText(image, session, PARAMETERS);
  return { regions, megapixels, looks: session.runs.map(([, , height, width]) => [width, height]) };
}

/** Pairs every expected box with the region nearest to it and gives the largest distance of a side. */
function deviation(regions: readonly TextRegion[], inks: readonly Box[]): number {
  const off = ({ tight }: TextRegion, ink: Box): number => {
    const box = boundingBox(tight);
    return Math.max(...(['left', 'top', 'right', 'bottom'] as const).map((side) => Math.abs(box[side] - ink[side])));
  };
  return Math.max(...inks.map((ink) => Math.min(...regions.map((region) => off(region, ink)))));
}

t.test('regions are tight around the ink, in image coordinates', async (t) => {
  for (const scale of [1, 2]) {
    const image = paper(960 * scale, 480 * scale);
    const inks = [40, 140, 240, 340].map((top, i) =>
      drawText(image, 'ABBABA', { left: (50 + 100 * i) * scale, top: top * scale, em: 30 * scale }),
    );
    const { regions, looks, megapixels } = await detect(image);
    t.strictSame(looks, [[960, 480]], 'one look at 960 px');
    t.equal(megapixels, 0.4608);
    t.equal(regions.length, 4);
    t.ok(deviation(regions, inks) <= scale, `within ${scale} px: ${deviation(regions, inks)}`);
    t.ok(regions.every(({ hasInk, score }) => hasInk && score > 0.5 && score <= 0.9));
  }
});

t.test('sides are rounded to 32, coordinates follow', async (t) => {
  const image = paper(333, 100);
  const ink = drawText(image, 'ABBABA', { left: 40, top: 40, em: 30 });
  const { regions, looks } = await detect(image);
  t.strictSame(looks, [[672, 192]], 'enlarged to at most twice the size: 666 x 200');
  t.equal(regions.length, 1);
  t.ok(deviation(regions, [ink]) <= 1);
  // The kernel has to fit without the help of the ink.
  const kernel = boundingBox(regions[0]?.kernel ?? []);
  t.ok(Math.abs(kernel.right - ink.right) <= 2 && Math.abs(kernel.bottom - ink.bottom) <= 2, JSON.stringify(kernel));
  t.strictSame((await detect(paper(5, 5))).looks, [[32, 32]]);
});

t.test('the loose box is the kernel grown by the unclip distance', async (t) => {
  const image = paper(320, 160);
  fillBox(image, { left: 100, top: 60, right: 200, bottom: 80 });
  const [region] = (await detect(image)).regions;
  // area x ratio / perimeter of 100 x 20
  const distance = (100 * 20 * 1.6) / 240;
  const rounded = (quad: TextRegion['kernel'] | undefined): number[] =>
    Object.values(boundingBox(quad ?? [])).map((v) => Math.round(v * 100) / 100);
  t.strictSame(rounded(region?.kernel), [100, 60, 200, 80]);
  t.strictSame(
    rounded(region?.loose),
    [100 - distance, 60 - distance, 200 + distance, 80 + distance].map((v) => Math.round(v * 100) / 100),
  );
});

t.test('without ink the box lies half-way between kernel and loose box', async (t) => {
  // A dark picture without any structure: the detector reacts, but there is nothing to measure.
  const { regions } = await detect(paper(60, 20, 90));
  t.equal(regions.length, 1);
  const [region] = regions as [TextRegion];
  t.equal(region.hasInk, false);
  const [kernel, tight, loose] = [region.kernel, region.tight, region.loose].map((quad) => boundingBox(quad).left);
  t.ok(Math.abs((tight as number) - ((kernel as number) + (loose as number)) / 2) < 1e-9);
});

t.test('with up to three regions a smaller look finds large text', async (t) => {
  const image = paper(960, 960);
  const large = { left: 200, top: 500, right: 500, bottom: 580 };
  fillBox(image, large);
  const small = drawText(image, 'ABBABA', { left: 100, top: 100, em: 40 });
  const { regions, looks, megapixels } = await detect(image);
  t.strictSame(looks, [
    [960, 960],
    [640, 640],
  ]);
  t.ok(Math.abs(megapixels - (0.9216 + 0.4096)) < 1e-9);
  t.equal(regions.length, 2, 'what both looks saw is there once');
  // Large text is measured at about 40 px, a third of its size.
  t.ok(deviation(regions, [large, small]) <= 2, `${deviation(regions, [large, small])}`);
});

t.test('no smaller look at a full page or at a small image', async (t) => {
  const image = paper(960, 960);
  for (const top of [100, 300, 500, 700]) drawText(image, 'ABBABA', { left: 100, top, em: 40 });
  t.equal((await detect(image)).looks.length, 1, 'four regions');
  fillBox(image, { left: 0, top: 600, right: 960, bottom: 960 }, 255);
  t.equal((await detect(image)).looks.length, 2, 'three regions');
  t.equal((await detect(paper(350, 350))).looks.length, 1, '700 px in the frame');
  t.equal((await detect(paper(352, 352))).looks.length, 2, '704 px');
});

t.test('a closer look at small text, in its own part of the image', async (t) => {
  const image = paper(1920, 1216);
  const small = [400, 600, 800, 1000].map((top) => drawText(image, 'ABBABAABBABA', { left: 1000, top, em: 10 }));
  // Two pixels high in the first look: thinner than any kernel.
  const tiny = { left: 1020, top: 700, right: 1080, bottom: 704 };
  fillBox(image, tiny);
  const normal = drawText(image, 'ABBABA', { left: 100, top: 100, em: 40 });
  const { regions, looks } = await detect(image);
  t.equal(looks.length, 2);
  t.strictSame(looks[0], [960, 608]);
  // About 105 x 610 with 40 px around, enlarged by 1.4, so that text of 10 px becomes 14 px high.
  const [width, height] = looks[1] as [number, number];
  t.ok(width >= 256 && width <= 320 && height >= 864 && height <= 1056, `${width} x ${height}`);
  t.equal(regions.length, 6, 'nothing is there twice');
  t.ok(deviation(regions, [...small, tiny, normal]) <= 1, 'coordinates of both looks are those of the image');
});

t.test('a single small line is not worth a closer look', async (t) => {
  const image = paper(1920, 1216);
  for (const top of [100, 300, 500, 700]) drawText(image, 'ABBABA', { left: 100, top, em: 40 });
  drawText(image, 'ABBABAABBABA', { left: 1000, top: 900, em: 10 });
  const { regions, looks } = await detect(image);
  t.equal(looks.length, 1);
  t.equal(regions.length, 5);
});
