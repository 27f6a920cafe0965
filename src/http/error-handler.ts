import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { OcrError, type ErrorCode } from '../errors.ts';
import { FORMATS } from '../formats/render-document.ts';
import { ClientLeft } from './request-deadline.ts';
import type { ErrorBody } from './schemas.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the error that was answered, for the metrics; null while there was none. */
    errorCode: ErrorCode | null;
  }
}

/** The HTTP status of each failure; the table of the contract. */
export const STATUS_OF_CODE = {
  INVALID_REQUEST: 400,
  INVALID_BASE64: 400,
  UNSUPPORTED_FORMAT: 400,
  INVALID_IMAGE: 400,
  IMAGE_TOO_LARGE: 400,
  SOURCE_NOT_ALLOWED: 400,
  SOURCE_UNAVAILABLE: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  // As a path that there is not: nothing is wrong with the server, so it is no 5xx.
  JOBS_NOT_CONFIGURED: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  OVERLOADED: 429,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  ENGINE_CRASHED: 503,
  DEADLINE_EXCEEDED: 504,
} as const satisfies Record<ErrorCode, number>;

const INTERNAL_MESSAGE =
  'Something went wrong inside the server. It is a bug, not your request; the operator finds the cause in the log under the request id.';

/** What may succeed when it is sent again unchanged, and is told when (`Retry-After`). */
const MAY_PASS: readonly ErrorCode[] = ['OVERLOADED', 'RATE_LIMITED', 'UNAVAILABLE'];

/** Asked of clients where whoever refused did not know better: long enough for a page or two to be finished. */
const DEFAULT_RETRY_SECONDS = 1;

/** Sent to nobody; nginx's number for this in logs, outside the registered ones. */
export const CLIENT_LEFT_STATUS = 499;

const BODY_HELP = 'Send a JSON object such as {"url": "https://…"} or {"img": "<base64 of the image file>"}.';

const TYPE_HELP =
  'The body must be JSON (content-type: application/json), a form with the file as `img` (multipart/form-data), or the ' +
  'file itself (image/jpeg, image/png or image/bmp).';

/** What a field must be, for messages about a wrong one. */
export const FIELD_HELP: Readonly<Record<string, string>> = {
  url: '`url` must be a string: the http://, https:// or s3://bucket/key address of the image.',
  img: '`img` must be a string that is not empty: base64 of a jpg, png or bmp file.',
  duration: '`duration` must be true or false.',
  format: `\`format\` must be one of ${FORMATS.join(', ')}.`,
  minScore: '`minScore` must be a number from 0 to 1.',
  region:
    '`region` must be left, top, width and height in whole pixels of the upright image: an object in JSON, ' +
    '`left,top,width,height` in the query and in forms; width and height at least 1.',
  orientation: '`orientation` must be auto or off.',
  textLayer: '`textLayer` must be auto or off.',
  words: '`words` must be true or false.',
  characters: '`characters` must be true or false.',
  pages: '`pages` must be a page or a range, as text: 3, 3-5 or 3- (from page 3 on).',
};

function describeValidation(error: FastifyError): string {
  const [first] = error.validation ?? [];
  const field = first?.instancePath.split('/')[1] ?? '';
  if (field in FIELD_HELP) return FIELD_HELP[field];
  if (first?.keyword === 'required' || first?.keyword === 'anyOf') {
    return 'The image is missing: give it as `url` (http://, https:// or s3://bucket/key) or as `img` (base64 of the file).';
  }
  return `The body must be a JSON object. ${BODY_HELP}`;
}

