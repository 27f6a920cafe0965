import type { Readable } from 'node:stream';
import { OcrError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { type OnBytes, readBounded } from './bounded-read.ts';
import { bucketNotAllowed, checkEndpoint, loadSdk, type S3Options, type S3Sdk, s3Unavailable } from './s3-client.ts';

const OBJECT_OF_URL = { failed: 'The object at `url` could not be read', permission: 's3:GetObject' };

export interface S3SourceOptions extends S3Options {
  /** Largest accepted object in bytes. */
  readonly maxBytes: number;
}

export interface S3Source {
  /**
   * Reads one object. `bucket` and `key` must come out of `parseSource`: with path-style endpoints the SDK would
   * follow dot segments into another bucket.
   *
   * @throws {OcrError} SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE, BODY_TOO_LARGE; `signal.reason` when aborted
   */
  fetch(bucket: string, key: string, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer>;
  /** Closes the kept connections. */
  close(): Promise<void>;
}

/**
 * Costs nothing until the first `fetch`: only then is the SDK loaded (about 0.2 s of start-up otherwise).
 *
 * @throws {Error} for an endpoint that is no http(s) address; meant for the operator at start
 */
export function createS3Source(options: S3SourceOptions): S3Source {
  const { buckets, maxBytes } = options;
  checkEndpoint(options);
  let loading: Promise<S3Sdk> | undefined;

  async function getBody(bucket: string, key: string, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer> {
    loading ??= loadSdk(options);
    const { client, sdk } = await abortable(loading, signal);
    // The SDK heeds abortSignal only once it has credentials, and asking for those can take seconds (instance metadata).
    const sending = client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    // An answer that comes in the very moment of the abort has no reader: its socket must not wait for one.
    sending.then(({ Body }) => signal.aborted && (Body as Readable | undefined)?.destroy()).catch(() => {});
    const { Body, ContentLength } = await abortable(sending, signal);
    if (Body === undefined) throw new Error('answer without a body');
    return readBounded(Body as Readable, { maxBytes, announcedBytes: ContentLength, signal, onBytes });
  }

  return {
    async fetch(bucket, key, signal, onBytes) {
      if (buckets.length > 0 && !buckets.includes(bucket)) throw bucketNotAllowed(bucket, 'url');
      try {
        return await getBody(bucket, key, signal, onBytes);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof OcrError ? error : s3Unavailable({ bucket, ...OBJECT_OF_URL }, error);
      }
    },
    async close() {
      const loaded = await loading?.catch(() => undefined);
      loaded?.client.destroy();
    },
  };
}
