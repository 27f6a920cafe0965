import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { notBase64 } from '../source/inline-source.ts';
import { imageTooLarge } from '../source/source-errors.ts';

/** Shorter texts are parsed with the rest of the JSON: that takes a millisecond, and most pictures are larger. */
const SHORTEST = 262_144;

/**
 * Characters that are decoded at once; a multiple of 4, so that steps join without a gap. Node keeps texts of a million
 * characters outside of V8's heap, where they stay until its next full collection; short ones are gone at once.
 */
const STEP = 49_152;

/** Steps before others get their turn: about half a millisecond of work. */
const STEPS_IN_A_ROW = 24;

/** As `decodeInline` has it (source/inline-source.ts). */
const DATA_URL_PREFIX = /^data:image\/[a-z0-9.+-]+(?:;[a-z0-9=.+-]+)*;base64,/i;
const PREFIX_WINDOW = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const EQUALS = 0x3d;

/** What Node's decoder passes over or takes for something else: blanks and the URL-safe alphabet. */
const ELSEWHERE = [' ', '-', '_'] as const;

/** A picture in the bytes of a JSON body, and the JSON without it. */
export interface LiftedImage {
  /** The body with `placeholder` in place of the long text. */
  readonly json: string;
  /** What the field that held the picture has in `json`; no client can know it. */
  readonly placeholder: string;
  /**
   * The decoded file, worked out in steps that leave the event loop to others, and written over the body: what it
   * stands in is longer.
   *
   * @returns undefined, with the body as it was, for what the slow way takes or explains better: white space, the URL-safe
   *   alphabet, a length that is wrong
   * @throws {OcrError} BODY_TOO_LARGE, INVALID_BASE64
   */
  decode(maxBytes: number): Promise<Buffer | undefined>;
}

const PLACEHOLDER = `lifted:${randomUUID()}`;

/** Bounds of the first string literal that is long enough, its quotes left out; undefined if there is none to be had. */
function longLiteral(body: Buffer): { start: number; end: number } | undefined {
  for (let open = body.indexOf(QUOTE); open >= 0;) {
    const close = body.indexOf(QUOTE, open + 1);
    if (close < 0) return undefined;
    // Escapes are rare in what clients send; PHP's "\/" is one of them. The slow way knows them all.
    const escape = body.subarray(open, close).indexOf(BACKSLASH);
    if (escape >= 0) return undefined;
    if (close - open > SHORTEST) return { start: open + 1, end: close };
    open = body.indexOf(QUOTE, close + 1);
  }
  return undefined;
}

/**
 * Finds the picture in a JSON body without making a string of it. JSON.parse and the decoding of 20 MB of base64 hold the
 * event loop for 40 ms, and strings of that size stay in memory until V8's next full collection: three passes over
 * the largest pictures left 160 MB more in the server process (measured). Bytes are decoded where they are, in steps.
 *
 * @returns undefined where the body has to be parsed as a whole: short, or with a long text that holds escapes
 */
export function liftImage(body: Buffer): LiftedImage | undefined {
  if (body.length < SHORTEST) return undefined;
  const found = longLiteral(body);
  if (found === undefined) return undefined;
  const { start, end } = found;
  return {
    json: body.toString('utf8', 0, start) + PLACEHOLDER + body.toString('utf8', end),
    placeholder: PLACEHOLDER,
    decode: (maxBytes) => decodeInPlace(body.subarray(start, end), maxBytes),
  };
}

async function decodeInPlace(text: Buffer, maxBytes: number): Promise<Buffer | undefined> {
  const prefix = DATA_URL_PREFIX.exec(text.toString('latin1', 0, PREFIX_WINDOW));
  const base64 = text.subarray(prefix?.[0].length ?? 0);
  if (base64.length % 4 !== 0 || ELSEWHERE.some((character) => base64.includes(character))) return undefined;
  const padding = base64.at(-1) === EQUALS ? (base64.at(-2) === EQUALS ? 2 : 1) : 0;
  const bytes = (base64.length / 4) * 3 - padding;
  if (bytes > maxBytes) throw imageTooLarge(bytes, 'exactly', maxBytes);
  let length = 0;
  for (let at = 0; at < base64.length; at += STEP) {
    length += base64.write(base64.toString('latin1', at, at + STEP), length, 'base64');
    // The decoder leaves out what it does not know, and stops at "=".
    if (length !== Math.min(((at + STEP) / 4) * 3, bytes)) throw notBase64();
    if ((at / STEP) % STEPS_IN_A_ROW === 0) await nextTurn();
  }
  return base64.subarray(0, bytes);
}
