import type { ServerResponse } from 'node:http';
import { OcrError } from '../errors.ts';
import type { Draining } from './draining.ts';

/** Where a request is; a deadline names it. */
export type Stage = 'fetching the image' | 'waiting for an engine process or reading the image';

/** The client closed the connection before its answer. Nobody is left to read it. */
export class ClientLeft extends Error {
  override readonly name = 'ClientLeft';
}

export interface RequestDeadline {
  /**
   * Aborted when the time is up (reason: a `TimeoutError`, as `AbortSignal.timeout` has it), when the client has left
   * (`ClientLeft`), when the service can wait no longer with shutting down (`OcrError` UNAVAILABLE), or by `abort`.
   */
  readonly signal: AbortSignal;
  /** Says where the request is from now on. */
  enter(stage: Stage): void;
  /** Ends the request early; its caller is told the reason. */
  abort(reason: OcrError): void;
  /** What the caller is told about a failure: the reason of the abort, where there was one. */
  explain(error: unknown): unknown;
  /** To be called when the request is over, however it ended. */
  end(): void;
}

export interface DeadlineOptions {
  readonly timeoutMs: number;
  readonly response: ServerResponse;
  readonly draining: Draining;
}

/** Starts the one clock of a request: everything it does afterwards hangs on this signal. */
export function startDeadline({ timeoutMs, response, draining }: DeadlineOptions): RequestDeadline {
  const controller = new AbortController();
  let stage: Stage = 'fetching the image';

  const timeUp = new DOMException('The time of the request is up', 'TimeoutError');
  const timer = setTimeout(() => controller.abort(timeUp), timeoutMs);
  const onClose = (): void => {
    if (!response.writableFinished) controller.abort(new ClientLeft('The client closed the connection'));
  };
  const onDrain = (): void => controller.abort(draining.signal.reason);
  response.once('close', onClose);
  draining.signal.addEventListener('abort', onDrain);
  if (draining.signal.aborted) onDrain();
  // A client that left while its body was being parsed: `close` has been and will not come again.
  if (response.destroyed) onClose();

  return {
    signal: controller.signal,
    enter(next) {
      stage = next;
    },
    abort: (reason) => controller.abort(reason),
    explain(error) {
      const { aborted, reason } = controller.signal;
      if (!aborted) return error;
      if (reason !== timeUp) return reason;
      // The part that was stopped knows better than the clock what it was doing.
      if (error instanceof OcrError) return error;
      return new OcrError(
        'DEADLINE_EXCEEDED',
        `The request took longer than ${timeoutMs} ms and was stopped while ${stage}. Try again when the server is ` +
          'less busy, or send a smaller image; the operator can raise OCR_REQUEST_TIMEOUT_MS.',
      );
    },
    end() {
      clearTimeout(timer);
      response.off('close', onClose);
      draining.signal.removeEventListener('abort', onDrain);
    },
  };
}
