import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';

/** Who may use the API. */
export interface Authority {
  /**
   * Lets a request pass that carries one of the keys, and every request where no keys are set. From then on the request's
   * lines in the log have the key's id as `key`.
   *
   * @throws {OcrError} UNAUTHORIZED
   */
  authorize(request: FastifyRequest): void;
  /** For counting requests: the hash of the key, or the address of the client where no keys are set. */
  identify(request: FastifyRequest): string;
}

const BEARER = /^Bearer +(\S+)$/i;

/**
 * Hexadecimal digits of a key's SHA-256 that name it in the log: enough to tell the keys of one server apart, and nothing
 * that a key with any length to it could be found from.
 */
const KEY_ID_DIGITS = 8;

/** pino's loggers can be given fields later; Fastify's type leaves it out, and another logger may be without. */
type BindableLogger = FastifyBaseLogger & { setBindings?: (bindings: object) => void };

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

function keysOf(request: FastifyRequest): string[] {
  const own = request.headers['x-api-key'];
  const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
  return [own, bearer].flat().filter((key) => key !== undefined);
}

/**
 * @param keys the keys of OCR_API_KEYS; none: the API is open. They are kept as SHA-256 hashes only, and every hash is
 *   compared in constant time, so that neither the length of a key nor how much of a guess was right can be measured.
 */
export function createAuthority(keys: readonly string[]): Authority {
  const hashes = keys.map(sha256);
  const match = (request: FastifyRequest): string | undefined => {
    let found: string | undefined;
    for (const given of keysOf(request).map(sha256)) {
      for (const hash of hashes) {
        if (timingSafeEqual(given, hash)) found = hash.toString('hex');
      }
    }
    return found;
  };
  return {
    authorize(request) {
      if (hashes.length === 0) return;
      const key = match(request);
      if (key === undefined) {
        throw new OcrError(
          'UNAUTHORIZED',
          'This server asks for a key and none of its keys was sent. Send one as `x-api-key: <key>` or `Authorization: Bearer <key>`.',
        );
      }
      (request.log as BindableLogger).setBindings?.({ key: key.slice(0, KEY_ID_DIGITS) });
    },
    identify: (request) => match(request) ?? request.ip,
  };
}
