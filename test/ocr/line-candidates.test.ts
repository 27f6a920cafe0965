import t from 'tap';
import { boundingBox, type Box, growQuad } from '../../src/ocr/geometry.ts';
import { isSideways, lineCandidates } from '../../src/ocr/line-candidates.ts';
import type { TextRegion } from '../../src/ocr/text-detection.ts';
import { drawText, paper } from './fake-session.ts';
import { toQuad } from './opencv/reference.ts';

/** A region whose loose box is `margin` larger than its ink on every side. */
function regionOf({ left, top, right, bottom }: Box, margin = 0): TextRegion {
  const tight = toQuad([left, top, right, top, right, bottom, left, bottom]);
  return { kernel: tight, loose: growQuad(tight, margin, margin), tight, strokes: [0, 0], hasInk: true, score: 0.9 };
}

const box = (left: number, top: number, width: number, height: number): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

/** The only candidate of one region on blank paper. */
function candidateOf(region: TextRegion, sideways = false) {
  const [candidate, ...more] = lineCandidates(paper(300, 300), [region], sideways);
  if (!candidate || more.length > 0) throw new Error('expected one candidate');
  return candidate;
}

t.test('long boxes vote whether the page lies on its side', async (t) => {
  const wide = regionOf(box(0, 0, 200, 20));
  const tall = regionOf(box(0, 0, 20, 200));
  t.equal(isSideways([]), false);
  t.equal(isSideways([wide]), false);
  t.equal(isSideways([tall]), true);
  t.equal(isSideways([wide, tall, tall]), false, 'twice as much is not enough');
  t.equal(isSideways([wide, tall, tall, regionOf(box(0, 0, 10, 30))]), true, 'a little more is');
  t.equal(isSideways([regionOf(box(0, 0, 20, 40))]), false, 'boxes twice as high as wide have no vote');
});

t.test('a column of separate entries is cut at its gaps', async (t) => {
  const image = paper(200, 300);
  const inks = [20, 60, 100, 140].map((top) => drawText(image, 'AB', { left: 50, top, em: 20 }));
  const column = regionOf(box(50, 20, 30, 140));
  const parts = lineCandidates(image, [column], false);
  t.equal(parts.length, 4);
  parts.forEach((part, i) => {
    const { left, top, right, bottom } = boundingBox(part.tight);
    const ink = inks[i] as Box;
    t.ok(Math.abs(top - ink.top) <= 1 && Math.abs(bottom - ink.bottom) <= 1, `entry ${i}: ${top} to ${bottom}`);
    t.strictSame([left, right], [50, 80], 'as wide as the column');
    t.strictSame([part.split, part.tall, part.ambiguous, part.region], [true, false, false, column]);
    t.equal(part.em, 30, 'as high as wide at least');
  });
});

t.test('on a page on its side a row is the column', async (t) => {
  const image = paper(300, 200);
  const inks = [20, 60, 100, 140].map((left) => drawText(image, 'AB', { left, top: 50, em: 20, turns: 1 }));
  const row = regionOf(box(20, 50, 140, 30));
  t.equal(lineCandidates(image, [row], false).length, 1, 'upright it is a line');
  const parts = lineCandidates(image, [row], true);
  // The page's top is the right side of the image.
  const lefts = parts.map(({ tight }) => Math.round(boundingBox(tight).left)).sort((a, b) => a - b);
  t.ok(
    lefts.length === 4 && lefts.every((left, i) => Math.abs(left - (inks[i] as Box).left) <= 1),
    `begin at ${lefts.join(' ')}`,
  );
  t.ok(
    parts.every(({ tall, split, tight }) => tall && split && tight[0].x < tight[1].x && tight[0].y < tight[3].y),
    'read along the page, corners still named in the image',
  );
});

t.test('what stays whole', async (t) => {
  const count = (...tops: number[]): number => {
    const image = paper(200, 400);
    for (const top of tops) drawText(image, 'AB', { left: 50, top, em: 20 });
    return lineCandidates(
      image,
      [regionOf(box(50, tops[0] as number, 30, (tops.at(-1) as number) - (tops[0] as number) + 20))],
      false,
    ).length;
  };
  t.equal(count(20, 54, 88), 3, 'gaps of 0.47 widths');
  t.equal(count(20, 46, 72, 98), 1, 'characters close together: vertical text');
  t.equal(count(20, 60, 86, 126), 1, 'one narrow gap is enough');
  const image = paper(200, 400);
  drawText(image, 'ABBA', { left: 50, top: 20, em: 30, turns: 1 });
  drawText(image, 'AB', { left: 50, top: 170, em: 30, turns: 1 });
  t.equal(lineCandidates(image, [regionOf(box(50, 20, 30, 195))], false).length, 1, 'words that read downwards');
  t.equal(lineCandidates(paper(200, 400), [regionOf(box(50, 20, 30, 195))], false).length, 1, 'no ink');
});

t.test('direction and text height of whole regions', async (t) => {
  const line = candidateOf(regionOf(box(10, 10, 200, 20), 8));
  t.strictSame([line.tall, line.ambiguous, line.split, line.em], [false, false, false, 20]);
  const vertical = candidateOf(regionOf(box(10, 10, 20, 200), 8));
  t.strictSame([vertical.tall, vertical.ambiguous, vertical.em], [true, false, 20]);
  const glyph = candidateOf(regionOf(box(10, 10, 20, 40)));
  t.strictSame([glyph.tall, glyph.ambiguous, glyph.em], [true, true, 40], 'perhaps upright');
  const roomy = candidateOf(regionOf(box(10, 10, 20, 40), 20));
  t.strictSame([roomy.tall, roomy.em], [false, 40], 'a thin glyph in a loose box that is hardly tall');
});

t.test('on a page on its side nearly square boxes read along the page', async (t) => {
  t.equal(candidateOf(regionOf(box(10, 10, 28, 20)), true).tall, true);
  t.equal(candidateOf(regionOf(box(10, 10, 30, 20)), true).tall, false, 'from 1.5 on they do not');
  t.equal(candidateOf(regionOf(box(10, 10, 28, 20))).tall, false, 'nor on an upright page');
  t.equal(candidateOf(regionOf(box(10, 10, 20, 40)), true).ambiguous, false);
});

t.test('the kernel says how high a line of dashes is', async (t) => {
  const dashes = regionOf(box(10, 30, 200, 4));
  const kernel = toQuad([10, 22, 210, 22, 210, 42, 10, 42]);
  t.equal(candidateOf({ ...dashes, kernel }).em, 18);
});
