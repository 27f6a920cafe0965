import type { Box } from '../../src/ocr/geometry.ts';
import type { QuarterTurns } from '../../src/ocr/page.ts';
import type { RgbImage } from '../../src/ocr/rgb-image.ts';
import type { Session } from '../../src/ocr/session.ts';

/**
 * Models that really look at their input, for a script of two letters: a broad cap with a stem under it, narrow for `A`,
 * broad for `B`. Upside down or lying on its side the cap is not on top, so direction can be told, as with real text.
 */
export interface FakeSession extends Session {
  /** Shape of the input of every run so far. */
  readonly runs: (readonly number[])[];
}

/** Blank, the two letters, a space. */
export const FAKE_CHARSET: readonly string[] = ['', 'A', 'B', ' '];

/** Shares of the text height: width of a glyph and of the stems, distance from glyph to glyph, height of the cap. */
const GLYPH = { width: 0.6, A: 0.2, B: 0.4, pitch: 0.9, cap: 0.3 };

export function paper(width: number, height: number, level = 255): RgbImage {
  return { data: new Uint8Array(width * height * 3).fill(level), width, height };
}

/** Paints a box in one grey level; what lies outside the image is left out. */
export function fillBox({ data, width, height }: RgbImage, box: Box, level = 0): void {
  const from = Math.max(0, box.left);
  const to = Math.min(width, box.right);
  for (let y = Math.max(0, box.top); y < Math.min(height, box.bottom); y++) {
    if (from < to) data.fill(level, (y * width + from) * 3, (y * width + to) * 3);
  }
}

/**
 * Writes a line of `A` and `B` whose ink begins at `left`, `top` in the image.
 *
 * @param em height of the text in pixels, best a multiple of 10
 * @param turns quarter turns clockwise that the text is turned by
 * @returns the bounds of its ink
 */
export function drawText(
  image: RgbImage,
  text: string,
  {
    left,
    top,
    em,
    turns = 0,
    level = 0,
  }: { left: number; top: number; em: number; turns?: QuarterTurns; level?: number },
): Box {
  const length = Math.round(((text.length - 1) * GLYPH.pitch + GLYPH.width) * em);
  const [right, bottom] = turns % 2 === 0 ? [left + length, top + em] : [left + em, top + length];
  // A box in the frame of the text, in ems.
  const paint = (u0: number, v0: number, u1: number, v1: number): void => {
    const [a, b, c, d] = [u0, u1, v0, v1].map((share) => Math.round(share * em)) as [number, number, number, number];
    const boxes: readonly Box[] = [
      { left: left + a, right: left + b, top: top + c, bottom: top + d },
      { left: right - d, right: right - c, top: top + a, bottom: top + b },
      { left: right - b, right: right - a, top: bottom - d, bottom: bottom - c },
      { left: left + c, right: left + d, top: bottom - b, bottom: bottom - a },
    ];
    fillBox(image, boxes[turns] as Box, level);
  };
  [...text].forEach((letter, i) => {
    const start = i * GLYPH.pitch;
    const stem = letter === 'A' ? GLYPH.A : GLYPH.B;
    paint(start, 0, start + GLYPH.width, GLYPH.cap);
    paint(start + (GLYPH.width - stem) / 2, GLYPH.cap, start + (GLYPH.width + stem) / 2, 1);
  });
  return { left, top, right, bottom };
}

/** A 24-bit BMP file of the image, bottom row first. */
export function encodeBmp({ data, width, height }: RgbImage): Uint8Array {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + stride * height);
  file.write('BM', 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    const row = 54 + (height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) file[row + x * 3 + c] = data[(y * width + x) * 3 + 2 - c] as number;
    }
  }
  return file;
}

/** Gaps that the fake detector closes and the thickest text that it sees, in pixels of its input. */
const CLOSED_GAP = 32;
const THICKEST_TEXT = 60;

