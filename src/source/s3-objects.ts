import type { Readable } from 'node:stream';
import { abortable } from './abortable.ts';
import { readBounded } from './bounded-read.ts';
import { OcrError } from '../errors.ts';
import { bucketNotAllowed, checkEndpoint, loadSdk, type S3Options, type S3Sdk, s3Unavailable } from './s3-client.ts';
import { describeError } from './source-errors.ts';

/** A page of a listing, in the order of the keys' UTF-8 bytes (the S3 API promises it for general purpose buckets). */
export interface KeyPage {
  readonly keys: readonly string[];
  readonly more: boolean;
}

/** A part of an object. */
export interface Slice {
  readonly bytes: Buffer;
  /** Of the whole object, in bytes. */
  readonly size: number;
  /** Changes with the object. */
  readonly etag: string;
}

export interface S3Objects {
  /**
   * Lists keys below `prefix` that come after `after`.
   *
   * @throws {OcrError} SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE
   */
  list(bucket: string, prefix: string, after: string, most: number): Promise<KeyPage>;
  /**
   * Reads up to `most` bytes from `offset` on.
   *
   * @param etag of the slice before; the object must not have changed since
   * @throws {OcrError} SOURCE_NOT_ALLOWED, SOURCE_UNAVAILABLE; INVALID_REQUEST for an object that has changed
   */
  slice(bucket: string, key: string, offset: number, most: number, etag: string): Promise<Slice>;
  /** Reads an object that this service wrote; undefined where there is none. @throws {OcrError} UNAVAILABLE */
  read(bucket: string, key: string, maxBytes: number): Promise<Buffer | undefined>;
  /** Writes an object, in place of what was there. @throws {OcrError} UNAVAILABLE */
  write(bucket: string, key: string, body: string | Buffer, mediaType: string): Promise<void>;
  close(): Promise<void>;
}

/** Any one call to S3; the SDK itself would wait for ever. */
const CALL_TIMEOUT_MS = 30_000;

const LISTING = { failed: 'The objects below `source` could not be listed', permission: 's3:ListBucket' };
const MANIFEST = { failed: 'The manifest in `source` could not be read', permission: 's3:GetObject' };

const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');

/** Costs nothing until it is used. @throws {Error} for an endpoint that cannot be read; meant for the operator at start */
export function createS3Objects(options: S3Options): S3Objects {
  checkEndpoint(options);
  const { buckets } = options;
  let loading: Promise<S3Sdk> | undefined;

  /** Calls S3 within the time limit; also while the SDK still looks for credentials, where it heeds no signal. */
  async function call<T>(use: (s3: S3Sdk, signal: AbortSignal) => Promise<T>): Promise<T> {
    loading ??= loadSdk(options);
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    return abortable(use(await loading, signal), signal);
  }

  return {
    async list(bucket, prefix, after, most) {
      if (buckets.length > 0 && !buckets.includes(bucket)) throw bucketNotAllowed(bucket, 'source');
      try {
        const { Contents = [], IsTruncated = false } = await call(({ sdk, client }, abortSignal) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              MaxKeys: most,
              ...(after === '' ? {} : { StartAfter: after }),
            }),
            { abortSignal },
          ),
        );
        return { keys: Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])), more: IsTruncated };
      } catch (error) {
        throw s3Unavailable({ bucket, ...LISTING }, error);
      }
    },

    async slice(bucket, key, offset, most, etag) {
      if (buckets.length > 0 && !buckets.includes(bucket)) throw bucketNotAllowed(bucket, 'source');
      try {
        return await call(async ({ sdk, client }, signal) => {
          const range = `bytes=${offset}-${offset + most - 1}`;
          const given = { Bucket: bucket, Key: key, Range: range, ...(etag === '' ? {} : { IfMatch: etag }) };
          const {
            Body,
            ETag = '',
            ContentRange = '',
          } = await client.send(new sdk.GetObjectCommand(given), {
            abortSignal: signal,
          });
          const bytes = await readBounded(Body as Readable, { maxBytes: most, signal });
          return { bytes, etag: ETag, size: Number(/\/(\d+)$/.exec(ContentRange)?.[1] ?? offset + bytes.length) };
        });
      } catch (error) {
        // 416: nothing lies behind `offset`; an empty object answers so to its first byte.
        if (error instanceof Error && error.name === 'InvalidRange')
          return { bytes: Buffer.alloc(0), size: offset, etag };
        if (error instanceof Error && error.name === 'PreconditionFailed') throw manifestChanged();
        throw s3Unavailable({ bucket, ...MANIFEST }, error);
      }
    },

    async read(bucket, key, maxBytes) {
      try {
        return await call(async ({ sdk, client }, signal) => {
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), {
            abortSignal: signal,
          });
          return readBounded(Body as Readable, { maxBytes, signal });
        });
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw outputUnavailable('read', bucket, error);
      }
    },

    async write(bucket, key, body, mediaType) {
      try {
        await call(({ sdk, client }, abortSignal) =>
          client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: mediaType }), {
            abortSignal,
          }),
        );
      } catch (error) {
        throw outputUnavailable('written', bucket, error);
      }
    },

    async close() {
      const loaded = await loading?.catch(() => undefined);
      loaded?.client.destroy();
    },
  };
}

const manifestChanged = (): OcrError =>
  new OcrError(
    'INVALID_REQUEST',
    'The manifest in `source` was changed while it was being read. Leave it as it is until the job has ended, and send the job again.',
  );

function outputUnavailable(what: 'read' | 'written', bucket: string, error: unknown): OcrError {
  return new OcrError(
    'UNAVAILABLE',
    `The result could not be ${what} below \`output\`: the bucket does not exist, access is denied, or the S3 service cannot ` +
      'be reached. The operator checks the permissions s3:PutObject and s3:GetObject, OCR_S3_ENDPOINT and OCR_S3_REGION.',
    { detail: `bucket ${bucket}: ${describeError(error)}` },
  );
}
