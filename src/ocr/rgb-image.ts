/** An upright picture in memory: packed RGB (3 bytes a pixel, no padding), rows from top to bottom. */
export interface RgbImage {
  readonly data: Uint8Array;
  /** Pixels, at least 1. */
  readonly width: number;
  readonly height: number;
}
