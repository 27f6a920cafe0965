import { giveBack } from '../give-back.ts';
import { findKernels, type DbParameters } from './db-postprocess.ts';
import { boundingBox, growQuad, overlapOfSmaller, quadSize, scaleQuad, translateQuad } from './geometry.ts';
import { tightenToInk, type Strokes } from './ink-box.ts';
import { median } from './median.ts';
import { toModelInput } from './model-input.ts';
import type { Quad } from './page.ts';
import { cropImage, resizeImage } from './resize.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Session } from './session.ts';

/** A place where the detector sees text; all quads in image coordinates. */
export interface TextRegion {
  /** Shrunken DB kernel. */
  readonly kernel: Quad;
  /** DB's own box: the kernel grown by the unclip distance. */
  readonly loose: Quad;
  /** Tight around the ink, or half-way between kernel and loose box where there was no ink to measure. */
  readonly tight: Quad;
  /** How far single strokes go on beyond `tight`: what `withStrokes` takes. */
  readonly strokes: Strokes;
  /** Whether ink was measured. */
  readonly hasInk: boolean;
  /** Box score of DB, 0..1. */
  readonly score: number;
}

/** Text regions and what finding them cost. */
export interface DetectionResult {
  readonly regions: readonly TextRegion[];
  /** Input pixels given to the detector, in millions, summed over passes. */
  readonly megapixels: number;
}

/** Longest side of the detector's input. Text of 7 to 60 px height in this frame is found to 93-100 %. */
const DETECTION_SIDE = 960;
/** Small images are enlarged at most this much. */
const MAX_ENLARGEMENT = 2;
/** With so few regions on a page that fills the frame, text may have been too large for the detector: look again, smaller. */
const FEW_REGIONS = 3;
const FEW_REGIONS_MIN_SIDE = 700;
const LARGE_TEXT_SCALE = 0.667;
/** Text thinner than this in the detector's frame is looked at again at about `SMALL_TEXT_TARGET` px height. */
const SMALL_TEXT = 7.5;
const SMALL_TEXT_TARGET = 14;
const SMALL_TEXT_MAX_MEGAPIXELS = 3;
/** A second look must enlarge by at least this much to be worth it. */
const SMALL_TEXT_MIN_GAIN = 1.25;
/** The detector halves its input five times. */
const SIDE_STEP = 32;

/** Finds text in an image, with a second look where the first one shows that its scale was wrong. */
export async function detectText(
  image: RgbImage,
  session: Session,
  parameters: DbParameters,
): Promise<DetectionResult> {
  const longest = Math.max(image.width, image.height);
  const scale = Math.min(DETECTION_SIDE / longest, MAX_ENLARGEMENT);
  const first = await detectAtScale(image, scale, session, parameters);
  let regions = first.regions;
  let megapixels = first.megapixels;
  if (regions.length <= FEW_REGIONS && longest * scale > FEW_REGIONS_MIN_SIDE) {
    const smaller = await detectAtScale(image, scale * LARGE_TEXT_SCALE, session, parameters);
    megapixels += smaller.megapixels;
    regions = addMissing(regions, smaller.regions);
  }
  const closer = await lookCloser(image, regions, scale, session, parameters);
  return { regions: closer.regions, megapixels: megapixels + closer.megapixels };
}

async function detectAtScale(
  image: RgbImage,
  scale: number,
  session: Session,
  parameters: DbParameters,
): Promise<DetectionResult> {
  const width = roundSide(image.width * scale);
  const height = roundSide(image.height * scale);
  const input = toModelInput(resizeImage(image, width, height));
  const output = await session.run(input, [1, 3, height, width]);
  giveBack(input);
  const scaleX = image.width / width;
  const scaleY = image.height / height;
  const regions = findKernels({ data: output.data, width, height }, parameters).map((found): TextRegion => {
    const kernel = scaleQuad(found.quad, scaleX, scaleY);
    const distance = (found.unclipDistance * (scaleX + scaleY)) / 2;
    const ink = tightenToInk(image, kernel, distance);
    return {
      kernel,
      loose: growQuad(kernel, distance, distance),
      tight: ink?.tight ?? growQuad(kernel, distance / 2, distance / 2),
      strokes: ink?.strokes ?? [0, 0],
      hasInk: ink !== undefined,
      score: found.score,
    };
  });
  return { regions, megapixels: (width * height) / 1e6 };
}

/** Where at least two regions and a tenth of them are very small text, that part of the image is detected again, enlarged. */
async function lookCloser(
  image: RgbImage,
  regions: readonly TextRegion[],
  scale: number,
  session: Session,
  parameters: DbParameters,
): Promise<DetectionResult> {
  const heightOf = (region: TextRegion): number => {
    const size = quadSize(region.tight);
    return Math.min(size.width, size.height) * scale;
  };
  const small = regions.filter((region) => heightOf(region) < SMALL_TEXT);
  if (small.length < Math.max(2, 0.1 * regions.length)) return { regions, megapixels: 0 };

  const around = boundingBox(small.flatMap((region) => region.loose));
  const margin = 20 / scale;
  const left = Math.max(0, Math.floor(around.left - margin));
  const top = Math.max(0, Math.floor(around.top - margin));
  const width = Math.min(image.width, Math.ceil(around.right + margin)) - left;
  const height = Math.min(image.height, Math.ceil(around.bottom + margin)) - top;
  const closerScale = Math.min(
    (scale * SMALL_TEXT_TARGET) / Math.max(median(small.map(heightOf)), 4),
    MAX_ENLARGEMENT,
    Math.sqrt((SMALL_TEXT_MAX_MEGAPIXELS * 1e6) / (width * height)),
  );
  if (closerScale <= SMALL_TEXT_MIN_GAIN * scale) return { regions, megapixels: 0 };

  const part = cropImage(image, left, top, width, height);
  const closer = await detectAtScale(part, closerScale, session, parameters);
  const kept = regions.filter((region) => heightOf(region) >= SMALL_TEXT);
  const found = closer.regions
    .map((region) => translateRegion(region, left, top))
    .filter((region) => !kept.some((other) => overlapOf(region, other) > 0.5));
  // Small text comes from the closer look; what only the first look saw stays.
  return { regions: [...kept, ...addMissing(found, small)], megapixels: closer.megapixels };
}

/** `base` and those of `more` that do not lie on any of them by more than half. */
function addMissing(base: readonly TextRegion[], more: readonly TextRegion[]): TextRegion[] {
  const all = [...base];
  for (const region of more) {
    if (!all.some((other) => overlapOf(region, other) > 0.5)) all.push(region);
  }
  return all;
}

const overlapOf = (a: TextRegion, b: TextRegion): number =>
  overlapOfSmaller(boundingBox(a.tight), boundingBox(b.tight));

const translateRegion = (region: TextRegion, dx: number, dy: number): TextRegion => ({
  ...region,
  kernel: translateQuad(region.kernel, dx, dy),
  loose: translateQuad(region.loose, dx, dy),
  tight: translateQuad(region.tight, dx, dy),
});

const roundSide = (side: number): number => Math.max(SIDE_STEP, Math.round(side / SIDE_STEP) * SIDE_STEP);
