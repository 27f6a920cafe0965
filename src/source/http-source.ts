import type { Dispatcher } from 'undici';
import { OcrError } from '../errors.ts';
import type { AddressGuard } from './address-guard.ts';
import { type OnBytes, readBounded } from './bounded-read.ts';
import { pinnedRequest } from './pinned-request.ts';
import { addressNotAllowed, describeError, sourceUnavailable } from './source-errors.ts';

/** Enough for http -> https -> www -> CDN -> signed address; curl and browsers stop at 20 to 50. */
const MAX_REDIRECTS = 5;

/** RFC 9110 section 15.4; 300 and 304 are no redirects that a plain GET could follow. */
const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** No Authorization and no cookies, ever. Some hosts answer 403 to a request that does not say who asks. */
const REQUEST_HEADERS = {
  accept: 'image/png, image/jpeg, image/bmp, */*;q=0.1',
  // A compressed body would have to be counted after inflating as well; image files gain nothing from it.
  'accept-encoding': 'identity',
  'user-agent': 'general-ocr',
};

export interface HttpSourceOptions {
  readonly guard: AddressGuard;
  /** Largest accepted body in bytes. */
  readonly maxBytes: number;
  /** Longest time for connecting to one hop (TCP and TLS), in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Told what arrives of the body. */
  readonly onBytes?: OnBytes | undefined;
}

type Answer = { readonly kind: 'body'; readonly bytes: Buffer } | { readonly kind: 'redirect'; readonly location: URL };

/**
 * Fetches the bytes behind an `http:` or `https:` address. Redirects are followed by hand, each hop through the guard.
 *
 * @param signal ends everything with its reason; the only limit on the total time
 * @throws {OcrError} SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE, BODY_TOO_LARGE; `signal.reason` when aborted
 */
export async function fetchHttp(url: URL, options: HttpSourceOptions, signal: AbortSignal): Promise<Buffer> {
  let target = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const addresses = await resolveHop(target, redirects, options.guard, signal);
    const answer = await requestOnce(target, addresses, options, signal);
    if (answer.kind === 'body') return answer.bytes;
    refuseScheme(target, answer.location);
    target = answer.location;
  }
  throw sourceUnavailable(`${url.host}: more than ${MAX_REDIRECTS} redirects`);
}

/** Of a redirect's target no more is told than that it is not allowed: its origin chose it, not the caller. */
async function resolveHop(
  target: URL,
  redirects: number,
  guard: AddressGuard,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await guard.resolve(target, signal);
  } catch (error) {
    if (redirects > 0 && error instanceof OcrError && error.code === 'SOURCE_NOT_ALLOWED') {
      throw redirectNotAllowed(error.detail ?? error.message);
    }
    throw error;
  }
}

function refuseScheme(from: URL, to: URL): void {
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw redirectNotAllowed(`redirect to ${to.protocol}`);
  if (from.protocol === 'https:' && to.protocol === 'http:') throw redirectNotAllowed('redirect from https to http');
}

function redirectNotAllowed(detail: string): OcrError {
  const fix = 'give the final, public http(s) address, or have the operator name its host in OCR_SOURCE_ALLOW';
  return addressNotAllowed(`it redirects to an address that is not allowed; ${fix}`, detail);
}

/** One hop. */
async function requestOnce(
  url: URL,
  addresses: readonly string[],
  options: HttpSourceOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const { maxBytes, connectTimeoutMs, onBytes } = options;
  const request = { url, addresses, method: 'GET', headers: REQUEST_HEADERS, connectTimeoutMs, signal } as const;
  try {
    return await pinnedRequest<Answer>(request, async (response) => {
      const location = redirectOf(url, response);
      if (location !== undefined) return { kind: 'redirect', location };
      const announcedBytes = checkHeaders(url, response);
      return { kind: 'body', bytes: await readBounded(response.body, { maxBytes, announcedBytes, signal, onBytes }) };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OcrError) throw error;
    throw sourceUnavailable(`${url.host}: ${describeError(error)}`);
  }
}

function redirectOf(url: URL, response: Dispatcher.ResponseData): URL | undefined {
  if (!REDIRECT_STATUSES.includes(response.statusCode)) return undefined;
  const { location } = response.headers;
  const target = typeof location === 'string' ? URL.parse(location, url.href) : null;
  if (target === null) throw sourceUnavailable(`${url.host}: status ${response.statusCode} without a usable location`);
  return target;
}

/** @returns the announced length of the body in bytes, if there is one */
function checkHeaders(url: URL, response: Dispatcher.ResponseData): number | undefined {
  if (response.statusCode !== 200) throw sourceUnavailable(`${url.host}: status ${response.statusCode}`);
  const encoding = response.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw sourceUnavailable(`${url.host}: content-encoding ${String(encoding)}, though identity was asked for`);
  }
  // A body that is shorter or longer than this fails in undici.
  const length = response.headers['content-length'];
  if (length === undefined) return undefined;
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length))
    throw sourceUnavailable(`${url.host}: bad content-length`);
  return Number(length);
}
