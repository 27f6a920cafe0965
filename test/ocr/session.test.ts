import path from 'node:path';
import t from 'tap';
import { openSession } from '../../src/ocr/session.ts';

const MODEL = path.join(import.meta.dirname, '../../models/pp-ocrv6-small-int8/recognizer.onnx');
const HEIGHT = 48;

/** A line image with stripes of this width, as the recognizer takes it. */
function striped(width: number, stripe: number): { input: Float32Array; dims: number[] } {
  const input = Float32Array.from({ length: 3 * HEIGHT * width }, (_, i) =>
    (i % width) % (2 * stripe) < stripe ? 1 : -1,
  );
  return { input, dims: [1, 3, HEIGHT, width] };
}

t.test('an output lasts until the next run of its session', async (t) => {
  const session = await openSession(MODEL);
  const { input, dims } = striped(64, 4);
  const first = await session.run(input, dims);
  t.strictSame(first.dims.slice(0, 2), [1, 8], 'a step every 8 pixels');
  t.equal(first.data.length, 8 * (first.dims[2] ?? 0));
  const kept = first.data.slice();
  const second = await session.run(input, dims);
  t.strictSame(second.data, kept, 'the same input gives the same bytes');
  t.equal(first.data.length, 0, 'the memory of the first was given back');
  t.ok(input.length > 0, 'inputs are the caller’s');
});

t.test('runs that are started together do not disturb each other', async (t) => {
  const session = await openSession(MODEL);
  const lines = [striped(64, 4), striped(96, 8), striped(48, 3)];
  const copyOf = async ({ input, dims }: (typeof lines)[number]) => (await session.run(input, dims)).data.slice();
  const alone: Float32Array[] = [];
  for (const line of lines) alone.push(await copyOf(line));
  t.strictSame(await Promise.all(lines.map(copyOf)), alone);
});

t.test('a file that is no model', async (t) => {
  await t.rejects(openSession(import.meta.filename));
});
