import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../errors.ts';
import { STATUS_OF_CODE } from './error-handler.ts';

/** Every code that a route which reads pages can answer. */
export const PAGE_ERRORS = [
  'INVALID_REQUEST',
  'INVALID_BASE64',
  'UNSUPPORTED_FORMAT',
  'INVALID_IMAGE',
  'IMAGE_TOO_LARGE',
  'SOURCE_NOT_ALLOWED',
  'SOURCE_UNAVAILABLE',
  'UNAUTHORIZED',
  'METHOD_NOT_ALLOWED',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OVERLOADED',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAVAILABLE',
  'ENGINE_CRASHED',
  'DEADLINE_EXCEEDED',
] as const satisfies readonly ErrorCode[];

/** When a code is answered, and a message as a caller may see it. For the OpenAPI document. */
export const ERROR_DESCRIPTIONS = {
  INVALID_REQUEST: [
    'Neither `url` nor `img`, a wrong type, an unknown scheme, or a body that is not JSON',
    'Give the image as `url` (http://, https:// or s3://bucket/key) or as `img` (base64 of the file).',
  ],
  INVALID_BASE64: ['`img` is not base64', '`img` is not base64: send the bytes of the image file as base64 text.'],
  UNSUPPORTED_FORMAT: ['Not a jpg, png or bmp', 'The file is not a jpg, png or bmp image.'],
  INVALID_IMAGE: ['Damaged beyond decoding', 'The image is damaged: it ends before its last row.'],
  IMAGE_TOO_LARGE: [
    'The longest side is over the limit',
    'The image is 6000 x 4000 pixels, the longest side may have 4096. Send a smaller one.',
  ],
  SOURCE_NOT_ALLOWED: [
    'The address, host or bucket of `url` is not permitted',
    'This address may not be fetched. The operator can allow private hosts with OCR_SOURCE_ALLOW.',
  ],
  SOURCE_UNAVAILABLE: [
    'The image of `url` cannot be had',
    'The server of `url` answered 404: check the address, or send the image as `img`.',
  ],
  UNAUTHORIZED: [
    'Keys are configured and none matches',
    'Send a valid key as `x-api-key: <key>` or `Authorization: Bearer <key>`.',
  ],
  NOT_FOUND: ['No such path', 'There is nothing at this path.'],
  METHOD_NOT_ALLOWED: ['The path does not take this method', 'This path takes POST only.'],
  CONFLICT: [
    'The job is not in a state for this, or its `idempotency-key` came with another request',
    'The job has not ended. Wait until it has, or cancel it.',
  ],
  BODY_TOO_LARGE: [
    'The request body or the fetched image is over the byte limit',
    'The request body is larger than 73728000 bytes. Send a smaller image; the operator can raise OCR_MAX_IMAGE_BYTES.',
  ],
  UNSUPPORTED_MEDIA_TYPE: [
    'The body is neither JSON, nor a form, nor a jpg, png or bmp file',
    'The body must be JSON, a form with the file as `img`, or the file itself.',
  ],
  OVERLOADED: ['The queue is full', 'All places of the server are taken. Try again after the time in `Retry-After`.'],
  RATE_LIMITED: [
    'The rate of the key or address is spent',
    'More than 60 requests in a minute. Try again after the time in `Retry-After`.',
  ],
  JOBS_NOT_CONFIGURED: [
    'This server has no queue for jobs',
    'This server has no queue for jobs: the operator sets OCR_REDIS_URL and starts workers. Single pictures are read by POST /v1/ocr.',
  ],
  INTERNAL: ['A bug', 'Something went wrong inside the server. The operator finds the cause under the request id.'],
  UNAVAILABLE: ['Starting, shutting down, or no engine process', 'The server is starting. Try again in a moment.'],
  ENGINE_CRASHED: [
    'Engine processes ended while they read the picture, so it is not tried again; without `Retry-After`',
    '2 engine processes ended while they read this picture, so the picture may be the cause. Save it again with another program, or smaller.',
  ],
  DEADLINE_EXCEEDED: [
    'The total deadline passed; the message names the stage',
    'The request took longer than 30000 ms and was stopped while fetching the image.',
  ],
} as const satisfies Record<ErrorCode, readonly [when: string, message: string]>;

/** Headers beside the error body, by status. `required` of OpenAPI headers cannot be said through @fastify/swagger. */
const HEADERS: Readonly<Partial<Record<number, object>>> = {
  401: { 'WWW-Authenticate': { type: 'string', description: 'How to send a key (RFC 9110, section 11.6.1).' } },
  405: { Allow: { type: 'string', description: 'The methods that this path takes.' } },
  429: { 'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds to wait before another try.' } },
  503: { 'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds to wait before another try.' } },
};

/** The OpenAPI (and Fastify) responses of the given codes: one for each status, with an example for each code. */
export function errorResponses(codes: readonly ErrorCode[]): Record<number, object> {
  const statuses = [...new Set(codes.map((code) => STATUS_OF_CODE[code]))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = codes.filter((code) => STATUS_OF_CODE[code] === status);
      const examples = ofStatus.map((code) => {
        const [when, message] = ERROR_DESCRIPTIONS[code];
        const value = { statusCode: status, error: STATUS_CODES[status], code, message, requestId: '7f3c5a52' };
        return [code, { summary: when, value }];
      });
      const response = {
        description: ofStatus.map((code) => `\`${code}\`: ${ERROR_DESCRIPTIONS[code][0]}.`).join(' '),
        ...(HEADERS[status] === undefined ? {} : { headers: HEADERS[status] }),
        content: {
          'application/json': { schema: { $ref: 'Error#' }, examples: Object.fromEntries(examples) },
        },
      };
      return [status, response];
    }),
  );
}
