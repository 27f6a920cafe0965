import type { FastifyCorsOptions } from '@fastify/cors';

/** Seconds for which a browser need not ask again; the most that Chromium keeps is 7,200, and a change should come through. */
const PREFLIGHT_SECONDS = 600;

/**
 * Who may call from a browser. `*` answers as the AWS kit does, for everything; origins by name get what the API has and
 * no more. Cookies play no part, so credentials are never allowed.
 *
 * @param origins `*`, or origins as browsers send them; compared character by character
 */
export function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  if (origins.includes('*')) {
    // `*` does not stand for Authorization (Fetch standard), so that one is named.
    return {
      origin: '*',
      methods: ['*'],
      allowedHeaders: ['*', 'Authorization'],
      exposedHeaders: ['*'],
      strictPreflight: false,
    };
  }
  return {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Content-Type', 'Authorization', 'X-Api-Key', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: PREFLIGHT_SECONDS,
    strictPreflight: false,
  };
}
