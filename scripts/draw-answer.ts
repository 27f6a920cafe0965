/**
 * Draws what the service reads in a picture onto it, numbered in reading order, and prints the contract's answer:
 *
 *   node scripts/draw-answer.ts docs/images/sample.png docs/images/sample-answer.png
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { toContractLine } from '../src/http/contract-line.ts';
import type { Page } from '../src/ocr/page.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';

/** The contract's answer as JSON, a line of it for each line of text. */
export const answerOf = (page: Page): string =>
  `[${page.lines.map((line) => JSON.stringify(toContractLine(line, page))).join(',\n ')}]`;

/** Characters beyond ASCII as JSON escapes: EXIF has no other encoding for a description. */
const inAscii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The answer that a drawing carries; undefined for any other picture. */
export async function answerIn(drawing: Buffer): Promise<string | undefined> {
  const { exif } = await sharp(drawing).metadata();
  return /\[\{.*\}\]/.exec(exif?.toString('latin1') ?? '')?.[0];
}

/** The picture with its lines outlined, as PNG that carries the answer as its description, and the page. */
export async function drawAnswer(picture: Buffer): Promise<{ drawing: Buffer; page: Page }> {
  const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
  const page = await readPage(
    picture,
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
  const drawing = await sharp(picture)
    .rotate()
    .composite([{ input: Buffer.from(svg) }])
    .withExif({ IFD0: { ImageDescription: inAscii(answerOf(page).replaceAll('\n', '')) } })
    .png({ palette: true })
    .toBuffer();
  return { drawing, page };
}

if (import.meta.main) {
  const [imageFile, outFile] = process.argv.slice(2);
  if (imageFile === undefined || outFile === undefined) {
    process.stderr.write('usage: node scripts/draw-answer.ts IMAGE OUT.png\n');
    process.exit(2);
  }
  const { drawing, page } = await drawAnswer(await readFile(imageFile));
  await writeFile(outFile, drawing);
  process.stdout.write(`${answerOf(page)}\n`);
}
