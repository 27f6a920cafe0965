import type { DbParameters } from './db-postprocess.ts';
import { giveBack } from '../give-back.ts';
import { characterQuads } from './character-quads.ts';
import { decodeFile } from './decode-file.ts';
import { decodeImage } from './decode-image.ts';
import { encodePicture } from './encode-picture.ts';
import { evenLight } from './even-light.ts';
import { growQuad, quadSize, translateQuad, turnQuad } from './geometry.ts';
import { withStrokes } from './ink-box.ts';
import { isSideways, lineCandidates } from './line-candidates.ts';
import { countConvincing, isText } from './line-filter.ts';
import type { LineHelp } from './line-help.ts';
import { readLines, type ReadLine } from './line-reading.ts';
import { placeMarks } from './mark-places.ts';
import { openModelPack } from './model-pack.ts';
import type { Character, Line, ModelIdentity, Page, Quad, ReadCost, ReadOptions } from './page.ts';
import type { PdfText } from './pdf-text.ts';
import { orderLines } from './reading-order.ts';
import { cropRegion } from './region.ts';
import type { RgbImage } from './rgb-image.ts';
import { openSession, type Session } from './session.ts';
import { removeSpecks } from './specks.ts';
import { detectText, type TextRegion } from './text-detection.ts';
import { layerLines, toPageLine, type LayerLine } from './text-layer.ts';
import { proveLayer, unknownRegions } from './text-layer-proof.ts';

/** Loaded models with what is needed to use them. */
export interface Models {
  readonly detector: Session;
  readonly recognizer: Session;
  readonly charset: readonly string[];
  readonly detection: DbParameters;
  readonly identity?: ModelIdentity;
}

/**
 * Loads a model pack for one CPU thread.
 *
 * @throws {ModelPackError} the pack is unknown, incomplete or damaged
 */
export async function loadModels(options: { modelsDir: string; modelPack: string }): Promise<Models> {
  const pack = await openModelPack(options.modelsDir, options.modelPack);
  const [detector, recognizer] = await Promise.all([openSession(pack.detectorPath), openSession(pack.recognizerPath)]);
  return {
    detector,
    recognizer,
    charset: pack.charset,
    detection: pack.detector,
    identity: { name: pack.name, version: pack.version },
  };
}

/**
 * Loads the detector for two CPU threads, to be put in the place of `Models.detector` while a second core has nothing to do.
 *
 * @throws {ModelPackError} as `loadModels`
 */
export async function loadTwoThreadedDetector(options: { modelsDir: string; modelPack: string }): Promise<Session> {
  const pack = await openModelPack(options.modelsDir, options.modelPack);
  return openSession(pack.detectorPath, 2);
}

/**
 * Reads all text in an image file: the whole pipeline.
 *
 * @param file an encoded jpg, png or bmp; with `options.page` other formats as well
 * @param help others who read some of its lines at the same time
 * @returns lines in reading order, coordinates in the upright image
 * @throws {OcrError} UNSUPPORTED_FORMAT, INVALID_IMAGE or IMAGE_TOO_LARGE; INVALID_REQUEST for a region outside the image
 */
export async function readPage(file: Uint8Array, options: ReadOptions, models: Models, help?: LineHelp): Promise<Page> {
  const start = performance.now();
  const { image: whole, pageCount, text } = await decode(file, options);
  const { image: asTaken, left, top } = cropRegion(whole, options.region);
  const image = evenLight(asTaken);
  const picture = options.picture === true ? await encodePicture(whole, file) : undefined;
  const decoded = performance.now();
  const layer = text && layerLines(text, { left, top, width: image.width, height: image.height });
  const found = await readImage(image, layer, options, models, help);
  // Up to 50 MB each.
  for (const { data } of [whole, asTaken, image]) giveBack(data);
  const end = performance.now();
  const { lines, textFrom, detectMs, cost } = found;
  return {
    width: whole.width,
    height: whole.height,
    lines: left === 0 && top === 0 ? lines : lines.map((line) => translateLine(line, left, top)),
    timings: {
      decodeMs: decoded - start,
      detectMs,
      recognizeMs: end - decoded - detectMs,
      totalMs: end - start,
    },
    cost,
    textFrom,
    ...(models.identity === undefined ? {} : { model: models.identity }),
    ...(picture === undefined ? {} : { picture }),
    ...(pageCount === undefined ? {} : { pageCount }),
  };
}

