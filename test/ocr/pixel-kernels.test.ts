import { readFile } from 'node:fs/promises';
import t from 'tap';
import { pixelsModule } from '../../scripts/pixel-kernels.ts';
import { measureInk } from '../../src/ocr/ink-map.ts';
import { toModelInput } from '../../src/ocr/model-input.ts';
import { kernels, memory, putRow, reserve } from '../../src/ocr/pixel-kernels.ts';
import { picture } from './opencv/reference.ts';

t.test('the compiled kernels are those of the source', async (t) => {
  t.equal(await readFile(new URL('../../src/ocr/pixels-wasm.ts', import.meta.url), 'utf8'), await pixelsModule());
});

t.test('buffers do not overlap and fit the memory', async (t) => {
  const sizes = [5, 0, 3_000_000, 17] as const;
  const addresses = reserve(sizes);
  addresses.forEach((address, i) => {
    t.equal(address % 16, 0);
    t.ok(address + sizes[i] <= (addresses[i + 1] ?? memory.length), `buffer ${i}`);
  });
});

t.test('a row with its border repeated', async (t) => {
  const image = {
    data: Uint8Array.from([0, 0, 0, 1, 1, 1, 2, 2, 2, 10, 10, 10, 11, 11, 11, 12, 12, 12]),
    width: 3,
    height: 2,
  };
  const reds = (row: number, from: number, to: number): number[] => {
    const [address] = reserve([3 * (to - from)]);
    putRow(image, row, from, to, address);
    return [...memory.subarray(address, address + 3 * (to - from))].filter((_, i) => i % 3 === 0);
  };
  t.strictSame(reds(1, 0, 3), [10, 11, 12], 'all of it');
  t.strictSame(reds(-4, 1, 2), [1], 'above');
  t.strictSame(reds(9, -2, 5), [10, 10, 10, 11, 12, 12, 12], 'below, and beyond both ends');
  t.strictSame(reds(0, -5, -2), [0, 0, 0], 'left of the image');
  t.strictSame(reds(0, 7, 9), [2, 2], 'right of it');
});

t.test('every level becomes what it was trained as, to the bit', async (t) => {
  const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const expected = Float32Array.from({ length: 256 * 3 }, (_, i) => (i % 256) / 127.5 - 1);
  t.strictSame(toModelInput({ data, width: 64, height: 4 }), expected);
});

// Widths around the 16 bytes of a vector, and more rows than a byte can count.
for (const [width, height] of [
  [15, 9],
  [16, 300],
  [33, 20],
  [50, 12],
] as const) {
  t.test(`counts and differences of ${width} x ${height} pixels, as a plain loop has them`, async (t) => {
    const crop = picture({ seed: width, radius: 1, width, height });
    const { data } = crop;
    const background = [0, 1, 2].map((channel) => {
      const levels = data.filter((_, i) => i % 3 === channel).toSorted();
      return levels[Math.ceil(levels.length / 2) - 1];
    });
    const expected = Array.from({ length: width * height }, (_, p) =>
      Math.max(...background.map((level, channel) => Math.abs(data[3 * p + channel] - level))),
    );
    const ink = measureInk(crop);
    if (width <= 4 * height) t.strictSame([...ink.data], expected, 'ink of one block');

    const level = 40;
    const isInk = (x: number, y: number): boolean => ink.data[y * width + x] > level;
    const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    const [source, counts] = reserve([ink.data.length, 4 * Math.max(width, height)]);
    memory.set(ink.data, source);
    kernels.countInRows(source, width, height, 2, width - 1, level, counts);
    t.strictSame(
      [...new Uint32Array(memory.buffer, counts, height)],
      range(0, height).map((y) => range(2, width - 1).filter((x) => isInk(x, y)).length),
      'in rows',
    );
    kernels.countInColumns(source, width, 1, height, level, counts);
    t.strictSame(
      [...new Uint32Array(memory.buffer, counts, width)],
      range(0, width).map((x) => range(1, height).filter((y) => isInk(x, y)).length),
      'in columns',
    );
  });
}
