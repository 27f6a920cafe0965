import { readFile } from 'node:fs/promises';
import { SAMPLE_IMAGE_BASE64, SAMPLE_LINES } from '../../src/engine/sample.ts';

/** A small picture with two lines, which an engine process reads in some 100 ms. */
export const SAMPLE = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');

/** What the text format makes of it. */
export const SAMPLE_TEXT = SAMPLE_LINES.map((line) => `${line}\n`).join('');

/** A picture of a card with twelve lines. */
export const CARD = await readFile(new URL('../../docs/images/sample.png', import.meta.url));

/** No picture at all. */
export const BROKEN = Buffer.from('this is not a picture');
