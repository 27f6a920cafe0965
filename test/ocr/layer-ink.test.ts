import t from 'tap';
import type { Box } from '../../src/ocr/geometry.ts';
import { inkOfLayer } from '../../src/ocr/layer-ink.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';

const box = (left: number, top: number, width: number, height: number): Box => ({
  left,
  top,
  right: left + width,
  bottom: top + height,
});

/** White paper with plain boxes of a grey level. */
function paper(...inked: readonly (readonly [Box, level?: number])[]): RgbImage {
  const image = { data: new Uint8Array(200 * 100 * 3).fill(255), width: 200, height: 100 };
  for (const [{ left, top, right, bottom }, level = 0] of inked) {
    for (let y = top; y < bottom; y++) image.data.fill(level, (y * 200 + left) * 3, (y * 200 + right) * 3);
  }
  return image;
}

const glyph = box(20, 20, 10, 20);

t.test('a character has ink, be it as wide as its box', (t) => {
  t.strictSame(inkOfLayer(paper([glyph]), [glyph]), { clear: true, moreInk: false });
  t.strictSame(inkOfLayer(paper(), [glyph]), { clear: false, moreInk: true }, 'none');
  t.equal(inkOfLayer(paper([glyph, 250]), [glyph]).clear, false, 'hardly any');
  t.equal(inkOfLayer(paper([box(10, 10, 40, 40)]), [glyph]).clear, false, 'hidden in a plain area');
  t.end();
});

t.test('two characters do not stand on one place', (t) => {
  t.equal(inkOfLayer(paper([glyph]), [glyph, box(22, 20, 10, 20)]).clear, false);
  t.equal(inkOfLayer(paper([box(20, 20, 18, 20)]), [glyph, box(28, 20, 10, 20)]).clear, true, 'kerned');
  t.end();
});

t.test('more ink is what is no rule, no frame and no large area', (t) => {
  const more = (...inked: readonly Box[]): boolean =>
    inkOfLayer(paper(...[glyph, ...inked].map((one) => [one] as const)), [glyph]).moreInk;
  t.equal(more(box(50, 20, 10, 20)), true, 'a letter');
  t.equal(more(box(20, 60, 150, 2)), false, 'a rule');
  t.equal(more(box(60, 10, 2, 80)), false, 'an upright rule');
  t.equal(more(box(100, 20, 60, 50)), false, 'an area');
  t.equal(more(box(35, 36, 3, 3)), false, 'a full stop');
  t.end();
});
