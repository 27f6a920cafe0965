import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { PictureResult } from './job.ts';

/** Shorter texts gain nothing from being packed. */
const PACK_FROM_BYTES = 512;

/** First byte of a packed result; a plain one begins with the brace of its JSON. */
const PACKED = 'z'.charCodeAt(0);

/** A result as it is kept in the queue: JSON, packed where it is long (a page of 40 lines: 12 kB to 2 kB). */
export function encodeResult(result: PictureResult): Buffer {
  const json = Buffer.from(JSON.stringify(result));
  return json.length < PACK_FROM_BYTES ? json : Buffer.concat([Buffer.of(PACKED), deflateRawSync(json)]);
}

/** @param stored what `encodeResult` gave */
export function decodeResult(stored: Buffer): PictureResult {
  const json = stored[0] === PACKED ? inflateRawSync(stored.subarray(1)) : stored;
  return JSON.parse(json.toString('utf8')) as PictureResult;
}
