import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { imageTooLarge } from './source-errors.ts';

/** First capacity where the length is unknown: one read of a socket (libuv's 64 KiB). */
const FIRST_CAPACITY = 65_536;

/** Told how many bytes have just arrived. What does not fit is stopped by the signal. */
export type OnBytes = (bytes: number) => void;

export interface BoundedReadOptions {
  /** Largest accepted body in bytes. */
  readonly maxBytes: number;
  /** Length that the origin announced in bytes; over the limit it is refused before the first byte is read. */
  readonly announcedBytes?: number | undefined;
  /** Ends the reading at once with its reason. */
  readonly signal: AbortSignal;
  /** Told the size of every chunk before it is kept. */
  readonly onBytes?: OnBytes | undefined;
}

/**
 * Reads a whole body into one Buffer and destroys the stream on every way out, so that no socket waits on unread bytes.
 *
 * The bytes are copied into one growing buffer and the chunks are let go: a list of chunks costs about 100 bytes for
 * each, and an origin that sends one-byte chunks would turn the limit of 50 MB into 5 GB.
 *
 * @throws {OcrError} BODY_TOO_LARGE, from the announced length or at the first chunk that passes the limit
 * @throws `signal.reason`, or the stream's own error when the origin breaks off
 */
export async function readBounded(stream: Readable, options: BoundedReadOptions): Promise<Buffer> {
  const { maxBytes, announcedBytes, signal, onBytes } = options;
  // Destroying a half-read body makes it emit an error after the pipeline has stopped listening.
  stream.on('error', () => {});
  try {
    signal.throwIfAborted();
    if (announcedBytes !== undefined && announcedBytes > maxBytes) {
      throw imageTooLarge(announcedBytes, 'exactly', maxBytes);
    }
    const collected = collector(maxBytes, announcedBytes, onBytes);
    await pipeline(stream, collected.sink, { signal });
    return collected.bytes();
  } catch (error) {
    // The pipeline would say AbortError, whatever the reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    stream.destroy();
  }
}

function collector(
  maxBytes: number,
  announcedBytes: number | undefined,
  onBytes: OnBytes | undefined,
): { sink: Writable; bytes: () => Buffer } {
  // Slow: not from the shared pool. Pages that stay untouched cost nothing, so a large promise is not yet memory.
  let buffer: Buffer = Buffer.allocUnsafeSlow(announcedBytes ?? Math.min(FIRST_CAPACITY, maxBytes));
  let length = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const needed = length + chunk.length;
      if (needed > maxBytes) return done(imageTooLarge(needed, 'at least', maxBytes));
      onBytes?.(chunk.length);
      if (needed > buffer.length) buffer = grown(buffer, length, needed, maxBytes);
      buffer.set(chunk, length);
      length = needed;
      done();
    },
  });
  return { sink, bytes: () => buffer.subarray(0, length) };
}

/** Doubling keeps the copying linear in the size of the body. */
function grown(buffer: Buffer, length: number, needed: number, maxBytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, buffer.length * 2), maxBytes));
  buffer.copy(larger, 0, 0, length);
  return larger;
}
