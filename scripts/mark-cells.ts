/**
 * Writes the cells of marks in a labelled set, as `src/ocr/mark-judge.ts` sees them, for models/marks/train.py:
 *
 *   node scripts/mark-cells.ts LABELS.json CELLS.json
 *
 * Lines are cut out where the labels say, with a margin that varies as that of detected lines does.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeCtc } from '../src/ocr/ctc.ts';
import { refineMarks } from '../src/ocr/ctc-marks.ts';
import { decodeImage } from '../src/ocr/decode-image.ts';
import { evenLight } from '../src/ocr/even-light.ts';
import { growQuad, quadSize } from '../src/ocr/geometry.ts';
import { cropLine, LINE_HEIGHT } from '../src/ocr/line-crop.ts';
import { markCells } from '../src/ocr/mark-cells.ts';
import { toModelInput } from '../src/ocr/model-input.ts';
import type { Point, Quad } from '../src/ocr/page.ts';
import { loadModels } from '../src/ocr/read-page.ts';

interface Labels {
  readonly images: readonly {
    readonly file: string;
    readonly lines: readonly { readonly text: string; readonly quad: readonly (readonly [number, number])[] }[];
  }[];
}

/** Lines shorter than this do not show their pitch. */
const SHORTEST = 4;
/** Margin in text heights, and how far it varies. */
const MARGIN = 0.3;
const VARIATION = 0.05;

const [labelsFile, outFile] = process.argv.slice(2);
if (labelsFile === undefined || outFile === undefined) {
  process.stderr.write('usage: node scripts/mark-cells.ts LABELS.json CELLS.json\n');
  process.exit(2);
}
const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const { recognizer, charset } = await loadModels({ modelsDir, modelPack: 'pp-ocrv6-small-int8' });
const labels = JSON.parse(await readFile(labelsFile, 'utf8')) as Labels;
const cells: unknown[] = [];
let seed = 1;
/** Park and Miller's minimal standard generator (1988), -1..1. */
const vary = (): number => (2 * (seed = (seed * 48271) % 2147483647)) / 2147483647 - 1;
for (const { file, lines } of labels.images) {
  const bytes = await readFile(path.join(path.dirname(labelsFile), 'images', file));
  const image = evenLight(await decodeImage(bytes, { maxSide: 8192 }));
  for (const { text, quad } of lines) {
    if (text.length < SHORTEST) continue;
    const [a, b, c, d] = quad.map(([x, y]): Point => ({ x, y }));
    if (a === undefined || b === undefined || c === undefined || d === undefined) continue;
    const tight: Quad = [a, b, c, d];
    const { height } = quadSize(tight);
    const margin = (): number => (MARGIN + VARIATION * vary()) * height;
    const line = cropLine(image, growQuad(tight, margin(), margin()), 0);
    const output = await recognizer.run(toModelInput(line), [1, 3, LINE_HEIGHT, line.width]);
    const characters = refineMarks(decodeCtc(output, charset), output, charset);
    const found = markCells(characters, output, charset, line).map(({ index, values }) => ({
      index,
      values: [...values],
    }));
    cells.push({ text, read: characters.map(({ character }) => character), cells: found });
  }
}
await writeFile(outFile, JSON.stringify(cells));
process.stdout.write(`${cells.length} lines\n`);
