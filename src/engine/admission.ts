import { OcrError } from '../errors.ts';

export interface AdmissionOptions {
  /** Requests that may be inside at a time: engine processes plus places in the queue. At least 1. */
  readonly limit: number;
  /** Clock in milliseconds that never goes back; `performance.now` unless a test gives another. */
  readonly now?: () => number;
}

/** The door of the service: it bounds how many requests are being fetched, waiting or read at a time. */
export interface Admission {
  /**
   * Takes a place, before any I/O is done for the request.
   *
   * @returns gives the place back; calls after the first do nothing
   * @throws {OcrError} OVERLOADED, with `retryAfterSeconds`, when every place is taken
   */
  enter(): () => void;
  /**
   * Refuses a request before its body is received, when it would find no place now anyway. Takes none: whoever is slow
   * to send keeps nobody out.
   *
   * @throws {OcrError} OVERLOADED, as `enter`
   */
  refuseIfFull(): void;
  /** Requests that are inside now, 0..limit. */
  readonly inside: number;
}

/** Weight of the latest request in the moving mean: the last five or so decide, so that one odd page does not. */
const LATEST_WEIGHT = 0.2;

/** The longest wait that is asked of a client: the default total time of a request (OCR_REQUEST_TIMEOUT_MS). */
const LONGEST_RETRY_SECONDS = 30;

/**
 * Opens the door. `Retry-After` is the time that recent requests spent inside, in whole seconds (1..30): a house that is
 * full now has been emptied once after about that long.
 */
export function createAdmission({ limit, now = () => performance.now() }: AdmissionOptions): Admission {
  let inside = 0;
  let meanMs: number | undefined;

  const observe = (ms: number): void => {
    meanMs = meanMs === undefined ? ms : meanMs + LATEST_WEIGHT * (ms - meanMs);
  };

  const refuseIfFull = (): void => {
    if (inside < limit) return;
    throw new OcrError(
      'OVERLOADED',
      `All ${limit} places of this server are taken. Try again later; the operator can raise OCR_QUEUE_LENGTH, ` +
        'give it more CPUs and OCR_ENGINE_PROCESSES, or run more replicas.',
      { retryAfterSeconds: Math.min(Math.max(Math.ceil((meanMs ?? 0) / 1000), 1), LONGEST_RETRY_SECONDS) },
    );
  };

  return {
    get inside() {
      return inside;
    },
    refuseIfFull,
    enter() {
      refuseIfFull();
      inside += 1;
      const enteredAt = now();
      let left = false;
      return () => {
        if (left) return;
        left = true;
        inside -= 1;
        observe(now() - enteredAt);
      };
    },
  };
}
