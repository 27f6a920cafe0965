import { OcrError } from '../errors.ts';

/**
 * The public texts of this folder. Two codes, drawn by what the caller could know without us:
 *
 * - SOURCE_NOT_ALLOWED is decided from the text of the request alone (a private address written as such, a port, a
 *   password, a bucket that is not listed), before any packet leaves. It says the same whatever is there.
 * - SOURCE_UNAVAILABLE is everything that the network had a part in, with one text for all of it: no such name, a name
 *   that resolves to a private address, refused, timed out, 404. Were a blocked answer of the resolver told apart from
 *   a missing one, strangers could list the names of an internal zone. What really happened goes to `detail`, for the log.
 */

const UNAVAILABLE =
  'The image at `url` could not be fetched: its host could not be reached, refused, or has no image there. ' +
  'Check that the address opens without a login from a public network; ' +
  'for a host on a private network the operator has to name it in OCR_SOURCE_ALLOW.';

/** The one answer for whatever went wrong on the way to a `url`. `detail` is logged and must hold no query string. */
export function sourceUnavailable(detail: string): OcrError {
  return new OcrError('SOURCE_UNAVAILABLE', UNAVAILABLE, { detail });
}

/** A refusal decided from text alone. `reason` completes "… is not allowed: ". */
export function addressNotAllowed(reason: string, detail: string): OcrError {
  return new OcrError('SOURCE_NOT_ALLOWED', `The address in \`url\` is not allowed: ${reason}.`, { detail });
}

/**
 * The image is larger than the limit.
 *
 * @param bytes the size as announced, or the bytes counted when reading stopped
 * @param known whether `bytes` is the whole size or only what was seen of it
 */
export function imageTooLarge(bytes: number, known: 'exactly' | 'at least', maxBytes: number): OcrError {
  const size = known === 'exactly' ? `${bytes}` : `at least ${bytes}`;
  return new OcrError(
    'BODY_TOO_LARGE',
    `The image file has ${size} bytes, more than the ${maxBytes} bytes that are accepted: ` +
      'send a smaller file, or have the operator raise OCR_MAX_IMAGE_BYTES.',
  );
}

/** @param timeoutMs the limit that passed; left out when the caller's own (request) deadline did */
export function fetchDeadlineExceeded(timeoutMs?: number): OcrError {
  const limit = timeoutMs === undefined ? 'within the time of the request' : `within ${timeoutMs} ms`;
  const setting = timeoutMs === undefined ? 'OCR_REQUEST_TIMEOUT_MS' : 'OCR_FETCH_TIMEOUT_MS';
  return new OcrError(
    'DEADLINE_EXCEEDED',
    `Deadline exceeded in the stage "fetching": the image at \`url\` did not arrive ${limit}. ` +
      `Put the image on a faster host, send it as \`img\`, or have the operator raise ${setting}.`,
  );
}

/** One line for the log out of anything thrown: name, code and message, without stack. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `${error.name}${code}: ${error.message}`;
}
