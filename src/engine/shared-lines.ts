import { cropLine, lineWidth } from '../ocr/line-crop.ts';
import type { LineHelp, LinePlace } from '../ocr/line-help.ts';
import type { RgbImage } from '../ocr/rgb-image.ts';
import type { Reading } from '../ocr/text-recognition.ts';
import type { LineImage, LineReading, SharingMessage } from './protocol.ts';

/** Lines that a helper has at least, if there are so many left: one in work, and one so that it need not wait for us. */
const LINES_AHEAD = 2;

interface SharedLine {
  readonly place: LinePlace;
  /** Of its line image in pixels: what reading it costs. */
  readonly width: number;
  /** Process id of the helper that has it. */
  helper?: number;
  reading?: Reading;
}

/**
 * The lines of one page, in the page's own process. It reads them from the first on, as it would alone; processes that
 * have nothing else to do (helpers) are sent line images from the last on, until the two meet. It depends on none of
 * them: a line whose reading has not come when it is wanted is read here.
 *
 * What a helper gets at a time shrinks with what is left (guided self-scheduling, Polychronopoulos and Kuck 1987), so
 * that all end at about the same time.
 */
export class SharedLines implements LineHelp {
  readonly #page: number;
  readonly #send: (message: SharingMessage) => Promise<void>;
  #image: RgbImage | undefined;
  #lines: SharedLine[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #helpers = new Set<number>();
  /** Lines before this one have been wanted by the page, lines from `#end` on have been sent to helpers. */
  #front = 0;
  #end = 0;
  #sending: Promise<unknown> = Promise.resolve();
  #arrived: (() => void) | undefined;
  #ownWork: { readonly startedAt: number; readonly width: number } | undefined;
  #msPerPixel = 0;

  /**
   * @param page id of the page's task
   * @param send to the server process; resolves when the message is on its way
   */
  constructor(page: number, send: (message: SharingMessage) => Promise<void>) {
    this.#page = page;
    this.#send = send;
  }

  offer(image: RgbImage, places: readonly LinePlace[]): void {
    if (places.length < 2) return;
    this.#image = image;
    this.#lines = places.map((place) => ({ place, width: lineWidth(place) }));
    places.forEach((place, index) => this.#indexes.set(keyOf(place), index));
    this.#end = places.length;
    void this.#send({ type: 'help-wanted', page: this.#page });
  }

  async take(place: LinePlace): Promise<Reading | undefined> {
    this.#measure();
    if (this.#lines.length === 0) return undefined;
    // Messages are heard between two runs of a model, and are sent in full only while nothing runs.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#sending;
    const index = this.#indexes.get(keyOf(place)) ?? -1;
    const line = this.#lines[index];
    if (line !== undefined) {
      this.#front = Math.max(this.#front, index + 1);
      if (line.reading === undefined && this.#isInWork(line)) await this.#waitFor(line);
      if (line.reading !== undefined) return line.reading;
    }
    this.#ownWork = { startedAt: performance.now(), width: lineWidth(place) };
    return undefined;
  }

  /** A process has nothing to do and may be sent lines of this page. */
  addHelper(page: number, helper: number): void {
    if (page !== this.#page) return;
    this.#helpers.add(helper);
    this.#supply(helper);
  }

  addReading({ page, index, reading }: LineReading): void {
    const line = this.#lines[index];
    if (page !== this.#page || line === undefined) return;
    const { helper } = line;
    if (reading === undefined) delete line.helper;
    else line.reading = reading;
    this.#arrived?.();
    if (helper !== undefined) this.#supply(helper);
  }

  #supply(helper: number): void {
    let left = 0;
    for (let i = this.#front; i < this.#end; i++) left += this.#lines[i].width;
    const enough = left / (2 * (this.#helpers.size + 1));
    const pending = this.#pendingOf(helper);
    let count = pending.length;
    let width = pending.reduce((sum, line) => sum + line.width, 0);
    // The next line is our own.
    while (this.#end - 1 > this.#front && (count < LINES_AHEAD || width < enough)) {
      this.#end -= 1;
      const line = this.#lines[this.#end];
      line.helper = helper;
      count += 1;
      width += line.width;
      this.#sending = this.#send(this.#lineImage(this.#end, helper));
    }
  }

  #lineImage(index: number, helper: number): LineImage {
    if (this.#image === undefined) throw new Error('no lines were offered');
    const { quad, turns } = this.#lines[index].place;
    return { type: 'line', page: this.#page, helper, index, image: cropLine(this.#image, quad, turns) };
  }

  #pendingOf(helper: number): SharedLine[] {
    return this.#lines.filter((line) => line.helper === helper && line.reading === undefined);
  }

  /** Helpers begin with what they were sent first, so one that has nothing else left is reading this line now. */
  #isInWork({ helper }: SharedLine): boolean {
    return helper !== undefined && this.#pendingOf(helper).length === 1;
  }

  /** Waits for as long as reading the line here would take: with a helper that is gone it takes twice as long, never more. */
  async #waitFor(line: SharedLine): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, line.width * this.#msPerPixel);
      this.#arrived = () => {
        if (line.reading === undefined && line.helper !== undefined) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#arrived = undefined;
  }

  #measure(): void {
    if (this.#ownWork === undefined) return;
    this.#msPerPixel = (performance.now() - this.#ownWork.startedAt) / this.#ownWork.width;
    this.#ownWork = undefined;
  }
}

/** Coordinates come out of the same computation on the same numbers, so that equal places are equal to the bit. */
const keyOf = ({ quad, turns }: LinePlace): string => `${turns} ${quad.map(({ x, y }) => `${x},${y}`).join(' ')}`;