/** Probability 0.9 where its input is dark, with gaps closed along and across, except for text too thick for it. */
export function fakeDetector(): FakeSession {
  const runs: (readonly number[])[] = [];
  return {
    runs,
    async run(input, dims) {
      runs.push(dims);
      const [, , height, width] = dims as [number, number, number, number];
      const data = new Float32Array(width * height);
      const dark = new Uint8Array(width * height);
      // Plain loops inside the bounds of what is dark: this is most of the time of the tests that use it.
      const bounds = { left: width, top: height, right: 0, bottom: 0 };
      for (let i = 0; i < dark.length; i++) {
        if ((input[i] as number) >= 0) continue;
        dark[i] = 1;
        const y = Math.floor(i / width);
        const x = i - y * width;
        bounds.left = Math.min(bounds.left, x);
        bounds.right = Math.max(bounds.right, x + 1);
        bounds.top = Math.min(bounds.top, y);
        bounds.bottom = y + 1;
      }
      const { left, top, right, bottom } = bounds;
      for (let y = top; y < bottom; y++) closeGaps(dark, y * width + left, 1, right - left);
      for (let x = left; x < right; x++) closeGaps(dark, top * width + x, width, bottom - top);
      const across = new Uint16Array(dark.length);
      const down = new Uint16Array(dark.length);
      for (let y = top; y < bottom; y++) runLengths(dark, across, y * width + left, 1, right - left);
      for (let x = left; x < right; x++) runLengths(dark, down, top * width + x, width, bottom - top);
      for (let i = 0; i < data.length; i++) {
        const seen = dark[i] === 1 && Math.min(across[i] as number, down[i] as number) <= THICKEST_TEXT;
        if (seen) data[i] = 0.9;
      }
      return { data, dims: [1, 1, height, width] };
    },
  };
}

function closeGaps(mask: Uint8Array, start: number, step: number, count: number): void {
  let last = -1;
  for (let i = 0; i < count; i++) {
    if (mask[start + i * step] === 0) continue;
    if (last >= 0 && i - last <= CLOSED_GAP) for (let k = last + 1; k < i; k++) mask[start + k * step] = 1;
    last = i;
  }
}

function runLengths(mask: Uint8Array, lengths: Uint16Array, start: number, step: number, count: number): void {
  for (let i = 0; i < count; i++) {
    let end = i;
    while (end < count && mask[start + end * step] === 1) end++;
    for (let k = i; k < end; k++) lengths[start + k * step] = end - i;
    i = end;
  }
}

/** How sure the fake recognizer is of letters that stand upright and of what it makes of anything else. */
export interface FakeConfidence {
  readonly upright: number;
  readonly other: number;
}

/** Reads the letters of `drawText` in a 48 px high line image; anything that is not upright becomes an unsure `A`. */
export function fakeRecognizer(confidence: FakeConfidence = { upright: 0.97, other: 0.4 }): FakeSession {
  const runs: (readonly number[])[] = [];
  return {
    runs,
    async run(input, dims) {
      runs.push(dims);
      const [, , height, width] = dims as [number, number, number, number];
      const isInk = (x: number, y: number): boolean => (input[y * width + x] as number) < 0;
      const steps = Math.ceil(width / 8);
      const classes = FAKE_CHARSET.length;
      const data = new Float32Array(steps * classes);
      for (let step = 0; step < steps; step++) data[step * classes] = 1;
      for (const [from, to] of inkedColumns(isInk, width, height)) {
        const { letter, upright } = identify(isInk, from, to, height);
        const base = Math.floor((from + to) / 16) * classes;
        data.fill(0, base, base + classes);
        data[base + FAKE_CHARSET.indexOf(letter)] = upright ? confidence.upright : confidence.other;
      }
      return { data, dims: [1, steps, classes] };
    },
  };
}

/** Runs of columns that hold ink, as [first, end). */
function inkedColumns(isInk: (x: number, y: number) => boolean, width: number, height: number): [number, number][] {
  const found: [number, number][] = [];
  for (let x = 0; x < width; x++) {
    let inked = false;
    for (let y = 0; y < height && !inked; y++) inked = isInk(x, y);
    const last = found.at(-1);
    if (!inked) continue;
    if (last?.[1] === x) last[1] = x + 1;
    else found.push([x, x + 1]);
  }
  return found;
}

function identify(
  isInk: (x: number, y: number) => boolean,
  from: number,
  to: number,
  height: number,
): { letter: 'A' | 'B'; upright: boolean } {
  const rows = Array.from({ length: height }, (_, y) => {
    let count = 0;
    for (let x = from; x < to; x++) if (isInk(x, y)) count++;
    return count;
  });
  const first = rows.findIndex((count) => count > 0);
  const last = rows.findLastIndex((count) => count > 0);
  const cap = rows[Math.round(first + 0.15 * (last - first))] as number;
  const stem = rows[Math.round(first + 0.8 * (last - first))] as number;
  return { letter: stem > cap / 2 && stem < cap ? 'B' : 'A', upright: cap > 1.2 * stem };
}
