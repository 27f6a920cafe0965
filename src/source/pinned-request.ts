import { Client, type Dispatcher } from 'undici';
import { pinnedConnector } from './address-guard.ts';

export interface PinnedRequest {
  readonly url: URL;
  /** Where the request may go, as given by `AddressGuard.resolve`. */
  readonly addresses: readonly string[];
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest time for connecting (TCP and TLS), in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Ends everything with its reason; the only limit on the total time. */
  readonly signal: AbortSignal;
}

/** Longest part of a total time that a lookup or a connection may take, in milliseconds (own choice). */
const MAX_CONNECT_MS = 5000;

/**
 * Time for a lookup or a connection within a total of `totalMs`. Below the total, so that a host that swallows packets is
 * answered like one that refuses them.
 */
export const connectTimeout = (totalMs: number): number => Math.min(MAX_CONNECT_MS, Math.ceil(totalMs / 2));

/**
 * Sends one request over one connection of its own to addresses that were checked before, and closes it once `use` has
 * settled: what `use` has not read of the body by then is dropped. Keeping connections for later would save a handshake
 * (milliseconds against some 300 of reading a page), at the price of idle sockets to every host that strangers name; this
 * way there is nothing to leak and each request is checked anew. Redirects are not followed.
 *
 * @throws whatever undici or `use` throws; `signal.reason` when aborted
 */
export async function pinnedRequest<T>(
  { url, addresses, method, headers, body, connectTimeoutMs, signal }: PinnedRequest,
  use: (response: Dispatcher.ResponseData) => T | Promise<T>,
): Promise<T> {
  const client = new Client(url.origin, {
    connect: pinnedConnector({ addresses, timeoutMs: connectTimeoutMs, signal }),
    // The signal bounds the total; undici's own limits (300 s) are of idle time only and would be told apart.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const response = await client.request({
      path: `${url.pathname}${url.search}`,
      method,
      headers,
      body: body ?? null,
      reset: true,
      signal,
    });
    // What is not read ends with the client; its complaint about that has no other listener.
    response.body.on('error', () => {});
    return await use(response);
  } finally {
    await client.destroy();
  }
}
