import { Client } from 'undici';
import { OcrError } from '../errors.ts';
import { createAddressGuard, pinnedConnector, type Lookup } from './address-guard.ts';
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

/** Longest part of the total time that a lookup or a connection may take, as for pictures. */
const MAX_CONNECT_MS = 5000;

/** @throws {Error} for an `allow` entry that cannot be read; meant for the operator at start */
export function createHttpPoster({ allow, urlPorts, timeoutMs, lookup }: HttpPosterOptions): HttpPoster {
  const connectTimeoutMs = Math.min(MAX_CONNECT_MS, Math.ceil(timeoutMs / 2));
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
      const addresses = await guard.resolve(url, signal);
      const client = new Client(url.origin, {
        connect: pinnedConnector({ addresses, timeoutMs: connectTimeoutMs, signal }),
        // The signal bounds the total.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      try {
        const response = await client.request({
          path: `${url.pathname}${url.search}`,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'general-ocr', ...headers },
          body,
          reset: true,
          signal,
        });
        // Ends with the client; its complaint about that has no other listener.
        response.body.on('error', () => {});
        return response.statusCode;
      } catch (error) {
        throw new OcrError('SOURCE_UNAVAILABLE', 'The webhook could not be reached.', {
          detail: `${url.host}: ${describeError(error)}`,
        });
      } finally {
        await client.destroy();
      }
    },
  };
}
