import t from 'tap';
import { boxScore, findKernels, type ProbabilityMap } from '../../src/ocr/db-postprocess.ts';
import { boundingBox } from '../../src/ocr/geometry.ts';
import { cornerDistance, noiseField, REFERENCE, toPoints, toQuad } from './opencv/reference.ts';

const PARAMETERS = { threshold: 0.3, boxScoreThreshold: 0.5, unclipRatio: 1.6 };

/** A map of zeros with one rectangle of probability `p`, `right` and `bottom` exclusive. */
function mapWith(left: number, top: number, right: number, bottom: number, p = 0.9): ProbabilityMap {
  const [width, height] = [40, 30];
  const data = new Float32Array(width * height);
  for (let y = top; y < bottom; y++) data.fill(p, y * width + left, y * width + right);
  return { data, width, height };
}

t.test('kernels are those of threshold, cv2.dilate(ones(2, 2)), findContours and minAreaRect', async (t) => {
  for (const { kernels, gain, ...field } of REFERENCE.kernels) {
    const data = Float32Array.from(noiseField(field), (v) => Math.min(255, Math.max(0, (v - 128) * gain + 50)) / 255);
    const found = findKernels({ ...field, data }, { ...PARAMETERS, boxScoreThreshold: 0 });
    t.equal(found.length, kernels.length, `blur radius ${field.radius}: ${kernels.length} kernels`);
    for (const [i, expected] of kernels.entries()) {
      const kernel = found[i];
      if (!kernel) continue;
      t.equal(expected.tie, false, 'the case allows one rectangle only');
      t.ok(cornerDistance(kernel.quad, toPoints(expected.corners)) < 1e-3, `corners of ${i}`);
      t.ok(Math.abs(kernel.unclipDistance - expected.unclipDistance) < 1e-3, `unclip distance of ${i}`);
      // PaddleOCR truncates the corners to whole pixels before it fills; we take the exact spans. On a tilted kernel a few
      // pixels thick that moves a border row, here up to 0.041; on upright kernels nothing.
      t.ok(Math.abs(kernel.score - expected.score) < 0.05, `score of ${i}: ${kernel.score}, OpenCV ${expected.score}`);
    }
  }
});

t.test('box score is the mean under cv2.fillPoly where no corner is truncated', async (t) => {
  const field = { seed: 41, radius: 2, width: 40, height: 32 };
  const map = { ...field, data: Float32Array.from(noiseField(field), (v) => v / 255) };
  for (const { corners, mean } of REFERENCE.scores) {
    // What is left is how a slanted border is drawn: Bresenham's pixels there, exact crossings here.
    t.ok(Math.abs(boxScore(map, toQuad(corners)) - mean) < 1e-3, `quad ${corners.join(' ')}`);
  }
});

t.test('box score counts only pixels of the map', async (t) => {
  const map = mapWith(0, 0, 40, 30);
  const quad = toQuad([-10, -10, 60, -10, 60, 50, -10, 50]);
  t.ok(Math.abs(boxScore(map, quad) - 0.9) < 1e-6, 'a quad larger than the map');
  t.equal(boxScore(map, toQuad([50, 5, 60, 5, 60, 9, 50, 9])), 0, 'a quad beside it');
});

t.test('dilation grows to the right and down, so that indices are pixel edges', async (t) => {
  const [kernel] = findKernels(mapWith(10, 8, 26, 14), PARAMETERS);
  t.strictSame(kernel && boundingBox(kernel.quad), { left: 10, top: 8, right: 26, bottom: 14 });
  t.equal(kernel?.thickness, 6);
  // area x ratio / perimeter
  t.ok(Math.abs((kernel?.unclipDistance ?? 0) - (16 * 6 * 1.6) / 44) < 1e-9);
  const [atEdge] = findKernels(mapWith(30, 20, 40, 30), PARAMETERS);
  t.strictSame(atEdge && boundingBox(atEdge.quad), { left: 30, top: 20, right: 39, bottom: 29 }, 'not over the edge');
});

t.test('what is dropped', async (t) => {
  const count = (map: ProbabilityMap): number => findKernels(map, PARAMETERS).length;
  t.equal(count(mapWith(5, 5, 25, 7)), 0, 'thinner than 3 pixels');
  t.equal(count(mapWith(5, 5, 25, 8)), 1, '3 pixels thick');
  t.equal(count(mapWith(5, 5, 25, 15, 0.5)), 0, 'mean inside the box under 0.5 with its dilated border');
  t.equal(count(mapWith(5, 5, 25, 15, 0.7)), 1, 'and over it');
  const atHalf = { threshold: 0.5, boxScoreThreshold: 0, unclipRatio: 1.6 };
  t.equal(findKernels(mapWith(5, 5, 25, 15, 0.5), atHalf).length, 0, 'not above the threshold');
  t.equal(findKernels(mapWith(5, 5, 25, 15, 0.501), atHalf).length, 1, 'above it');
});

t.test('kernels come in the row-major order of their first pixel', async (t) => {
  const low = mapWith(2, 15, 20, 20);
  const high = mapWith(22, 3, 38, 9);
  const both = { ...low, data: low.data.map((p, i) => Math.max(p, high.data[i] as number)) };
  t.strictSame(
    findKernels(both, PARAMETERS).map(({ quad }) => quad[0]),
    [
      { x: 22, y: 3 },
      { x: 2, y: 15 },
    ],
  );
});
