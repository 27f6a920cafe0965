/**
 * Reads a labelled set in this process, without HTTP, and writes the predictions for a scorer:
 *
 *   node bench/evaluate.ts LABELS.json OUT.json [PACK]
 *
 * Prints what the reading cost: time by stage, detector megapixels and recognizer width (which, unlike time, do not depend on the machine).
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { toContractLine } from '../src/http/contract-line.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';

const [labelsFile, outFile, modelPack = 'pp-ocrv6-small-int8'] = process.argv.slice(2);
if (labelsFile === undefined || outFile === undefined) {
  console.error('usage: node bench/evaluate.ts LABELS.json OUT.json [PACK]');
  process.exit(2);
}
const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const labels = JSON.parse(await readFile(labelsFile, 'utf8')) as { images: { file: string }[] };
const folder = path.dirname(labelsFile);
const models = await loadModels({ modelsDir, modelPack });
const predictions: Record<string, unknown> = {};
const sums = { decodeMs: 0, detectMs: 0, recognizeMs: 0, totalMs: 0, detectorMegapixels: 0, recognizerWidth: 0 };
let failed = 0;
for (const { file } of labels.images) {
  const inside = path.join(folder, 'images', file);
  try {
    const bytes = await readFile(existsSync(inside) ? inside : path.join(folder, file));
    const page = await readPage(bytes, { maxSide: 8192 }, models);
    predictions[file] = page.lines.map((line) => toContractLine(line, page));
    for (const [name, value] of Object.entries({ ...page.timings, ...page.cost }))
      sums[name as keyof typeof sums] += value;
  } catch (error) {
    failed++;
    predictions[file] = null;
    console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
await writeFile(outFile, JSON.stringify(predictions));
const rounded = Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, Math.round(value * 10) / 10]));
console.log(JSON.stringify({ images: labels.images.length, failed, ...rounded }));
