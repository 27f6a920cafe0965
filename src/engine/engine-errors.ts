import { OcrError } from '../errors.ts';

/** What a page is doing when its time passes: `waiting` for an engine process, or `reading` in one. */
export type PageStage = 'waiting' | 'reading';

const STAGE_TEXT: Record<PageStage, string> = {
  waiting: 'while the page was waiting for an engine process',
  reading: 'while the page was being read',
};

/** The reason of an aborted signal as the caller is to see it. An `OcrError` is taken as it is. */
export function abortError(signal: AbortSignal, stage: PageStage): OcrError {
  const reason: unknown = signal.reason;
  if (reason instanceof OcrError) return reason;
  // `AbortSignal.timeout()` aborts with this name (DOM standard, "TimeoutError" DOMException).
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new OcrError(
      'DEADLINE_EXCEEDED',
      `The request's time passed ${STAGE_TEXT[stage]} (stage: ${stage}). Try again later or send a smaller picture; ` +
        'the operator can raise OCR_REQUEST_TIMEOUT_MS or OCR_ENGINE_PROCESSES.',
    );
  }
  return new OcrError('UNAVAILABLE', `The request was ended ${STAGE_TEXT[stage]} (stage: ${stage}). Send it again.`, {
    detail: `aborted: ${String(reason)}`,
    retryAfterSeconds: 1,
  });
}

export function pageDeadlineError(pageTimeoutMs: number): OcrError {
  return new OcrError(
    'DEADLINE_EXCEEDED',
    `Reading the page took longer than ${pageTimeoutMs} ms (stage: reading). Send a smaller picture; the operator can ` +
      'raise OCR_PAGE_TIMEOUT_MS.',
  );
}

export function queueFullError(processes: number, queueLength: number): OcrError {
  return new OcrError(
    'OVERLOADED',
    `All ${processes} engine processes are busy and ${queueLength} pages wait already. Try again later; the operator ` +
      'can raise OCR_QUEUE_LENGTH or OCR_ENGINE_PROCESSES.',
    { retryAfterSeconds: 1 },
  );
}

export function startingError(): OcrError {
  return new OcrError(
    'UNAVAILABLE',
    'The server is starting: its models are being loaded. Try again in some seconds.',
    { retryAfterSeconds: 1 },
  );
}

export function closingError(): OcrError {
  return new OcrError(
    'UNAVAILABLE',
    'The server is shutting down. Send the request again, to another replica if any.',
    {
      retryAfterSeconds: 1,
    },
  );
}

/** No process works, and they have died too often to let pages wait for the next. */
export function noProcessError(): OcrError {
  return new OcrError(
    'UNAVAILABLE',
    'No engine process is working: they have died again and again and are being restarted. Try again later; the ' +
      "operator finds the reason in this server's log.",
    { retryAfterSeconds: 5 },
  );
}

/** @param deaths processes that died while they read the page */
export function pageKillsError(deaths: number): OcrError {
  return new OcrError(
    'ENGINE_CRASHED',
    `${deaths} engine processes ended while they read this picture, so the picture may be the cause. Save it again with ` +
      'another program, or smaller, before sending it again; the operator finds more in the log, and should check that ' +
      'the container has memory enough for OCR_ENGINE_PROCESSES.',
  );
}
