import { OcrError } from '../errors.ts';
import { createAddressGuard, type Lookup } from './address-guard.ts';
import { connectTimeout, pinnedRequest } from './pinned-request.ts';
import { describeError } from './source-errors.ts';

export interface HttpPosterOptions {
  /** As for pictures: OCR_SOURCE_ALLOW and OCR_URL_PORTS. */
  readonly allow: readonly string[];
  readonly urlPorts: readonly number[];
  /** Total time of a delivery in milliseconds. */
  readonly timeoutMs: number;
  readonly lookup?: Lookup;
}

export interface HttpPoster {
  /**
   * Refuses an address that its text alone forbids: a private one, a port, a password.
   *
   * @throws {OcrError} SOURCE_NOT_ALLOWED
   */
  check(url: URL): Promise<void>;
  /**
   * Sends JSON to a stranger's address, behind the guard that pictures are fetched behind. Redirects are not followed, the
   * body of the answer is not read: nothing comes back but the status.
   *
   * @returns the status of the answer
   * @throws {OcrError} SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE
   */
  post(url: URL, body: string, headers: Readonly<Record<string, string>>): Promise<number>;
}

/** @throws {Error} for an `allow` entry that cannot be read; meant for the operator at start */
export function createHttpPoster({ allow, urlPorts, timeoutMs, lookup }: HttpPosterOptions): HttpPoster {
  const connectTimeoutMs = connectTimeout(timeoutMs);
  const guard = createAddressGuard({ allow, urlPorts, lookup, lookupTimeoutMs: connectTimeoutMs });

  return {
    async check(url) {
      try {
        await guard.resolve(url, AbortSignal.timeout(connectTimeoutMs));
      } catch (error) {
        // What a resolver says now may change until the job has ended.
        if (error instanceof OcrError && error.code === 'SOURCE_NOT_ALLOWED') throw error;
      }
    },

    async post(url, body, headers) {
      const signal = AbortSignal.timeout(timeoutMs);
      const request = {
        url,
        addresses: await guard.resolve(url, signal),
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'general-ocr', ...headers },
        body,
        connectTimeoutMs,
        signal,
      } as const;
      try {
        return await pinnedRequest(request, ({ statusCode }) => statusCode);
      } catch (error) {
        throw new OcrError('SOURCE_UNAVAILABLE', 'The webhook could not be reached.', {
          detail: `${url.host}: ${describeError(error)}`,
        });
      }
    },
  };
}
