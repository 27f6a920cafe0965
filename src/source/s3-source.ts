import type { Readable } from 'node:stream';
import type { GetObjectCommand, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { OcrError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { type OnBytes, readBounded } from './bounded-read.ts';
import { describeError } from './source-errors.ts';

export interface S3Options {
  /** Buckets that may be read; empty: every bucket that the credentials can read. */
  readonly buckets: readonly string[];
  /** S3-compatible endpoint; empty: AWS. */
  readonly endpoint: string;
  readonly forcePathStyle: boolean;
  /** Empty: the SDK decides (AWS_REGION, profile); with an endpoint us-east-1, which such servers take for "any". */
  readonly region: string;
}

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

interface Sdk {
  readonly client: S3Client;
  readonly GetObject: typeof GetObjectCommand;
}

/**
 * Costs nothing until the first `fetch`: only then is the SDK loaded (about 0.2 s of start-up otherwise).
 *
 * @throws {Error} for an endpoint that is no http(s) address; meant for the operator at start
 */
export function createS3Source(options: S3SourceOptions): S3Source {
  const { buckets, endpoint, maxBytes } = options;
  if (endpoint !== '' && !/^https?:\/\/[^/]/i.test(endpoint)) {
    throw new Error('OCR_S3_ENDPOINT must be an address such as http://minio:9000 or https://s3.example.com');
  }
  let loading: Promise<Sdk> | undefined;

  async function getBody(bucket: string, key: string, signal: AbortSignal, onBytes?: OnBytes): Promise<Buffer> {
    loading ??= loadSdk(options);
    const { client, GetObject } = await abortable(loading, signal);
    // The SDK heeds abortSignal only once it has credentials, and asking for those can take seconds (instance metadata).
    const sending = client.send(new GetObject({ Bucket: bucket, Key: key }), { abortSignal: signal });
    // An answer that comes in the very moment of the abort has no reader: its socket must not wait for one.
    sending.then(({ Body }) => signal.aborted && (Body as Readable | undefined)?.destroy()).catch(() => {});
    const { Body, ContentLength } = await abortable(sending, signal);
    if (Body === undefined) throw new Error('answer without a body');
    return readBounded(Body as Readable, { maxBytes, announcedBytes: ContentLength, signal, onBytes });
  }

  return {
    async fetch(bucket, key, signal, onBytes) {
      if (buckets.length > 0 && !buckets.includes(bucket)) throw bucketNotAllowed(bucket);
      try {
        return await getBody(bucket, key, signal, onBytes);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof OcrError ? error : s3Unavailable(bucket, error);
      }
    },
    async close() {
      const sdk = await loading?.catch(() => undefined);
      sdk?.client.destroy();
    },
  };
}

async function loadSdk({ endpoint, forcePathStyle, region }: S3Options): Promise<Sdk> {
  const sdk = await import('@aws-sdk/client-s3');
  const config: S3ClientConfig = { forcePathStyle };
  if (endpoint !== '') config.endpoint = endpoint;
  if (region !== '' || endpoint !== '') config.region = region || 'us-east-1';
  return { client: new sdk.S3Client(config), GetObject: sdk.GetObjectCommand };
}

function bucketNotAllowed(bucket: string): OcrError {
  return new OcrError(
    'SOURCE_NOT_ALLOWED',
    'The bucket in `url` is not one that this service reads; the operator lists those in OCR_S3_BUCKETS.',
    { detail: `bucket ${bucket}` },
  );
}

/** One text for a missing bucket, a missing key and a refusal: which of them it was would list the bucket to strangers. */
const UNAVAILABLE =
  'The object at `url` could not be read: the bucket or key does not exist, access is denied, or the S3 service cannot be reached. ' +
  'Check the address; the operator checks the permission s3:GetObject, OCR_S3_ENDPOINT and OCR_S3_REGION.';
const NO_CREDENTIALS =
  'The object at `url` could not be read: this service has no S3 credentials. The operator sets AWS_ACCESS_KEY_ID and ' +
  'AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or gives the container a role.';
const NO_REGION =
  'The object at `url` could not be read: this service has no S3 region. The operator sets OCR_S3_REGION or AWS_REGION.';

function s3Unavailable(bucket: string, error: unknown): OcrError {
  return new OcrError('SOURCE_UNAVAILABLE', publicText(error), { detail: `bucket ${bucket}: ${describeError(error)}` });
}

function publicText(error: unknown): string {
  if (!(error instanceof Error)) return UNAVAILABLE;
  if (error.name === 'CredentialsProviderError') return NO_CREDENTIALS;
  // The SDK throws a plain Error here: @smithy/config-resolver, "Region is missing".
  return error.message === 'Region is missing' ? NO_REGION : UNAVAILABLE;
}
