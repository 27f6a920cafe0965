import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';

/** Who may use the API. */
export interface Authority {
  /**
   * Lets a request pass that carries one of the keys, and every request where no keys are set.
   *
   * @throws {OcrError} UNAUTHORIZED
   */
  authorize(request: FastifyRequest): void;
  /** For counting requests: the hash of the key, or the address of the client where no keys are set. */
  identify(request: FastifyRequest): string;
}

const BEARER = /^Bearer +(\S+)$/i;

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
      if (hashes.length > 0 && match(request) === undefined) {
        throw new OcrError(
          'UNAUTHORIZED',
          'This server asks for a key and none of its keys was sent. Send one as `x-api-key: <key>` or `Authorization: Bearer <key>`.',
        );
      }
    },
    identify: (request) => match(request) ?? request.ip,
  };
}
