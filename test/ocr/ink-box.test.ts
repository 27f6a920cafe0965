import t from 'tap';
import { boundingBox, type Box, growQuad, translateQuad } from '../../src/ocr/geometry.ts';
import { tightenToInk, withStrokes } from '../../src/ocr/ink-box.ts';
import type { Quad } from '../../src/ocr/page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import { drawText, fillBox, paper } from './fake-session.ts';
import { toQuad } from './opencv/reference.ts';

const quadOf = ({ left, top, right, bottom }: Box): Quad =>
  toQuad([left, top, right, top, right, bottom, left, bottom]);

const emOf = (ink: Box): number => Math.min(ink.right - ink.left, ink.bottom - ink.top);
/** What the detector makes of a line: shrunken by a quarter of the text height. */
const kernelOf = (ink: Box): Quad => growQuad(quadOf(ink), -emOf(ink) / 4, -emOf(ink) / 4);

function tighten(image: RgbImage, ink: Box): Quad | undefined {
  const em = emOf(ink);
  return tightenToInk(image, kernelOf(ink), em * 0.45)?.tight;
}

/** Largest distance of a side from where it should be. */
function deviation(quad: Quad | undefined, ink: Box): number {
  if (!quad) return Infinity;
  const box = boundingBox(quad);
  return Math.max(...(['left', 'top', 'right', 'bottom'] as const).map((side) => Math.abs(box[side] - ink[side])));
}

t.test('the ink of a line, within a pixel', async (t) => {
  for (const em of [10, 20, 40, 80]) {
    const image = paper(600, 200);
    const ink = drawText(image, 'ABBABA', { left: 60, top: 60, em });
    t.ok(deviation(tighten(image, ink), ink) <= 1, `${em} px: ${JSON.stringify(tighten(image, ink))}`);
  }
});

t.test('light on dark, and on a page that gets darker', async (t) => {
  const dark = paper(400, 120, 30);
  const ink = drawText(dark, 'ABBABA', { left: 60, top: 40, em: 40, level: 220 });
  t.ok(deviation(tighten(dark, ink), ink) <= 1, 'light on dark');
  const shaded = paper(400, 120);
  for (let x = 0; x < 400; x++)
    fillBox(shaded, { left: x, top: 0, right: x + 1, bottom: 120 }, 250 - Math.round(x / 4));
  drawText(shaded, 'ABBABA', { left: 60, top: 40, em: 40 });
  t.ok(deviation(tighten(shaded, ink), ink) <= 1, 'shaded');
});

t.test('a vertical line', async (t) => {
  const image = paper(120, 400);
  const ink = drawText(image, 'ABBABA', { left: 40, top: 60, em: 40, turns: 1 });
  const tight = tighten(image, ink);
  t.ok(deviation(tight, ink) <= 1);
  t.ok(tight && tight[0].x < tight[1].x && tight[0].y < tight[3].y, 'corners keep their order');
});

t.test('a tilted line: ink is measured along its own axes', async (t) => {
  const image = paper(300, 300);
  // Strokes in a bar of 160 x 16 around (150, 150) at 30 degrees.
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  for (let y = 0; y < 300; y++) {
    for (let x = 0; x < 300; x++) {
      const [dx, dy] = [x + 0.5 - 150, y + 0.5 - 150];
      const along = dx * c + dy * s + 80;
      const inside = along > 0 && along < 160 && along % 16 < 8 !== along > 80 && Math.abs(-dx * s + dy * c) < 8;
      if (inside) fillBox(image, { left: x, top: y, right: x + 1, bottom: y + 1 });
    }
  }
  const corner = (u: number, v: number): number[] => [u * c - v * s, u * s + v * c];
  const bar = (u: number, v: number): Quad =>
    translateQuad(toQuad([...corner(-u, -v), ...corner(u, -v), ...corner(u, v), ...corner(-u, v)]), 150, 150);
  const tight = tightenToInk(image, bar(76, 4), 8)?.tight;
  const expected = bar(80, 8);
  t.ok(
    tight?.every((p, i) => Math.hypot(p.x - expected[i as 0].x, p.y - expected[i as 0].y) < 1.5),
    JSON.stringify(tight),
  );
});

