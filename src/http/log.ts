import type { FastifyReply, FastifyRequest } from 'fastify';
import { pino, type DestinationStream, type Logger } from 'pino';

/** The part of an address behind `?` or `#`: where signed URLs keep their signature. */
const SECRET_PART = /\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"'<>]*)[?#][^\s"'<>]*/gi;

/** User and password before the host of an address. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>@]*@/gi;

/** Longer texts are not for people: a data: URL or base64 in the message of a library. */
const LONGEST_TEXT = 4000;

/** A text for the log: addresses in it keep host and path only, and it is cut at 4,000 characters. */
export function withoutSecrets(text: string): string {
  return text.slice(0, LONGEST_TEXT).replace(USER_INFO, '$1').replace(SECRET_PART, '$1?…');
}

interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  code?: string;
  cause?: LoggedError;
}

/**
 * Only what is named here: libraries hang the address, the headers or the input that failed on their errors (Node's
 * `Invalid URL` has it as `input`), and pino's own serializer would log all of it.
 */
function describeError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: withoutSecrets(String(error)) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message: withoutSecrets(error.message),
    ...(error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** Probes, scrapes and the files of the docs and the page: they come all the time and say nothing. */
export function isRoutine(request: { readonly url?: string }): boolean {
  return /^\/($|health\/|metrics|docs|page\/)/.test(request.url ?? '');
}

/**
 * JSON lines on standard output (or `destination`). A request is its method, path and client address: never its headers,
 * query or body.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    serializers: {
      req: (request: FastifyRequest) => ({
        method: request.method,
        path: withoutSecrets(request.url.split('?', 1)[0]),
        remoteAddress: request.ip,
      }),
      res: (reply: FastifyReply) => ({ statusCode: reply.statusCode }),
      err: describeError,
      detail: (detail: unknown) => (typeof detail === 'string' ? withoutSecrets(detail) : detail),
      reason: (reason: unknown) => (typeof reason === 'string' ? withoutSecrets(reason) : reason),
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
