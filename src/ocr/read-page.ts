import type { DbParameters } from './db-postprocess.ts';
import { decodeImage } from './decode-image.ts';
import { growQuad, quadSize, turnQuad } from './geometry.ts';
import { isSideways, lineCandidates } from './line-candidates.ts';
import { countConvincing, isText } from './line-filter.ts';
import { readLines, type ReadLine } from './line-reading.ts';
import { openModelPack } from './model-pack.ts';
import type { Page, Quad, ReadOptions } from './page.ts';
import { orderLines } from './reading-order.ts';
import { openSession, type Session } from './session.ts';
import { detectText } from './text-detection.ts';

/** Loaded models with what is needed to use them. */
export interface Models {
  readonly detector: Session;
  readonly recognizer: Session;
  readonly charset: readonly string[];
  readonly detection: DbParameters;
}

/**
 * Loads a model pack for one CPU thread.
 *
 * @throws {ModelPackError} the pack is unknown, incomplete or damaged
 */
export async function loadModels(options: { modelsDir: string; modelPack: string }): Promise<Models> {
  const pack = await openModelPack(options.modelsDir, options.modelPack);
  const [detector, recognizer] = await Promise.all([openSession(pack.detectorPath), openSession(pack.recognizerPath)]);
  return { detector, recognizer, charset: pack.charset, detection: pack.detector };
}

/**
 * Reads all text in an image file: the whole pipeline.
 *
 * @param file an encoded jpg, png or bmp
 * @returns lines in reading order, coordinates in the upright image
 * @throws {OcrError} UNSUPPORTED_FORMAT, INVALID_IMAGE or IMAGE_TOO_LARGE
 */
export async function readPage(file: Uint8Array, options: ReadOptions, models: Models): Promise<Page> {
  const start = performance.now();
  const image = await decodeImage(file, { maxSide: options.maxSide });
  const decoded = performance.now();
  const { regions, megapixels } = await detectText(image, models.detector, models.detection);
  const detected = performance.now();
  const candidates = lineCandidates(image, regions, isSideways(regions));
  const { lines, recognizerWidth } = await readLines(image, candidates, models.recognizer, models.charset);
  const convincing = countConvincing(lines);
  const accepted = lines.filter((line) => isText(line, convincing, image.width, image.height));
  const ordered = orderLines(accepted.map(toOrderable));
  const end = performance.now();
  return {
    width: image.width,
    height: image.height,
    lines: ordered.map(({ text, confidence, quad }) => ({ text, confidence, quad })),
    timings: {
      decodeMs: decoded - start,
      detectMs: detected - decoded,
      recognizeMs: end - detected,
      totalMs: end - start,
    },
    cost: { detectorMegapixels: megapixels, recognizerWidth },
  };
}

function toOrderable(line: ReadLine) {
  const { text, confidence } = line.reading;
  const quad = turnQuad(outputQuad(line), line.turns);
  return { text, confidence, quad, turns: line.turns, weight: [...text].length * confidence };
}

/** Width that a thin glyph such as "1" or "|" gets at least, in line heights: its cell, not only its stroke. */
const THIN_GLYPH_WIDTH = 0.45;

/** The ink-tight quad; a single thin character is widened to its cell. */
function outputQuad({ tight, reading, turns }: ReadLine): Quad {
  if ([...reading.text.trim()].length !== 1) return tight;
  const { width, height } = quadSize(tight);
  const along = turns % 2 === 0;
  const missing = along ? THIN_GLYPH_WIDTH * height - width : THIN_GLYPH_WIDTH * width - height;
  if (missing <= 0) return tight;
  return along ? growQuad(tight, missing / 2, 0) : growQuad(tight, 0, missing / 2);
}