t.test('a ruled line ends the search, a stroke of the glyphs does not', async (t) => {
  const ruled = (extra: Box): number => {
    const image = paper(500, 160);
    const ink = drawText(image, 'ABBABA', { left: 60, top: 60, em: 40 });
    fillBox(image, extra);
    return deviation(tighten(image, ink), ink);
  };
  t.ok(ruled({ left: 0, top: 102, right: 500, bottom: 104 }) <= 1, 'under the line');
  t.ok(ruled({ left: 0, top: 56, right: 500, bottom: 58 }) <= 1, 'over the line');
  t.ok(ruled({ left: 272, top: 0, right: 275, bottom: 160 }) <= 1, 'right of the line');
  t.ok(ruled({ left: 52, top: 0, right: 55, bottom: 160 }) <= 1, 'left of the line');

  const image = paper(500, 160);
  const ink = drawText(image, 'ABBABA', { left: 60, top: 60, em: 40 });
  fillBox(image, { left: 120, top: 102, right: 160, bottom: 105 });
  t.ok(deviation(tighten(image, ink), { ...ink, bottom: 105 }) <= 1, 'a dot under a letter belongs to the line');
});

t.test('the neighbours of a line are left out', async (t) => {
  const image = paper(500, 200);
  const ink = drawText(image, 'ABBABA', { left: 100, top: 80, em: 40 });
  drawText(image, 'ABBABA', { left: 100, top: 130, em: 40 });
  // Within the search, but further off than glyphs of one line.
  drawText(image, 'AB', { left: ink.right + 20, top: 80, em: 40 });
  t.ok(deviation(tighten(image, ink), ink) <= 1);
});

t.test('a glyph beyond the kernel is taken in', async (t) => {
  const image = paper(500, 160);
  const ink = drawText(image, 'ABBABA', { left: 100, top: 60, em: 40 });
  const short = quadOf({ left: ink.left + 24, top: 70, right: ink.right - 24, bottom: 90 });
  t.ok(deviation(tightenToInk(image, short, 18)?.tight, ink) <= 1);
});

t.test('a line cut off by the edge of the picture ends there', async (t) => {
  for (const [name, left, top] of [
    ['left', -12, 60],
    ['top', 100, -8],
    ['right', 296, 60],
    ['bottom', 100, 128],
  ] as const) {
    const image = paper(500, 160);
    const ink = drawText(image, 'ABBABA', { left, top, em: 40 });
    const visible = {
      left: Math.max(0, ink.left),
      top: Math.max(0, ink.top),
      right: Math.min(500, ink.right),
      bottom: Math.min(160, ink.bottom),
    };
    t.ok(deviation(tighten(image, visible), visible) <= 1, `${name}: ${JSON.stringify(tighten(image, visible))}`);
  }
});

t.test('nothing to measure', async (t) => {
  const box = { left: 60, top: 40, right: 300, bottom: 80 };
  t.equal(tighten(paper(400, 120), box), undefined, 'blank');
  const faint = paper(400, 120, 200);
  drawText(faint, 'ABBABA', { left: 60, top: 40, em: 40, level: 189 });
  t.equal(tighten(faint, box), undefined, 'under 12 levels of contrast');
  t.equal(tightenToInk(paper(400, 120), quadOf({ left: 9, top: 9, right: 90, bottom: 9.5 }), 3), undefined, 'too thin');
});

for (const vertical of [false, true]) {
  t.test(
    `a few strokes that go on beyond the line belong to it: ${vertical ? 'vertical' : 'horizontal'}`,
    async (t) => {
      const em = 40;
      /** The line with a stroke of 3 px and this length under it, or to its right. */
      const measure = (length: number, gap = 0) => {
        const image = vertical ? paper(160, 900) : paper(900, 160);
        const ink = drawText(image, 'ABBABAABBABABBAABBAA', { left: 50, top: 50, em, turns: vertical ? 1 : 0 });
        const { right, bottom } = ink;
        const stroke = vertical
          ? { left: right + gap - 4, top: 200, right: right + length, bottom: 203 }
          : { left: 200, top: bottom + gap - 4, right: 203, bottom: bottom + length };
        fillBox(image, stroke);
        const kernel = kernelOf(ink);
        const found = tightenToInk(image, kernel, em * 0.45);
        const whole = found && withStrokes(found.tight, found.strokes, kernel);
        return { ink, tight: found?.tight, whole };
      };
      const long = (ink: Box, by: number): Box =>
        vertical ? { ...ink, right: ink.right + by } : { ...ink, bottom: ink.bottom + by };
      for (const length of [6, 10]) {
        const { ink, tight, whole } = measure(length);
        t.ok(deviation(tight, ink) <= 1, 'the crop stays on what most characters have');
        t.ok(deviation(whole, long(ink, length)) <= 1, `${length} px: ${JSON.stringify(whole)}`);
      }
      const rule = measure(60);
      t.ok(deviation(rule.whole, rule.ink) <= 1, 'a rule that goes further is none');
      const apart = measure(12, 8);
      t.ok(deviation(apart.whole, apart.ink) <= 1, 'what does not touch is none');
    },
  );
}
