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
 * Lines are gathered and written outside the event loop. pino by itself writes them one by one within it: where system calls
 * are slow (a sandboxed kernel) the three lines of a refused request cost more than the refusal; and when nobody reads the
 * log it keeps them all.
 */
const GATHER_BYTES = 8192;

/** The longest that a line waits for others to be written with; short enough to follow the log by eye. */
const GATHER_MS = 50;

/** Lines that wait for a reader who does not take them: some 40,000; what comes then is dropped and counted. */
const MAX_WAITING_BYTES = 8_388_608;

/**
 * JSON lines on standard output (or `destination`). A request is its method, path and client address: never its headers,
 * query or body. Lines may come up to 50 ms late, but none is lost when the process ends by itself or by a signal that it
 * handles; a `fatal` one is written at once.
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
  if (destination !== undefined) return pino(options, destination);
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: GATHER_BYTES,
    periodicFlush: GATHER_MS,
    maxLength: MAX_WAITING_BYTES,
  });
  const logger = pino(options, output);
  let dropped = 0;
  output.on('drop', () => {
    dropped += 1;
  });
  output.on('drain', () => {
    if (dropped === 0) return;
    logger.warn({ lines: dropped }, 'log lines dropped: nobody read the log');
    dropped = 0;
  });
  return logger;
}
