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
  /** In reading direction, spaces included; their texts make up `text`. Only with `ReadOptions.characters`. */
  readonly characters?: readonly Character[];
}

/** One character of a line and where it stands. */
export interface Character {
  readonly text: string;
  /** Probability at its first time step, 0..1. */
  readonly confidence: number;
  /** As wide as its ink and as high as its line, oriented like it, in image coordinates; see `character-quads.ts`. */
  readonly quad: Quad;
}

/** The upright picture as a file that other documents can hold. */
export interface Picture {
  /** A baseline jpg, 8-bit grey or colour, that has to be shown as it is (no EXIF orientation). */
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Which models read a page. */
export interface ModelIdentity {
  readonly name: string;
  /** Changes whenever a file of the pack does. */
  readonly version: string;
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
  /** Absent where the models came from no pack (tests). */
  readonly model?: ModelIdentity;
  /** Only with `ReadOptions.picture`. */
  readonly picture?: Picture;
  /** Only with `ReadOptions.page`. */
  readonly pageCount?: number;
  /** Where its lines come from. */
  readonly textFrom: TextFrom;
}

/** `picture`: read in the picture. `layer`: the text layer of a PDF, which the drawn page agrees with. */
export type TextFrom = 'picture' | 'layer';

/** `auto` takes the text layer of a PDF page where the drawn page agrees with it; `off` reads the picture. */
export type TextLayerUse = 'auto' | 'off';

/** A rectangle in whole pixels of the upright image. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * `auto` finds out how the text of a page is turned (by quarters): lines that read badly are read the other way round as
 * well. `off` takes the page as upright: lines read to the right, tall ones downwards.
 */
export type Orientation = 'auto' | 'off';

/** What a caller may choose for one page. */
export interface ReadOptions {
  /** Longest side of the image in pixels; larger images are refused before decoding. */
  readonly maxSide: number;
  /** Reads this part of the image only, as if there were nothing around it. Coordinates stay those of the whole image. */
  readonly region?: Region;
  /** `auto` if absent. */
  readonly orientation?: Orientation;
  /** Finds every character's place as well. */
  readonly characters?: boolean;
  /**
   * Reads this page (from 1) of a file of any format, WebP, TIFF, GIF, AVIF and PDF among them. Absent: the file must be
   * of a format of the contract, jpg, png or bmp.
   */
  readonly page?: number;
  /** `auto` if absent; changes nothing but with `page`. */
  readonly textLayer?: TextLayerUse;
  /** Gives the upright picture back as well. */
  readonly picture?: boolean;
}
