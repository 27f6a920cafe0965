import { OcrError } from '../errors.ts';
import type { OnBytes } from './bounded-read.ts';
import { createAddressGuard, type Lookup } from './address-guard.ts';
import { fetchHttp } from './http-source.ts';
import { decodeInline } from './inline-source.ts';
import { connectTimeout } from './pinned-request.ts';
import { parseS3Url } from './s3-address.ts';
import type { S3Options } from './s3-client.ts';
import { createS3Source } from './s3-source.ts';
import { fetchDeadlineExceeded } from './source-errors.ts';

/** Where the bytes of an image come from. */
export type ImageSource =
  { kind: 'url'; url: string } | { kind: 's3'; bucket: string; key: string } | { kind: 'base64'; data: string };

export interface ImageLoaderOptions {
  /** Largest image file in bytes, whatever the source (OCR_MAX_IMAGE_BYTES). */
  readonly maxBytes: number;
  /** Total time for one image from `url` in milliseconds, redirects and body included (OCR_FETCH_TIMEOUT_MS). */
  readonly fetchTimeoutMs: number;
  /** Private hosts, addresses and networks that may be read (OCR_SOURCE_ALLOW; forms: `parseAllowList`). */
  readonly allow: readonly string[];
  /** Ports that may be used on public addresses (OCR_URL_PORTS). */
  readonly urlPorts: readonly number[];
  readonly s3: S3Options;
  /** Resolver of host names; left out: the system's. */
  readonly lookup?: Lookup;
}

export interface ImageLoader {
  /**
   * Gives the encoded image file.
   *
   * @param signal the request's; when it ends with a TimeoutError the answer is DEADLINE_EXCEEDED, otherwise its reason
   * @param onBytes told what is received from elsewhere; never called for base64, which is there already
   * @throws {OcrError} INVALID_BASE64, SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE, BODY_TOO_LARGE, DEADLINE_EXCEEDED
   */
  load(source: ImageSource, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer>;
  /** Closes kept connections. Loads in progress end by their own signals. */
  close(): Promise<void>;
}

/** Most characters of `url`: what servers commonly take as a request line (nginx and Apache: 8 KiB). */
const MAX_URL_LENGTH = 8192;

/**
 * Says which source a request names. `url` wins when both are given (contract). Nothing is sent.
 *
 * @throws {OcrError} INVALID_REQUEST
 */
export function parseSource(request: { url?: string; img?: string }): ImageSource {
  if (request.url !== undefined) return parseUrl(request.url);
  if (request.img !== undefined) return { kind: 'base64', data: request.img };
  throw invalid('Give the image as `url` (http://, https:// or s3://bucket/key) or as `img` (base64).');
}

function parseUrl(url: string): ImageSource {
  if (url.length > MAX_URL_LENGTH) {
    throw invalid(`\`url\` has ${url.length} characters; at most ${MAX_URL_LENGTH} are accepted.`);
  }
  if (/^s3:/i.test(url)) return { kind: 's3', ...parseS3Url(url, 'url') };
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return { kind: 'url', url: parsed.href };
  throw invalid('`url` must be an absolute address that starts with http://, https:// or s3://.');
}

const invalid = (message: string): OcrError => new OcrError('INVALID_REQUEST', message);

/**
 * Builds the three sources. Nothing is connected or looked up before the first `load`.
 *
 * @throws {Error} for an `allow` entry or an S3 endpoint that cannot be read; meant for the operator at start
 */
export function createImageLoader(options: ImageLoaderOptions): ImageLoader {
  const { maxBytes, fetchTimeoutMs, allow, urlPorts, lookup } = options;
  const connectTimeoutMs = connectTimeout(fetchTimeoutMs);
  const guard = createAddressGuard({ allow, urlPorts, lookup, lookupTimeoutMs: connectTimeoutMs });
  const s3 = createS3Source({ ...options.s3, maxBytes });

  const fetchBytes = (
    source: Exclude<ImageSource, { kind: 'base64' }>,
    signal: AbortSignal,
    onBytes: OnBytes | undefined,
  ): Promise<Buffer> =>
    source.kind === 's3'
      ? s3.fetch(source.bucket, source.key, signal, onBytes)
      : fetchHttp(new URL(source.url), { guard, maxBytes, connectTimeoutMs, onBytes }, signal);

  return {
    async load(source, signal, onBytes) {
      if (source.kind === 'base64') return decodeInline(source.data, maxBytes);
      return withinTime(fetchTimeoutMs, signal, (limit) => fetchBytes(source, limit, onBytes));
    },
    close: () => s3.close(),
  };
}

/** Runs `work` under the caller's signal and a total time limit, which both reach it as one signal. */
async function withinTime<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(fetchDeadlineExceeded(timeoutMs)), timeoutMs);
  try {
    const limit = AbortSignal.any([signal, timer.signal]);
    limit.throwIfAborted();
    return await work(limit);
  } catch (error) {
    throw error instanceof DOMException && error.name === 'TimeoutError' ? fetchDeadlineExceeded() : error;
  } finally {
    clearTimeout(timeout);
  }
}
