import t from 'tap';
import { toModelInput } from '../../src/ocr/model-input.ts';

t.test('planes B, G, R of -1..1', async (t) => {
  const input = toModelInput({ data: Uint8Array.from([255, 51, 0, 204, 0, 255]), width: 1, height: 2 });
  const rounded = Array.from(input, (value) => Math.round(value * 1000) / 1000);
  t.strictSame(rounded, [-1, 1, -0.6, -1, 1, 0.6]);
});