/** Fastify's own refusals in our words. Its messages stay in `detail`: they change with its versions. */
function fromFastify(error: FastifyError, bodyLimit: number): OcrError {
  const detail = { detail: `${error.code}: ${error.message}` };
  switch (error.code) {
    case 'FST_ERR_VALIDATION':
      return new OcrError('INVALID_REQUEST', describeValidation(error), detail);
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new OcrError(
        'BODY_TOO_LARGE',
        `The request body is larger than ${bodyLimit} bytes. Send a smaller image; the operator can raise OCR_MAX_IMAGE_BYTES.`,
        detail,
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new OcrError('UNSUPPORTED_MEDIA_TYPE', TYPE_HELP, detail);
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new OcrError('INVALID_REQUEST', `The body is empty. ${BODY_HELP}`, detail);
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      // No detail: the parser's message quotes the body.
      return new OcrError('INVALID_REQUEST', `The body is not valid JSON. ${BODY_HELP}`);
    case 'FST_ERR_BAD_URL':
      // No detail: the message quotes the path with its query.
      return new OcrError('INVALID_REQUEST', 'The path of the request is not a valid percent-encoded path.');
    default:
      return new OcrError('INVALID_REQUEST', `The request is malformed or did not arrive whole. ${BODY_HELP}`, detail);
  }
}

function isClientFault(error: unknown): error is FastifyError {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0;
  return status >= 400 && status < 500;
}

function errorBody(status: number, code: ErrorCode, message: string, requestId: string): ErrorBody {
  return { statusCode: status, error: STATUS_CODES[status] ?? 'Error', code, message, requestId };
}

/**
 * Expected refusals are one line in the log, a deadline or too little engine a warning, bugs the whole error. A probe
 * that is told "not yet" every second is no news.
 */
function logFailure(request: FastifyRequest, error: unknown, known: OcrError | undefined): void {
  if (known === undefined || known.code === 'INTERNAL') {
    request.log.error({ err: error }, 'request failed unexpectedly');
    return;
  }
  const probe = request.routeOptions.url?.startsWith('/health/') === true;
  const level = probe ? 'debug' : STATUS_OF_CODE[known.code] >= 500 ? 'warn' : 'info';
  request.log[level]({ code: known.code, reason: known.message, detail: known.detail }, 'request refused');
}

/**
 * Answers every failure of a request: an `OcrError` with the status of its code and its public message, Fastify's own
 * refusals in our words, and anything else, which is a bug, as INTERNAL with a fixed text and the whole error in the log.
 */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof ClientLeft) {
    request.log.info('client left before its answer');
    void reply.code(CLIENT_LEFT_STATUS).send();
    return;
  }
  const known =
    error instanceof OcrError
      ? error
      : isClientFault(error)
        ? fromFastify(error, request.routeOptions.bodyLimit ?? 0)
        : undefined;
  logFailure(request, error, known);
  const code = known?.code ?? 'INTERNAL';
  const message = known === undefined || code === 'INTERNAL' ? INTERNAL_MESSAGE : known.message;
  const status = STATUS_OF_CODE[code];
  if (MAY_PASS.includes(code)) {
    reply.header('retry-after', Math.max(Math.ceil(known?.retryAfterSeconds ?? 0), DEFAULT_RETRY_SECONDS));
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="general-ocr"');
  reply.errorCode = code;
  void reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(errorBody(status, code, message, request.id));
}

/** What Node's HTTP parser refuses before there is a request, with the statuses of RFC 9110 and RFC 6585. */
const PARSER_FAULTS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'The request did not arrive whole in time. Send it faster; the operator can raise OCR_BODY_TIMEOUT_MS.',
  ],
  HPE_HEADER_OVERFLOW: [431, 'The headers of the request are too large; send the image in the body.'],
};

/** Answers what is not even a request (Node's `clientError` event) in the same form as every other error. */
export function answerMalformedHttp(
  this: { readonly log: FastifyBaseLogger },
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const requestId = randomUUID();
  const [status, message] = PARSER_FAULTS[error.code ?? ''] ?? [400, 'This is not a well-formed HTTP/1.1 request.'];
  this.log.info({ reqId: requestId, code: 'INVALID_REQUEST', detail: error.code }, 'malformed HTTP refused');
  if (socket.writable) {
    const body = JSON.stringify(errorBody(status, 'INVALID_REQUEST', message, requestId));
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${requestId}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
