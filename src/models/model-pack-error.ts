/** `NOT_FETCHED`: files are missing. `DAMAGED`: a file is not the one that the manifest names. `FETCH_FAILED`: a source did not give it. */
export type ModelPackErrorCode = 'BAD_MANIFEST' | 'UNKNOWN_PACK' | 'NOT_FETCHED' | 'DAMAGED' | 'FETCH_FAILED';

/**
 * A model pack cannot be used or had. The message is for the operator (log, command line), never for a caller of the service:
 * it names files and addresses and says what to do.
 */
export class ModelPackError extends Error {
  override readonly name = 'ModelPackError';
  readonly code: ModelPackErrorCode;

  constructor(code: ModelPackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
