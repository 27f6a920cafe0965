/**
 * Draws what the service reads in a picture onto it, numbered in reading order, and prints the contract's answer:
 *
 *   node scripts/draw-answer.ts docs/images/sample.png docs/images/sample-answer.png
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { toContractLine } from '../src/http/contract-line.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';

const [imageFile, outFile] = process.argv.slice(2);
if (imageFile === undefined || outFile === undefined) {
  process.stderr.write('usage: node scripts/draw-answer.ts IMAGE OUT.png\n');
  process.exit(2);
}
const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
const bytes = await readFile(imageFile);
const page = await readPage(
  bytes,
  { maxSide: 4096 },
  await loadModels({ modelsDir, modelPack: 'pp-ocrv6-small-int8' }),
);
const shapes = page.lines.map(({ quad }, i) => {
  const points = quad.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const [{ x, y }] = quad;
  return (
    `<polygon points="${points}" fill="#e0245e22" stroke="#e0245e" stroke-width="2"/>` +
    `<text x="${x + 1}" y="${y - 4}" font-family="sans-serif" font-size="15" font-weight="bold" fill="#e0245e">${i + 1}</text>`
  );
});
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${page.width}" height="${page.height}">${shapes.join('')}</svg>`;
// The pipeline allows no loader but JPEG and PNG in its process; the drawing is SVG and our own.
sharp.unblock({ operation: ['VipsForeignLoadSvg'] });
await sharp(bytes)
  .rotate()
  .composite([{ input: Buffer.from(svg) }])
  .png({ palette: true })
  .toFile(outFile);
const answer = page.lines.map((line) => JSON.stringify(toContractLine(line, page)));
process.stdout.write(`[${answer.join(',\n ')}]\n`);
