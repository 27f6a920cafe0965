import type { Quad, QuarterTurns } from './page.ts';
import type { RgbImage } from './rgb-image.ts';
import type { Reading } from './text-recognition.ts';

/** Where a line image is cut from: what `cropLine` takes. Image coordinates. */
export interface LinePlace {
  readonly quad: Quad;
  readonly turns: QuarterTurns;
}

/**
 * Others who read line images of a page while the page's own process reads its way through them. A reading is the same
 * to the bit whoever made it, so help changes nothing but the time.
 */
export interface LineHelp {
  /** Says which line images will probably be wanted, in this order. To be called once a page. */
  offer(image: RgbImage, places: readonly LinePlace[]): void;
  /**
   * The reading of a line image if somebody else has made it, or is so near to it that waiting is shorter than reading;
   * undefined: read it yourself. Also for places that were never offered.
   */
  take(place: LinePlace): Promise<Reading | undefined>;
}