/** The formats of the contract are all that is decoded unless a page is asked for. */
async function decode(
  file: Uint8Array,
  { maxSide, page, textLayer }: ReadOptions,
): Promise<{ image: RgbImage; pageCount?: number; text?: PdfText }> {
  return page === undefined
    ? { image: await decodeImage(file, { maxSide }) }
    : decodeFile(file, { maxSide, page, textLayer: textLayer !== 'off' });
}

interface ImageText extends Pick<Page, 'lines' | 'textFrom' | 'cost'> {
  readonly detectMs: number;
}

/** What stands in an image: as a text layer says if the image agrees with it, else as it is read. */
async function readImage(
  image: RgbImage,
  layer: readonly LayerLine[] | undefined,
  options: ReadOptions,
  models: Models,
  help: LineHelp | undefined,
): Promise<ImageText> {
  const { detector, detection, recognizer, charset } = models;
  const orientation = options.orientation ?? 'auto';
  const proof = layer && (await proveLayer(image, layer, recognizer, charset));
  const fromLayer = (lines: readonly LayerLine[], detectMs: number, cost: ReadCost): ImageText => ({
    lines: orderLayer(lines, options.characters === true),
    textFrom: 'layer',
    detectMs,
    cost,
  });
  let recognizerWidth = proof?.recognizerWidth ?? 0;
  if (layer && proof?.agrees && !proof.moreInk) return fromLayer(layer, 0, { detectorMegapixels: 0, recognizerWidth });
  const detecting = performance.now();
  const { regions, megapixels } = await detectText(image, detector, detection);
  const detectMs = performance.now() - detecting;
  const read = async (some: readonly TextRegion[], helped?: LineHelp): Promise<ReadLine[]> => {
    const candidates = lineCandidates(image, some, orientation === 'auto' && isSideways(some));
    const result = await readLines(image, candidates, recognizer, charset, orientation, helped);
    recognizerWidth += result.recognizerWidth;
    const lines = placeMarks(removeSpecks(result.lines));
    const convincing = countConvincing(lines);
    return lines.filter((line) => isText(line, convincing, image.width, image.height));
  };
  if (layer && proof?.agrees && (await read(unknownRegions(regions, layer))).length === 0) {
    return fromLayer(layer, detectMs, { detectorMegapixels: megapixels, recognizerWidth });
  }
  const ordered = orderLines((await read(regions, help)).map(toOrderable));
  return {
    lines: ordered.map((line) => toLine(line, image, options.characters === true)),
    textFrom: 'picture',
    detectMs,
    cost: { detectorMegapixels: megapixels, recognizerWidth },
  };
}

function orderLayer(lines: readonly LayerLine[], withCharacters: boolean): Line[] {
  const orderable = lines.map((layerLine) => {
    const line = toPageLine(layerLine, withCharacters);
    return { ...line, turns: layerLine.turns, weight: [...line.text].length, line };
  });
  return orderLines(orderable).map(({ line }) => line);
}

function toOrderable(line: ReadLine) {
  const { text, confidence } = line.reading;
  const quad = turnQuad(outputQuad(line), line.turns);
  return { text, confidence, quad, turns: line.turns, weight: [...text].length * confidence, line };
}

function toLine(
  { text, confidence, quad, line }: ReturnType<typeof toOrderable>,
  image: RgbImage,
  withCharacters: boolean,
): Line {
  if (!withCharacters) return { text, confidence, quad };
  const quads = characterQuads(image, line, quad);
  const characters = line.reading.characters.map(({ character, probability }, i): Character => ({
    text: character,
    confidence: probability,
    quad: quads[i] ?? quad,
  }));
  return { text, confidence, quad, characters };
}

function translateLine(line: Line, dx: number, dy: number): Line {
  const moved = { ...line, quad: translateQuad(line.quad, dx, dy) };
  if (line.characters === undefined) return moved;
  return { ...moved, characters: line.characters.map((one) => ({ ...one, quad: translateQuad(one.quad, dx, dy) })) };
}

/** Width that a thin glyph such as "1" or "|" gets at least, in line heights: its cell, not only its stroke. */
const THIN_GLYPH_WIDTH = 0.45;

/** The quad around all ink of a line; a single thin character is widened to its cell. */
function outputQuad({ tight, split, region, reading, turns }: ReadLine): Quad {
  const ink = split ? tight : withStrokes(tight, region.strokes, region.kernel);
  if ([...reading.text.trim()].length !== 1) return ink;
  const { width, height } = quadSize(ink);
  const along = turns % 2 === 0;
  const missing = along ? THIN_GLYPH_WIDTH * height - width : THIN_GLYPH_WIDTH * width - height;
  if (missing <= 0) return ink;
  return along ? growQuad(ink, missing / 2, 0) : growQuad(ink, 0, missing / 2);
}
