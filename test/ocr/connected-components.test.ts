import t from 'tap';
import { extentPoints, findComponents } from '../../src/ocr/connected-components.ts';
import { convexHull } from '../../src/ocr/min-area-rect.ts';
import { noiseField, REFERENCE } from './opencv/reference.ts';

/** Rows of a drawing, `#` = set. */
function maskOf(...rows: string[]): [Uint8Array, number, number] {
  return [Uint8Array.from(rows.join(''), (c) => (c === '#' ? 1 : 0)), rows[0]?.length ?? 0, rows.length];
}

t.test('hulls are those of the outer contours of OpenCV findContours', async (t) => {
  for (const { components, level, ...field } of REFERENCE.components) {
    const mask = Uint8Array.from(noiseField(field), (value) => (value > level ? 1 : 0));
    const hulls = findComponents(mask, field.width, field.height).map((component) =>
      convexHull(extentPoints(component))
        .sort((a, b) => a.x - b.x || a.y - b.y)
        .flatMap(({ x, y }) => [x, y]),
    );
    t.strictSame(
      hulls,
      components.map(({ hull }) => hull),
      `blur radius ${field.radius}: ${components.length} components in the same order`,
    );
  }
});

t.test('pixels that touch at a corner belong together', async (t) => {
  t.equal(findComponents(...maskOf('#..', '.#.', '..#')).length, 1, 'falling diagonal');
  t.equal(findComponents(...maskOf('..#', '.#.', '#..')).length, 1, 'rising diagonal');
  t.equal(findComponents(...maskOf('#.#', '...', '#.#')).length, 4, 'a gap of one pixel parts');
});

t.test('arms that meet late are one component, ordered by its first pixel', async (t) => {
  const found = findComponents(...maskOf('#.#.#', '#.#.#', '#.###', '###..'));
  t.equal(found.length, 1);
  t.strictSame([...(found[0]?.extents ?? [])], [0, 4, 0, 4, 0, 4, 0, 2], 'leftmost and rightmost pixel of every row');
  const nested = findComponents(...maskOf('#####', '#...#', '#.#.#', '#...#', '#####'));
  t.strictSame(
    nested.map(({ top }) => top),
    [0, 2],
    'what lies inside a ring is a component of its own',
  );
});

t.test('rows do not wrap around at the edges', async (t) => {
  const found = findComponents(...maskOf('..#', '#..'));
  t.equal(found.length, 2);
  t.strictSame(
    found.map((component) => extentPoints(component)),
    [[{ x: 2, y: 0 }], [{ x: 0, y: 1 }]],
    'and a row of one pixel is one point',
  );
  t.strictSame(findComponents(...maskOf('...', '...')), []);
});
