import type { ErrorBody } from './answers.ts';

/**
 * What happened, as the service names it. `UNKNOWN`: the answer was not the service's (a proxy's, mostly). Other texts are
 * codes of a service that is newer than this client.
 */
export type ErrorCode = ErrorBody['code'] | 'UNKNOWN' | (string & {});

/** Whatever goes wrong between here and the service; `message` says what, and what to do. */
export class OcrError extends Error {
  override readonly name: string = 'OcrError';
}

/** The service answered, and not with 200. */
export class ServiceError extends OcrError {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  /** HTTP status. */
  readonly status: number;
  /** Under which the operator finds the request in the log; undefined if somebody else answered. */
  readonly requestId: string | undefined;
  /** Seconds to wait before another try (`Retry-After`); undefined if the answer does not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(answer: {
    code: ErrorCode;
    status: number;
    message: string;
    requestId: string | undefined;
    retryAfterSeconds: number | undefined;
  }) {
    super(answer.message);
    this.code = answer.code;
    this.status = answer.status;
    this.requestId = answer.requestId;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }
}

/** No answer came: nobody listens, the connection broke, or the time was over. `cause` has the reason. */
export class NoAnswerError extends OcrError {
  override readonly name = 'NoAnswerError';
  readonly reason: 'timeout' | 'connection';

  constructor(reason: NoAnswerError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/** The error of an answer that is not 2xx; its body is read. */
export async function serviceError(response: Response): Promise<ServiceError> {
  const body = parseErrorBody(await response.text());
  if (body === undefined) return notOurs(response);
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after'), Date.now());
  const { code, message, requestId } = body;
  return new ServiceError({ code, status: response.status, message, requestId, retryAfterSeconds });
}

/** For an answer that another server, mostly a proxy, must have given. */
export function notOurs(response: Response): ServiceError {
  return new ServiceError({
    code: 'UNKNOWN',
    status: response.status,
    message: `The answer, ${response.status} ${response.statusText}, is not one of General OCR: check the base URL, and the proxy in front of the service.`,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: parseRetryAfter(response.headers.get('retry-after'), Date.now()),
  });
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    return typeof body?.code === 'string' && typeof body.message === 'string' ? (body as ErrorBody) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Seconds until another try, of either form of the header (RFC 9110, section 10.2.3).
 *
 * @param now milliseconds since 1970, for the form that is a date
 */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max((at - now) / 1000, 0);
}
