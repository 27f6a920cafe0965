/** A position in image coordinates unless a docstring says otherwise: pixels, x to the right, y down, pixel edges at whole numbers. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Four corners, clockwise from the top-left corner of the text in its reading orientation. */
export type Quad = readonly [Point, Point, Point, Point];

/** Quarter turns (clockwise, as seen in the image) that take upright text to this line: 0 upright, 1 reads downwards, 2 upside down, 3 reads upwards. */
export type QuarterTurns = 0 | 1 | 2 | 3;

/** One recognised unit of text. */
export interface Line {
  readonly text: string;
  /** Mean probability of the decoded characters, 0..1. */
  readonly confidence: number;
  /** Tight around the ink, in coordinates of the upright image (EXIF orientation applied). */
  readonly quad: Quad;
}

/** Wall-clock milliseconds spent in each stage of one page. */
export interface StageTimings {
  readonly decodeMs: number;
  readonly detectMs: number;
  readonly recognizeMs: number;
  readonly totalMs: number;
}

/** Model work done for one page: what the page costs on any machine, unlike the timings. */
export interface ReadCost {
  /** Input pixels given to the detector, in millions, summed over passes. */
  readonly detectorMegapixels: number;
  /** Width in pixels of all 48-pixel-high line images given to the recognizer, second readings included. */
  readonly recognizerWidth: number;
}

/** Everything read from one image. `width` and `height` are those of the upright image. */
export interface Page {
  readonly width: number;
  readonly height: number;
  /** In reading order. */
  readonly lines: readonly Line[];
  readonly timings: StageTimings;
  readonly cost: ReadCost;
}

/** What a caller may choose for one page. */
export interface ReadOptions {
  /** Longest side of the image in pixels; larger images are refused before decoding. */
  readonly maxSide: number;
}
