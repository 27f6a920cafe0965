/**
 * Every way in which a request can fail, as a closed list: the HTTP layer maps each code to a status
 * (`http/error-handler.ts`, exhaustively), README and OpenAPI list the same codes, and tests compare them.
 */
export const ERROR_CODES = [
  'INVALID_REQUEST',
  'INVALID_BASE64',
  'UNSUPPORTED_FORMAT',
  'INVALID_IMAGE',
  'IMAGE_TOO_LARGE',
  'SOURCE_NOT_ALLOWED',
  'SOURCE_UNAVAILABLE',
  'UNAUTHORIZED',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'CONFLICT',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OVERLOADED',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'ENGINE_CRASHED',
  'DEADLINE_EXCEEDED',
  'JOBS_NOT_CONFIGURED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface OcrErrorOptions {
  /** What the operator may need to know and the caller must not see (library text, address, path). Only logged. */
  detail?: string;
  /** For OVERLOADED, RATE_LIMITED and UNAVAILABLE: seconds after which another try makes sense (`Retry-After`). */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/**
 * An expected failure. `message` is public: it says what failed, why and how to fix it, and never holds a stack,
 * a path, an internal address or a library's text. Anything else that is thrown is a bug and answered as INTERNAL.
 */
export class OcrError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: OcrErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OcrError';
    this.code = code;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
