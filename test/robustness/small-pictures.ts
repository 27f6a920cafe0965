import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';

/** Parts of the sample, and what stands in them. */
const WORDS = [
  { text: 'General', area: { left: 174, top: 0, width: 103, height: 48 } },
  { text: '2026-0815', area: { left: 96, top: 48, width: 112, height: 44 } },
] as const;

/** What is to be read in the picture of a number. */
export const wordOf = (index: number): string => WORDS[index % WORDS.length].text;

export const nameOf = (index: number): string => `${String(index).padStart(7, '0')}.png`;

/** Writes `count` pictures of about 100 x 40 pixels, a word in each, into a folder that is made. */
export async function writeSmallPictures(folder: string, count: number): Promise<void> {
  const sample = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');
  const pictures = await Promise.all(WORDS.map(({ area }) => sharp(sample).extract(area).png().toBuffer()));
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    writeFileSync(path.join(folder, nameOf(index)), pictures[index % pictures.length]);
  }
}
